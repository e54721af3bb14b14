"""Which popular name a name can be taken for, and how easily: a noisy channel.

Two stories are weighed in bits for every popular name that is near. *Imitation*: the popular name
was meant and a slip, an added word or another word order came between (`names.slips`), the dearer
the less popular. *Its own name*: somebody made it up as names are made up (`names.language`). The
difference, through a logistic curve, is the confusability; .5 is the working point: with the
15,000 most downloaded names about one in seventy other real names reaches it. So families of names
(`django-x`, `types-x`) and short names need no rule: their own story is cheap.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cached_property
from math import exp, log2

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate_policy.assessment import Lookalike
from indexgate_policy.names.language import NameLanguage
from indexgate_policy.names.nearby import Spellings
from indexgate_policy.names.slips import slip
from indexgate_policy.names.words import GENERIC, LANGUAGE, without_language

SLIP = 1.5  # a bit of slip against a bit of language; squats are not drawn by chance alone
RANK = 1.7  # bits a halving of popularity costs: who is imitated is who is known
LANGUAGE_CAP = 35.0  # long names are not surer without end: they are derived, not invented
WITHOUT_LANGUAGE = 3.0  # the target is known without its `py`
BOTH_WITHOUT_LANGUAGE = 7.0
WITHOUT_NUMBER = 5.0
ADDED_WORD = 0.5
ADDED_WORD_RANK = 0.8  # a halving of popularity costs more still: only the known are extended
ADDED_LANGUAGE = 4.0  # `py-x` is how honest bindings to x are called
WORD_ORDER = 3.0
WORKING_POINT = -3.7
STEEPNESS = 4.0

SHORTEST = 4  # letters; below that every name is near some other
LONGEST = 100  # no popular name comes near; bounds the work for names made up to be long
ALIASES_OF = 5_000  # how far down a name is well enough known to have a short form
LEAST_WORTH_SAYING = 0.2


class _Found(Struct, frozen=True):
    place: int  # on the list, from 0
    bits: float  # what imitation gains over the name's own story
    relation: str


class PopularNameList:
    """The most downloaded names; implements `assessment.PopularNames`.

    *read* gives (normalised name, downloads in 30 days) of each, most downloaded first, and is
    called when the first question comes; the search for look-alikes is built (some tenths of a
    second for 15,000 names) when the first look-alike is asked for, or by `prepare`. `as_of` is
    the day the downloads were counted.
    """

    def __init__(
        self, read: Callable[[], Iterable[tuple[str, int]]], *, as_of: date | None = None
    ) -> None:
        self._read = read
        self.as_of = as_of
        # Several checks ask about the same name, one right after the other. One tuple, so that
        # threads never see a name with the answer of another.
        self._latest: tuple[str, Lookalike | None] = ("", None)

    def __len__(self) -> int:
        return len(self._table.names)

    def rank(self, name: NormalizedName) -> int | None:
        """Return the rank of *name* (1: most downloaded), None when it is not on the list."""
        place = self._table.places.get(name)
        return None if place is None else place + 1

    @property
    def least_downloads(self) -> int:
        """Downloads in 30 days of the last name on the list; 0 for an empty list."""
        return self._table.downloads[-1] if self._table.downloads else 0

    def prepare(self) -> None:
        """Read the list and build the search now; may run in a thread beside questions."""
        _ = self._search

    def lookalike(self, name: NormalizedName) -> Lookalike | None:
        """Return the popular name that *name* resembles most; None for a popular name itself."""
        asked, found = self._latest
        if asked != name:
            found = self._resembled(name)
            self._latest = name, found
        return found

    def _resembled(self, name: NormalizedName) -> Lookalike | None:
        if name in self._table.places or len(name) > LONGEST:
            return None
        found = max(self._imitated(name), key=lambda one: one.bits, default=None)
        if found is None:
            return None
        confusability = 1 / (1 + exp((WORKING_POINT - found.bits) / STEEPNESS))
        if confusability < LEAST_WORTH_SAYING:
            return None
        return Lookalike(
            imitates=self._table.names[found.place],
            confusability=confusability,
            relation=found.relation,
            rank=found.place + 1,
            downloads=self._table.downloads[found.place],
        )

    def _imitated(self, name: str) -> Iterator[_Found]:
        own = min(self._search.language.bits(name), LANGUAGE_CAP)
        yield from self._by_slip(name.replace("-", ""), own)
        core = without_language(name)
        if core is not None:
            yield from self._by_slip(core.replace("-", ""), own, core=True)
        yield from self._by_word(name)
        yield from self._by_order(name)

    def _by_slip(self, typed: str, own: float, *, core: bool = False) -> Iterator[_Found]:
        for meant in self._search.spellings.near(typed):
            form = self._search.forms[meant]
            if core and typed == meant and form.bits != WITHOUT_LANGUAGE:
                continue  # `py` put before the name itself is an added word
            made = slip(typed, meant)
            bits = own - SLIP * made.bits - form.bits - core * BOTH_WITHOUT_LANGUAGE
            aside = form.aside or ("`python`" if core else "")
            yield self._found(form.place, bits, _relation(made.steps, aside))

    def _by_word(self, name: str) -> Iterator[_Found]:
        """Yield the names that *name* is with one word of no meaning before or behind."""
        for added, rest in _split_off(name):
            place = self._table.places.get(rest)
            if place is not None and len(rest) >= SHORTEST:
                yield self._by_added(added, place)

    def _by_added(self, word: str, place: int) -> _Found:
        price = ADDED_WORD + ADDED_WORD_RANK * log2(place + 1)
        price += ADDED_LANGUAGE if word in LANGUAGE else 0.0
        return self._found(place, self._own(place) - price, f"`{word}` added to")

    def _by_order(self, name: str) -> Iterator[_Found]:
        words = sorted(name.split("-"))
        place = self._search.orders.get("-".join(words)) if len(words) > 1 else None
        if place is not None:
            bits = self._own(place) - WORD_ORDER
            yield self._found(place, bits, "the words in another order than in")

    def _own(self, place: int) -> float:
        return min(self._search.language.bits(self._table.names[place]), LANGUAGE_CAP)

    def _found(self, place: int, bits: float, relation: str) -> _Found:
        return _Found(place, bits - RANK * log2(place + 1), relation)

    @cached_property
    def _table(self) -> "_Table":
        counts: dict[str, int] = {}
        for name, downloads in self._read():
            counts.setdefault(name, downloads)
        return _Table(
            names=list(counts),
            places={name: place for place, name in enumerate(counts)},
            downloads=array("Q", counts.values()),
        )

    @cached_property
    def _search(self) -> "_Search":
        return _search(self._table.names)


class _Table(Struct, frozen=True, kw_only=True):
    names: list[str]
    places: dict[str, int]
    downloads: "array[int]"


class _Form(Struct, frozen=True):
    """A spelling that a popular name is known by, and what it costs that it is not the name."""

    place: int
    bits: float = 0.0
    aside: str = ""


class _Search(Struct, frozen=True):
    language: NameLanguage
    spellings: Spellings
    forms: dict[str, _Form]
    orders: dict[str, int]


def _search(names: list[str]) -> _Search:
    forms: dict[str, _Form] = {}
    orders: dict[str, int] = {}
    for place, name in enumerate(names):
        forms.setdefault(name.replace("-", ""), _Form(place))
        if "-" in name:
            orders.setdefault("-".join(sorted(name.split("-"))), place)
    for place, name in enumerate(names[:ALIASES_OF]):
        for short, bits, aside in _short_forms(name):
            forms.setdefault(short.replace("-", ""), _Form(place, bits, aside))
    spellings = Spellings()
    for spelling in forms:
        if len(spelling) >= SHORTEST:
            spellings.add(spelling)
    return _Search(NameLanguage(names), spellings, forms, orders)


def _short_forms(name: str) -> Iterator[tuple[str, float, str]]:
    """Yield what people call *name* for short: `dotenv`, `beautifulsoup`."""
    core = without_language(name)
    if core is not None:
        yield core, WITHOUT_LANGUAGE, "`python`"
    if name[-1:].isdigit() and name[:-1].isalpha() and len(name) > SHORTEST:
        yield name[:-1], WITHOUT_NUMBER, f"the `{name[-1]}`"


def _split_off(name: str) -> Iterator[tuple[str, str]]:
    """Yield (word, rest) for a generic word at either end of *name*, glued on or not."""
    first, _, rest = name.partition("-")
    if rest and first in GENERIC:
        yield first, rest
    rest, _, last = name.rpartition("-")
    if rest and last in GENERIC:
        yield last, rest
    if "-" in name:
        return
    for cut in range(1, len(name)):
        for added, rest in ((name[:cut], name[cut:]), (name[cut:], name[:cut])):
            if added in GENERIC and len(added) > 1:  # a single glued letter is a slip
                yield added, rest


def _relation(steps: tuple[str, ...], aside: str) -> str:
    match steps:
        case ():
            words = "the same as" if aside else "only separators away from"
        case (one,):
            words = one
        case _:
            words = f"{len(steps)} slips away from"
    return f"{aside} aside, {words}" if aside else words
