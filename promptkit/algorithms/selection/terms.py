"""A text as the words, numbers and signs that retrieval counts."""

from __future__ import annotations

import re
import unicodedata

_ONE_BY_ONE = "぀-ヿ㐀-鿿가-힯"  # signs of scripts that put no spaces between words
# Such a sign, a run of letters, a number, or any other sign: `#` is the whole point of `4 # 7`.
_TERM = re.compile(rf"[{_ONE_BY_ONE}]|[^\W\d_{_ONE_BY_ONE}]+|\d+|[^\w\s]")


def terms(text: str) -> list[str]:
    """The terms of a text in its order, folded; prose punctuation is none of them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [term for term in _TERM.findall(folded) if term.isalnum() or sign(term)]


def sign(character: str) -> bool:
    """Whether a character, no letter and no digit, says something by itself, as `+` and `#` do and `,` does not."""
    return character in "#@&%*/\\-" or unicodedata.category(character) in ("Sm", "Sc", "Sk", "So")
