"""So many things that each is made only when it is asked for: the million draws of a round that a cap ends at three."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar, overload

T = TypeVar("T")


class Lazy(Sequence[T]):
    """A sequence of what `make` gives for each of these numbers, made anew each time it is read."""

    __slots__ = ("_make", "_numbers")

    def __init__(self, numbers: range, make: Callable[[int], T]) -> None:
        self._numbers, self._make = numbers, make

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int, /) -> T: ...

    @overload
    def __getitem__(self, at: slice, /) -> Lazy[T]: ...

    def __getitem__(self, at: int | slice, /) -> T | Lazy[T]:
        if isinstance(at, slice):
            return Lazy(self._numbers[at], self._make)
        return self._make(self._numbers[at])


def joined(parts: Sequence[Sequence[T]]) -> Lazy[T]:
    """The things of all parts, one part after the other."""
    starts = [0, *accumulate(map(len, parts))]

    def thing(place: int) -> T:
        at = bisect_right(starts, place) - 1
        return parts[at][place - starts[at]]

    return Lazy(range(starts[-1]), thing)
