"""How names are usually made: what a name costs in bits when nobody is being imitated.

A letter trigram model over the words of popular names, and the words themselves where several names
share one. A name of ordinary words (`django`, `api`) is cheap: it needs no imitation to explain it.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from math import log2

LETTERS = "$abcdefghijklmnopqrstuvwxyz0123456789"
SIZE = len(LETTERS)
SHARED_BY = 2  # names that must use a word before the word counts as known
BACKING = 6.0  # how many sightings the shorter context is worth
WORD = 1.0  # bits to say that a known word follows

_PLACE = {letter: place for place, letter in enumerate(LETTERS)}


class NameLanguage:
    """The language of names, learned from names (normalised). Compact: one array, one dict."""

    __slots__ = ("_pairs", "_singles", "_total", "_triples", "_words", "_words_total")

    def __init__(self, names: Iterable[str]) -> None:
        words: Counter[str] = Counter()
        for name in names:
            words.update(name.split("-"))
        self._triples = array("I", bytes(4 * SIZE**3))
        self._pairs = array("I", bytes(4 * SIZE**2))
        for word in words:
            a = b = 0
            for letter in f"{word}$":
                c = _PLACE.get(letter, 0)
                self._triples[(a * SIZE + b) * SIZE + c] += 1
                self._pairs[b * SIZE + c] += 1
                a, b = b, c
        self._singles = array(
            "I", (sum(self._pairs[b * SIZE : (b + 1) * SIZE]) for b in range(SIZE))
        )
        self._total = sum(self._singles) + 1
        self._words = {word: count for word, count in words.items() if count >= SHARED_BY}
        self._words_total = sum(words.values()) + 1

    def bits(self, name: str) -> float:
        """Return the price of *name* (normalised), word by word."""
        return sum(self.word_bits(word) for word in name.split("-"))

    def word_bits(self, word: str) -> float:
        """Return the price of one word: as a known word or letter by letter, whatever is less."""
        spelled = self._spelled(word)
        count = self._words.get(word)
        if count is None:
            return spelled
        return min(spelled, WORD + log2(self._words_total / count))

    def _spelled(self, word: str) -> float:
        bits = 0.0
        a = b = 0
        for letter in f"{word}$":
            c = _PLACE.get(letter, 0)
            start = a * SIZE + b
            single = (self._singles[c] + 1) / (self._total + SIZE)
            pair = (self._pairs[b * SIZE + c] + BACKING * single) / (self._singles[b] + BACKING)
            # The pairs (a, b) seen before any letter are the context's count.
            context = self._pairs[start] if b or a else self._singles[0]
            triple = (self._triples[start * SIZE + c] + BACKING * pair) / (context + BACKING)
            bits -= log2(triple)
            a, b = b, c
        return bits
