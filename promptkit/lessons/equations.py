"""Equations in a text, held against exact arithmetic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from promptkit.arithmetic import BadExpression, evaluate, show

_EQUATION = re.compile(
    r"(?<![\d.,])(\d+(?:\.\d+)?(?: *[-+*/] *\d+(?:\.\d+)?)+) *= *(-?\d+(?:/\d+|\.\d+)?)(?!\d|[.,/]\d)"
)


@dataclass(frozen=True, slots=True)
class Equation:
    """An expression, what a text says it is, and what it is."""

    expression: str
    stated: str
    claimed: Fraction  # the same as a number
    exact: Fraction

    @property
    def holds(self) -> bool:
        """Whether the text has it right."""
        return self.claimed == self.exact

    @property
    def mended(self) -> str:
        """The expression with what it is."""
        return f"{self.expression} = {show(self.exact)}"

    def __str__(self) -> str:
        return f"{self.expression} = {self.stated}"


def equations(text: str) -> list[Equation]:
    """The equations of a text, in order; what has no value (5 / 0), or is the end of more, is left out."""
    found = []
    for match in _EQUATION.finditer(text):
        if text[: match.start()].rstrip(" ")[-1:] in tuple("-+*/()"):
            continue
        try:
            found.append(Equation(match[1], match[2], Fraction(match[2]), evaluate(match[1])))
        except (BadExpression, ZeroDivisionError):
            continue
    return found
