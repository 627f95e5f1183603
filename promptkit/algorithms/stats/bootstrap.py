"""How far a statistic of n draws may be off, by resampling them (Efron 1979).

Resampling repeats draws, and repeated draws look alike by that alone: a measure of diversity comes out lower for every
resample than it is. Only the spread of the resamples is used, about the estimate itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from statistics import fmean

RESAMPLES = 1_000


def interval(
    statistic: Callable[[Sequence[int]], float | None],
    n: int,
    *,
    within: tuple[float, float] = (0.0, 1.0),
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float] | None:
    """The interval of a statistic of the draws at given places; None where all resamples agree: they know no more."""
    estimate = statistic(range(n)) if n else None
    if estimate is None:
        return None
    rng = random.Random(seed)
    drawn = [got for _ in range(RESAMPLES) if (got := statistic(rng.choices(range(n), k=n))) is not None]
    if not drawn or max(drawn) - min(drawn) < 1e-12:
        return None
    drawn.sort()
    centre, cut, last = fmean(drawn), (1 - confidence) / 2, len(drawn) - 1
    low = estimate + drawn[round(cut * last)] - centre
    high = estimate + drawn[round((1 - cut) * last)] - centre
    return max(within[0], min(low, estimate)), min(within[1], max(high, estimate))
