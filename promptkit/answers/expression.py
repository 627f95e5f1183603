"""The `expression` reader: an arithmetic expression, such as the solution of a Game of 24."""

from __future__ import annotations

import re

from promptkit.answers.marks import marks
from promptkit.answers.number import DENIED
from promptkit.answers.plain import CLOSE, OPEN, plain
from promptkit.answers.reading import Read, Reading
from promptkit.arithmetic import BadExpression, canonical, numbers_in

LEAD = re.compile(r"[\s*_:\"'>$\[-]*(?:(?:is|=|est|es|ist|step \d+:)\s*)*(?:\d{1,2}\.\s+(?=[\d(]))?", re.IGNORECASE)
SPAN = re.compile(r"[\d.+\-*/×÷·∗xX=()\[\] ]*")
LONGEST = 500


def read(text: str, options: tuple[str, ...] = ()) -> Read:
    """The expression a reply gives; a lone number is none."""
    text = plain(text)
    found = marks(text)
    for layers in (("hash", "phrase"), ("boxed",)):
        for mark in reversed(found):
            if (
                mark.layer in layers
                and not DENIED.match(mark.content)
                and (reading := _begins(mark.content, mark.layer))
            ):
                return reading
    for line in reversed(text.replace(OPEN, " ").replace(CLOSE, " ").splitlines()):
        if len(line) <= LONGEST and (reading := _begins(line, "last", whole=True)):
            return reading
    return None


def _begins(content: str, layer: str, *, whole: bool = False) -> Read:
    """The expression a line begins with, or wholly is, without the number it equals."""
    lead = LEAD.match(content)
    at = lead.end() if lead else 0
    span = SPAN.match(content, at)
    if not span:
        return None
    rest = content[span.end() :].strip(" *_.,;!\"'$")
    if (whole and rest) or re.search(r"=\s*[\d(]", rest) or rest[:1] in ("_", "'"):
        return None  # more sums follow: these are steps, not one expression
    for side in _sides(span.group().replace("[", "(").replace("]", ")")):
        try:
            if len(numbers_in(side)) > 1:
                return Reading(canonical(side), side, layer)
        except BadExpression:
            continue
    return None


def _sides(equation: str) -> list[str]:
    """The sides of an equation with at most one sign, without what belongs to the words behind them."""
    sides = equation.split("=")
    if len(sides) > 2:
        return []
    return [re.sub(r"(?:\s+[(xX]|\.|\s+[-*])+\s*$", "", side.strip()).strip() for side in sides]
