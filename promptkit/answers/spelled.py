"""Numbers in English words, up to nine hundred ninety-nine million."""

from __future__ import annotations

import re
from fractions import Fraction

WORD = re.compile(r"[a-z]+")
UNITS = WORD.findall(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = WORD.findall("twenty thirty forty fifty sixty seventy eighty ninety")
SMALL = {**{word: value for value, word in enumerate(UNITS)}, **{word: 20 + 10 * at for at, word in enumerate(TENS)}}
LARGE = {"thousand": 1000, "million": 10**6}
PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
}
PARTS |= {"ninth": 9, "tenth": 10, "hundredth": 100}
NAMES = "|".join((*sorted(SMALL, key=len, reverse=True), "hundred", *LARGE))
SPELLED = re.compile(
    rf"(?:(?P<minus>minus|negative)\s+)?(?P<words>(?:an?\s+(?=hundred|thousand|million))?(?:{NAMES})\b"
    rf"(?:(?:\s*,?\s+(?:and\s+)?|-)(?:{NAMES})\b){{0,12}})"
    rf"(?:(?P<half>\s+and\s+a\s+half\b)|[\s-]+(?P<part>{'|'.join(PARTS)})s?\b)?",
    re.IGNORECASE,
)
NO_NUMBER = re.compile(
    r"\s+(?:of|that|which|who|whose|must|can|could|where|you|we|i|more|thing|way|may|or|to)\b|\s*-\s*\w", re.IGNORECASE
)


def spelled(text: str) -> tuple[Fraction, str] | None:
    """The number a text begins with in words, and those words; "one of the …" is none."""
    match = SPELLED.match(text)
    if not match or NO_NUMBER.match(text, match.end()):
        return None
    total = group = 0
    for word in WORD.findall(match["words"].lower()):
        if word in SMALL:
            group += SMALL[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in LARGE:
            total, group = total + (group or 1) * LARGE[word], 0
    value = Fraction(total + group)
    if match["half"]:
        value += Fraction(1, 2)
    elif match["part"]:
        value /= PARTS[match["part"].lower()]
    return -value if match["minus"] else value, match.group()
