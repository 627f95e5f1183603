"""The `final` reader: a free-text answer, compared without case, markup and spacing."""

from __future__ import annotations

import re
import unicodedata

from promptkit.answers.marks import in_comma_language, marks
from promptkit.answers.number import DENIED, whole
from promptkit.answers.numerals import convention
from promptkit.answers.plain import CLOSE, OPEN, plain
from promptkit.answers.reading import Read, Reading

DRESS = " \t\n*_`:>\"'«»“”$"
FULL_STOP = re.compile(r"(?<![A-Z]\.[A-Z])[.。।]+$")


def read(text: str, options: tuple[str, ...] = ()) -> Read:
    """What follows the last answer mark, else the last paragraph; only an empty reply gives nothing."""
    text = plain(text)
    decimal = convention(text, in_comma_language(text))
    for mark in reversed(marks(text)):
        shown = _undressed(mark.content)
        if shown and not DENIED.match(mark.content):
            return whole(shown, decimal, mark.layer) or _reading(shown, mark.layer)
    paragraphs = [
        found
        for part in re.split(r"\n[ ]*\n", text.replace(OPEN, "").replace(CLOSE, ""))
        if (found := _undressed(part))
    ]
    if not paragraphs:
        return None
    return whole(paragraphs[-1], decimal, "last") or _reading(paragraphs[-1], "last")


def _undressed(text: str) -> str:
    return FULL_STOP.sub("", text.strip(DRESS)).strip(DRESS)


def _reading(shown: str, layer: str) -> Read:
    answer = " ".join(unicodedata.normalize("NFKC", shown).casefold().split())
    return Reading(answer, shown, layer) if answer else None
