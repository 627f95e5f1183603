"""Whether a question is a word problem of the kind this package draws: cheap, by its form and its words.

A problem tells at least two numbers, in digits or as twice, half or a third, and then asks for one. Names of people
and things may be any; of the small words that carry such a story enough have to be there.
"""

from __future__ import annotations

import re

FEWEST_KNOWN = 0.35  # of the words, names and numbers aside

# The words of the generated stories without their names and things; a test holds the list to them.
KNOWN = frozenset(
    """
    a after all also among an and another are as at away before buy buys come costs day days do does dollars each end
    equally every fewer fifth fill fills finds for friend friends from get gets gives half hard has have her his
    hold holds home hour hours how in into is it later left less long loses many money month more much need needs new
    next now number of old on one packs pays people price puts quarter reads rest room row rows same saves school
    sells shares she he shop sold spends still table takes than that the them then there they third this times to
    together twice until wants way week weeks whole with work works year
    """.split()
)
_ASKED = re.compile(
    r"\bhow (?:many|much|far|long|old|high|tall|heavy|big)\b|"
    r"\bwhat (?:is|was) the (?:\w+ )?"
    r"(?:total|number|sum|cost|price|rest|weight|distance|height|age|length|change|area)\b|"
    r"\bwhat does (?:\w+ )+(?:pay|cost|earn|weigh)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,])\$?\d[\d,]*(?:\.\d+)?(?!\w)|\b(?:twice|half|third|quarter|fifth)\b")
_WORD = re.compile(r"[^\W\d_]+(?:'s)?")


def fault(question: str) -> str | None:
    """What speaks against its being such a problem, as half a sentence; None when nothing does."""
    asked = list(_ASKED.finditer(question))
    if not asked:
        return "this does not ask how many or how much"
    numbers = [match.start() for match in _NUMBER.finditer(question)]
    if len(numbers) < 2:
        return "this tells fewer than two numbers in digits"
    if sum(at < asked[-1].start() for at in numbers) < 1:
        return "this asks before it tells a number"
    words = [word.lower() for word in _WORD.findall(question)]
    known = sum(word in KNOWN for word in words)
    if known < FEWEST_KNOWN * len(words):
        return "most of the words of this are new to it"
    return None


def begins(text: str) -> bool:
    """Whether a text may be one of these problems as far as it goes, or is mostly numbers: it need not ask yet."""
    numbers = len(_NUMBER.findall(text))
    written = _WORD.findall(text)
    words = [word for word in written if word.islower() or word.lower() in KNOWN]  # without names
    known = sum(word.lower() in KNOWN for word in words)
    return numbers >= max(1, len(written)) or (numbers > 0 and known >= FEWEST_KNOWN * max(1, len(words)))
