"""What two draws have in common, over all pairs of different draws: whether they are equal, how much they overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeVar

T = TypeVar("T")


def same(one: Hashable, other: Hashable) -> float:
    """1 for equal draws, else 0: its mean is the chance that two draws are the same."""
    return float(one == other)


def overlap(one: Counter[Any], other: Counter[Any]) -> float:
    """The part that two bags share (Dice 1945): 0 nothing, 1 all; two empty ones are equal."""
    whole = one.total() + other.total()
    return 2 * (one & other).total() / whole if whole else 1.0


def table(items: Sequence[T], likeness: Callable[[T, T], float]) -> dict[tuple[int, int], float]:
    """The likeness of each pair of different items, by their places."""
    return {(i, j): likeness(items[i], items[j]) for i, j in combinations(range(len(items)), 2)}


def mean_over_pairs(likenesses: Mapping[tuple[int, int], float], drawn: Sequence[int]) -> float | None:
    """The mean over all pairs of the items at those places; an item drawn twice is no pair with itself."""
    times = Counter(drawn)
    places = sorted(times)
    weight = total = 0.0
    for i, j in combinations(places, 2):
        both = times[i] * times[j]
        weight += both
        total += both * likenesses[i, j]
    return total / weight if weight else None
