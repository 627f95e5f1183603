"""The `boxed` reader: the content of the last \\boxed{} whose braces balance."""

from __future__ import annotations

from promptkit.answers.marks import in_comma_language
from promptkit.answers.number import whole
from promptkit.answers.numerals import convention
from promptkit.answers.plain import boxes, delatex, fold, plain
from promptkit.answers.reading import Read, Reading


def read(text: str, options: tuple[str, ...] = ()) -> Read:
    """The last box; a number in it reads as `number` reads it."""
    found = [content for content in boxes(fold(text)) if content.strip()]
    if not found:
        return None
    shown = found[-1].strip()
    if inner := boxes(shown):
        shown = inner[-1].strip() or shown
    bare = plain(text)
    reading = whole(shown if "\\" not in shown else delatex(shown), convention(bare, in_comma_language(bare)), "boxed")
    if reading:
        return reading
    dressed = shown.replace("\\{", "\ue002").replace("\\}", "\ue003")  # the braces of a set are part of it
    answer = " ".join(delatex(dressed).replace("$", "").split()).replace("\ue002", "\\{").replace("\ue003", "\\}")
    return Reading(answer, shown, "boxed") if answer else None
