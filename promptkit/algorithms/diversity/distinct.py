"""distinct-n (arXiv:1510.03055): how many of all the runs of n words in several texts are different ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Scripts that are written without spaces: a character is a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")

Gram = tuple[str, ...]


def words(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return _WORD.findall(text.casefold())


def grams(text: str, n: int) -> list[Gram]:
    """The runs of n words in a text, in order; none where it is shorter."""
    if n < 1:
        raise ValueError(f"a run of words has at least one, not {n}")
    found = words(text)
    return [tuple(found[at : at + n]) for at in range(len(found) - n + 1)]


def distinct(texts: Iterable[Sequence[Gram]]) -> float | None:
    """Different runs of words by all of them, from above 0 to 1; None where there are none."""
    seen: set[Gram] = set()
    all_of_them = 0
    for each in texts:
        seen.update(each)
        all_of_them += len(each)
    return len(seen) / all_of_them if all_of_them else None
