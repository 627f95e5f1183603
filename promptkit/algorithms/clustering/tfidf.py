"""Texts as vectors of their words, rare ones weighing more: what is alike lies near (Salton and Buckley 1988)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

# A run of letters, a run of digits, or one sign of a script that puts no spaces between words.
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W\d_぀-ヿ㐀-鿿가-힯]+|\d+")
NUMBER = "0"  # all numbers are one word: what is counted says little about the kind of a question

Vector = dict[str, float]


def words(text: str) -> list[str]:
    """The words of a text, folded; every number is the same one."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [NUMBER if word.isdigit() else word for word in _WORD.findall(folded)]


def vectors(texts: Sequence[str]) -> list[Vector]:
    """A vector of length 1 for each text: (1 + log count) · log((1 + texts) / (1 + texts with the word)) + 1."""
    counted = [Counter(words(text)) for text in texts]
    having = Counter(word for counts in counted for word in counts)
    rare = {word: math.log((1 + len(texts)) / (1 + n)) + 1 for word, n in having.items()}
    return [_unit({word: (1 + math.log(n)) * rare[word] for word, n in sorted(each.items())}) for each in counted]


def _unit(vector: Vector) -> Vector:
    length = math.sqrt(math.fsum(weight * weight for weight in vector.values()))
    return {word: weight / length for word, weight in vector.items()} if length else vector
