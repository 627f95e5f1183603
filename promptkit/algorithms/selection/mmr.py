"""Maximal marginal relevance: what fits and is unlike what was chosen before (Carbonell and Goldstein 1998)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

LAMBDA = 0.5  # 1: the fit alone; 0: the unlikeness alone


def mmr(relevance: Sequence[float], likeness: Callable[[int, int], float], n: int, weight: float = LAMBDA) -> list[int]:
    """n places, best first, each the largest weight·relevance − (1 − weight)·(likeness to the likest chosen one).

    Relevance and likeness should be of one scale, such as cosines. Of equal ones the first is taken.
    """
    left = list(range(len(relevance)))
    nearest = [0.0] * len(relevance)  # likeness to the likest of those chosen; nothing is chosen yet
    chosen: list[int] = []
    while left and len(chosen) < n:
        best = max(left, key=lambda i: (weight * relevance[i] - (1 - weight) * nearest[i], -i))
        left.remove(best)
        for i in left:
            alike = likeness(i, best)
            nearest[i] = max(nearest[i], alike) if chosen else alike
        chosen.append(best)
    return chosen
