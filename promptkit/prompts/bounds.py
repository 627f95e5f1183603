"""What rendering one template may take: characters, steps and time. A template is somebody's program.

Texts and lists grow by being put into each other, so what holds others is measured where it is made; loops, filters
and calls are counted; and a clock runs beside the count, for steps that are long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from itertools import chain
from typing import Any

OUTPUT_LIMIT = 1_000_000  # characters, of a text that is written and of one that is held
STEPS = 100_000  # of loops, filters and calls together; a long text counts as many
SECONDS = 5.0  # of this thread's own work: a busy machine refuses nothing
_AN_ITEM = 30  # characters that an item of a list weighs as much as
_A_STEP = 100  # characters that take as long as a step
_LARGEST = 10**100  # a whole number: x * x, sixty lines long, would be more digits than memory
_PRECISION = 15  # digits that round() may be asked for


class Meter:
    """What is left for one render."""

    def __init__(self) -> None:
        self._left = STEPS
        self._looked = STEPS
        self._end = time.thread_time() + SECONDS

    def spend(self, steps: int) -> None:
        """Take steps off what is left; ValueError when nothing is."""
        self._left -= steps
        if self._left < 0:
            raise ValueError(f"takes more than {STEPS:,} steps")
        if self._looked - self._left >= 64:
            self._looked = self._left
            if time.thread_time() > self._end:
                raise ValueError(f"takes longer than {SECONDS:g} seconds")


_meter: ContextVar[Meter | None] = ContextVar("promptkit_meter", default=None)


@contextmanager
def metered() -> Iterator[None]:
    """Count what the block takes."""
    token = _meter.set(Meter())
    try:
        yield
    finally:
        _meter.reset(token)


def spend(steps: int) -> None:
    """Take steps off what the surrounding metered() has left; without one, do nothing."""
    if meter := _meter.get():
        meter.spend(steps)


def measured(*values: Any) -> int:
    """What characters and items are in the values, all in all, in characters; ValueError when they are too many."""
    total, left = 0, list(values)
    while left:
        value = left.pop()
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, (list, tuple, set, frozenset)):
            total += _AN_ITEM * len(value)
            left += value if total <= OUTPUT_LIMIT else ()
        elif isinstance(value, Mapping):
            total += _AN_ITEM * len(value)
            left += chain.from_iterable(value.items()) if total <= OUTPUT_LIMIT else ()
        if total > OUTPUT_LIMIT:  # a list that holds itself twice, thirty times over, is never walked to its end
            raise ValueError(f"holds more than {OUTPUT_LIMIT:,} characters")
    return total


def held(value: Any) -> Any:
    """A list or mapping that a template has just written, unless it is too large."""
    spend(1 + measured(value) // _A_STEP)
    return value


def counted(values: Iterable[Any]) -> Iterator[Any]:
    """The values of a loop, each of which is a step."""
    for value in values:
        spend(1)
        yield value


def small(value: Any) -> Any:
    """The value, unless it is a number of too many digits: to divide two of them takes seconds, and is one step."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError("a number with too many digits")
    return value


def charged(does: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, its arguments measured and counted; a number that it gives is small()."""

    own = 1 if hasattr(does, "jinja_pass_arg") else 0  # the engine's: its context or environment

    @wraps(does)
    def charging(*values: Any, **named: Any) -> Any:
        spend(1 + measured(*values[own:], *named.values()) // _A_STEP)
        return small(does(*values, **named))

    return charging


def bounded(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces as they come, so that a template that grows without end is stopped, not stored."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > OUTPUT_LIMIT:
            raise ValueError(f"renders to more than {OUTPUT_LIMIT:,} characters")
        yield piece


def concat(pieces: Iterable[str]) -> str:
    """The pieces as one text of bounded length."""
    return "".join(bounded(pieces))


def join(values: Iterable[Any], between: str = "") -> str:
    """The values as text, one after the other, of bounded length."""
    pieces: list[str] = []
    total = 0
    for value in counted(values):
        measured(value)
        pieces.append(str(value))
        total += len(pieces[-1]) + len(between)
        if total > OUTPUT_LIMIT:
            raise ValueError(f"join gives more than {OUTPUT_LIMIT:,} characters")
    return between.join(pieces)


def total(values: Iterable[Any], start: float = 0) -> float:
    """The sum of numbers; lists would double with every line."""
    found = start
    for value in counted(values):
        if not isinstance(value, (int, float)):
            raise ValueError("sum is for numbers only")
        found = small(found + value)
    return found


def rounded(value: float, precision: int = 0) -> float:
    """The number with so many digits behind the point."""
    if not isinstance(precision, int) or abs(precision) > _PRECISION:
        raise ValueError(f"round takes at most {_PRECISION} digits")
    return float(round(value, precision))
