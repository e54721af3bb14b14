"""How a name comes to be typed, read or written in the place of another: a slip, priced in bits.

A price is minus log2 of a probability: a doubled letter is cheap, an arbitrary other letter dear.
Prices are judgements, set once against public lists of squats (science fl-1); what counts is their
order. A name and itself have the price 0.
"""

from collections.abc import Iterator
from math import log2

from msgspec import Struct

REPEATED = 1.3
SWAPPED = 0.8
NEIGHBOUR = 3.0
ALIKE = 2.0
VOWEL = 2.8
PLURAL = 2.5
LEFT_OUT = 3.6
PUT_IN = 5.6
PUT_IN_BESIDE = 4.0
REPLACED = 9.0
NUMBER = 8.5
NUMBER_LEFT_OUT = 6.5

FIRST_LETTER = 5.0  # dearer: eyes and hands are surest at the start of a word
AT_END = 1.5  # where: at an end is one place, inside is any of the letters

KEY_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
VOWELS = frozenset("aeiouy")
LOOK_ALIKE = frozenset(
    frozenset(pair)
    for pair in ("0o", "1l", "il", "1i", "5s", "3e", "4a", "7t", "8b", "zs", "gq", "uv", "kc")
)
LIGATURES = {"rn": "m", "vv": "w", "cl": "d", "nn": "m", "ph": "f"}
WANDER = 2  # letters that two spellings may be out of step, beyond their difference in length
# Letters taken and letters made in one step, (typed, meant).
STRIDES = ((1, 1), (1, 0), (0, 1), (2, 2), (2, 1), (1, 2))


class Slip(Struct, frozen=True):
    """The cheapest way from the meant name to the typed one.

    `bits` is its price, `steps` says each change in words that go before the meant name.
    """

    bits: float
    steps: tuple[str, ...]

    def then(self, bits: float, *steps: str) -> "Slip":
        """Return this slip and one more change."""
        return Slip(self.bits + bits, self.steps + steps)


class _Pair(Struct, frozen=True):
    typed: str
    meant: str


def slip(typed: str, meant: str) -> Slip:
    """Return the cheapest slip that makes *typed* of *meant* (both without separators)."""
    pair = _Pair(typed, meant)
    head = _shared(typed, meant)
    tail = _shared(typed[head:][::-1], meant[head:][::-1])
    # One letter of context stays on each side: a repetition must see what it repeats.
    head, tail = max(0, head - 1), max(0, tail - 1)
    end = (len(typed) - tail, len(meant) - tail)
    aside = abs(len(typed) - len(meant)) + WANDER
    best = {(head, head): Slip(0.0, ())}
    for i in range(head, end[0] + 1):
        for j in range(max(head, i - aside), min(end[1], i + aside) + 1):
            ways = [*_ways(pair, best, i, j)]
            if ways:
                best[i, j] = min(ways, key=lambda way: way.bits)
    return best[end]


def _shared(left: str, right: str) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count


def _ways(pair: _Pair, best: dict[tuple[int, int], Slip], i: int, j: int) -> Iterator[Slip]:
    """Yield the ways to have made `typed[:i]` of `meant[:j]` by one more step."""
    if (i, j) in best:
        yield best[i, j]
    for made, taken in STRIDES:
        before = best.get((i - made, j - taken))
        if before is None:
            continue
        new, old = pair.typed[i - made : i], pair.meant[j - taken : j]
        if made == taken == 1 and new == old:
            yield before
            continue
        change = _change(pair, i, j, new, old)
        if change is None:
            continue
        bits, words = change
        inside = taken < j < len(pair.meant)
        bits += log2(len(pair.meant)) if inside else AT_END
        at_start = (i == made or j == taken) and words != SWAPPED_WORDS
        yield before.then(bits + (FIRST_LETTER if at_start else 0.0), words)


SWAPPED_WORDS = "two letters swapped against"


def _change(pair: _Pair, i: int, j: int, new: str, old: str) -> tuple[float, str] | None:
    if not old:
        return _put_in(pair.typed, i, at_end=j == len(pair.meant))
    if not new:
        return _left_out(pair.meant, j)
    if len(new) == len(old) == 1:
        return _replaced(new, old)
    if len(new) == len(old):
        return (SWAPPED, SWAPPED_WORDS) if new == old[::-1] and new != old else None
    if LIGATURES.get(new) == old or LIGATURES.get(old) == new:
        return ALIKE, "a look-alike letter away from"
    return None


def _put_in(typed: str, i: int, *, at_end: bool) -> tuple[float, str]:
    letter = typed[i - 1]
    beside = typed[max(0, i - 2) : i - 1] + typed[i : i + 1]
    if letter.isdigit():
        return NUMBER, "one digit more than"
    if letter in beside:
        return REPEATED, "one letter doubled against"
    if at_end and letter == "s":
        return PLURAL, "an `s` more than"
    near = any(_adjacent(letter, other) for other in beside)
    return PUT_IN_BESIDE if near else PUT_IN, "one letter more than"


def _left_out(meant: str, j: int) -> tuple[float, str]:
    letter = meant[j - 1]
    beside = meant[max(0, j - 2) : j - 1] + meant[j : j + 1]
    if letter.isdigit():
        return NUMBER_LEFT_OUT, "one digit less than"
    if letter in beside:
        return REPEATED, "one doubled letter less than"
    if letter == "s" and j == len(meant):
        return PLURAL, "an `s` less than"
    return LEFT_OUT, "one letter less than"


def _replaced(new: str, old: str) -> tuple[float, str]:
    if frozenset((new, old)) in LOOK_ALIKE:
        return ALIKE, "a look-alike letter away from"
    if new.isdigit() and old.isdigit():
        return NUMBER, "another number than"
    if _adjacent(new, old):
        return NEIGHBOUR, "one key away from"
    if new in VOWELS and old in VOWELS:
        return VOWEL, "one vowel away from"
    return REPLACED, "one letter away from"


def _adjacent_keys() -> frozenset[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for y, row in enumerate(KEY_ROWS):
        for x, key in enumerate(row):
            beside = row[x + 1 : x + 2]
            below = KEY_ROWS[y + 1][max(0, x - 1) : x + 1] if y + 1 < len(KEY_ROWS) else ""
            pairs.update((key, other) for other in beside + below)
    return frozenset(pairs | {(b, a) for a, b in pairs})


_ADJACENT = _adjacent_keys()


def _adjacent(left: str, right: str) -> bool:
    return (left, right) in _ADJACENT
