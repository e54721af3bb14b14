import random
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.names.language import NameLanguage
from indexgate_policy.names.nearby import Spellings
from indexgate_policy.names.slips import slip
from indexgate_policy.names.words import without_language

_LISTED = """
    requests numpy flask django cryptography python-dateutil urllib3 beautifulsoup4 matplotlib
    setuptools colorama tensorflow pandas kafka-python python-dotenv scikit-learn aiohttp
    typing-extensions sqlalchemy fastapi django-rest django-cors django-filter django-redis
    django-environ
    """
NAMES = _LISTED.split()
DOWNLOADS = [1_000_000_000 // (place + 1) for place in range(len(NAMES))]
POPULAR = PopularNameList(lambda: zip(NAMES, DOWNLOADS, strict=True), as_of=date(2026, 4, 1))

valid_names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,30}[A-Za-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "imitates", "relation"),
    [
        ("reqeusts", "requests", "two letters swapped against"),
        ("requsts", "requests", "one letter less than"),
        ("requestss", "requests", "one letter doubled against"),
        ("requests-v2", "requests", "`v2` added to"),
        ("py-requests", "requests", "`py` added to"),
        ("easyrequests", "requests", "`easy` added to"),
        ("set-uptools", "setuptools", "only separators away from"),
        ("cryptograohy", "cryptography", "one key away from"),
        ("crypt0graphy", "cryptography", "a look-alike letter away from"),
        ("rnatplotlib", "matplotlib", "a look-alike letter away from"),
        ("tenserflow", "tensorflow", "one vowel away from"),
        ("typing-extension", "typing-extensions", "an `s` less than"),
        ("beautifulsoup", "beautifulsoup4", "the `4` aside, the same as"),
        ("python-kafka", "kafka-python", "the words in another order than in"),
        ("python-dateutils", "python-dateutil", "an `s` more than"),
        ("crypt0graphhy", "cryptography", "2 slips away from"),
    ],
)
def test_a_squat_is_found_and_told_in_words(name: str, imitates: str, relation: str) -> None:
    found = POPULAR.lookalike(canonicalize_name(name))
    assert found is not None
    assert (found.imitates, found.relation) == (imitates, relation)
    assert found.confusability >= 0.5
    assert found.rank == NAMES.index(imitates) + 1
    assert found.downloads == DOWNLOADS[found.rank - 1]


@pytest.mark.parametrize(
    "name",
    ["poetry", "boto3", "my-company-tools", "django-storages", "a", "x1", "0", "cors"],
)
def test_an_ordinary_name_is_below_the_working_point(name: str) -> None:
    found = POPULAR.lookalike(canonicalize_name(name))
    assert found is None or found.confusability < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_a_popular_name_never_imitates(name: str) -> None:
    assert POPULAR.lookalike(canonicalize_name(name)) is None


@given(valid_names)
def test_any_valid_name_has_an_answer_that_does_not_name_itself(name: str) -> None:
    normal = canonicalize_name(name)
    found = POPULAR.lookalike(normal)
    if found is not None:
        assert found.imitates != normal
        assert found.imitates in NAMES
        assert 0 < found.confusability <= 1


@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_spelling_before_normalisation_does_not_matter(name: str, dice: random.Random) -> None:
    typed = f"{name}-x"
    other = re.sub("-", lambda _: dice.choice(["-", "_", ".", "--"]), typed)
    other = "".join(dice.choice([letter, letter.upper()]) for letter in other)
    here, there = canonicalize_name(typed), canonicalize_name(other)
    assert POPULAR.lookalike(here) == POPULAR.lookalike(there)


def test_the_less_popular_target_is_the_less_confusable_one() -> None:
    first = PopularNameList(lambda: [("cryptography", 9), *((f"filler{n}", 1) for n in range(500))])
    last = PopularNameList(lambda: [*((f"filler{n}", 9) for n in range(500)), ("cryptography", 1)])
    name = canonicalize_name("cryptographyy")
    near, far = first.lookalike(name), last.lookalike(name)
    assert near is not None
    assert far is None or far.confusability < near.confusability


def test_ranks_and_the_least_downloads_are_the_lists() -> None:
    assert POPULAR.rank(canonicalize_name("numpy")) == 2
    assert POPULAR.rank(canonicalize_name("nunpy")) is None
    assert POPULAR.least_downloads == DOWNLOADS[-1]
    assert len(POPULAR) == len(NAMES)
    assert POPULAR.as_of == date(2026, 4, 1)


def test_an_empty_list_resembles_nothing() -> None:
    empty = PopularNameList(list)
    assert empty.lookalike(canonicalize_name("requests")) is None
    assert empty.least_downloads == 0


def test_a_name_made_up_to_be_long_resembles_nothing() -> None:
    assert POPULAR.lookalike(canonicalize_name("requests" + "s" * 5_000)) is None


def test_the_list_is_read_once_and_only_when_it_is_asked() -> None:
    reads = []

    def read() -> list[tuple[str, int]]:
        reads.append(1)
        return [("requests", 1)]

    names = PopularNameList(read)
    assert not reads
    names.prepare()
    names.rank(canonicalize_name("requests"))
    names.lookalike(canonicalize_name("reqests"))
    assert len(reads) == 1


letters = st.text(alphabet="abcdeors01", min_size=1, max_size=12)


@given(letters)
def test_a_name_is_no_slip_away_from_itself(name: str) -> None:
    assert slip(name, name).bits == 0
    assert slip(name, name).steps == ()


@given(letters, letters)
def test_every_two_names_have_a_slip_between_them(typed: str, meant: str) -> None:
    made = slip(typed, meant)
    assert (made.bits > 0) == (typed != meant)
    assert bool(made.steps) == (typed != meant)


@pytest.mark.parametrize(
    ("cheap", "dear"),
    [
        ("reqeusts", "requxsts"),  # swapped, replaced
        ("requestss", "requestsk"),  # doubled, more
        ("requesrs", "requesqs"),  # the key beside, far away
        ("requzsts", "xequests"),  # inside, at the start
    ],
)
def test_a_likely_slip_costs_less(cheap: str, dear: str) -> None:
    assert slip(cheap, "requests").bits < slip(dear, "requests").bits


@given(letters)
def test_what_is_one_swap_away_lies_near(name: str) -> None:
    spellings = Spellings()
    spellings.add(name)
    swapped = name[:-2] + name[-2:][::-1]
    shares_an_end = swapped[0] == name[0] or swapped[-1] == name[-1]
    assert (name in list(spellings.near(swapped))) == shares_an_end
    assert list(spellings.near(name)) == [name]


def test_a_word_that_names_share_is_cheaper_than_letters() -> None:
    language = NameLanguage(["django-a", "django-b", "django-c", "zebra"])
    assert language.bits("django-q") < language.bits("djangq-q")


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("python-dotenv", "dotenv"),
        ("kafka-python", "kafka"),
        ("pyserial", "serial"),
        ("pythonkafka", "kafka"),
        ("pyre", None),
        ("python", None),
        ("requests", None),
    ],
)
def test_the_language_is_taken_off_a_name(name: str, core: str | None) -> None:
    assert without_language(name) == core
