"""What measurements on the same items show: differences, shares over several seeds, and how well scores part two kinds.

Items are resampled, never runs: several seeds on one item are one measurement of it, more exact than a single one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean

from promptkit.algorithms.stats.intervals import wilson

RESAMPLES = 5_000
FEW = 10  # items below which resampling them is too sure: a bootstrap of six knows nothing beyond the six
_FLIPS = 10_000  # drawn where the signs cannot be gone through
_FINEST = 60  # the largest denominator of per-item means that are taken as fractions: up to 60 seeds


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with its interval; `p` is two-sided, for no difference at all."""

    mean: float
    low: float
    high: float
    p: float


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p (McNemar 1947, by the binomial) of items that only a, or only b, got right."""
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    return min(1.0, 2 * sum(comb(n, k) for k in range(fewer + 1)) / (1 << n))


def paired_difference(a: Sequence[float], b: Sequence[float], confidence: float = 0.95, seed: int = 0) -> Difference:
    """a - b of shares on the same items: percentile bootstrap (Efron 1979), Wilson's for few; p by flipping signs."""
    gaps = [x - y for x, y in zip(a, b, strict=True)]
    if not gaps:
        return Difference(0.0, -1.0, 1.0, 1.0)
    low, high = _interval_of_mean(gaps, -1.0, confidence, seed)
    return Difference(fmean(gaps), low, high, _sign_flips(gaps, seed))


def mean_interval(per_item: Sequence[float], confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The interval of a mean share: bootstrap over items (Efron 1979), Wilson's for 0 and 1 and for fewer than FEW."""
    if all(share in (0, 1) for share in per_item):
        return wilson(round(sum(per_item)), len(per_item), confidence)
    return _interval_of_mean(per_item, 0.0, confidence, seed)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive scores above a negative, ties half (Mann and Whitney 1947); 0.5 without data."""
    if not positive or not negative:
        return 0.5
    ranks = {score: rank for rank, score in enumerate(sorted({*positive, *negative}))}
    return _auc([ranks[score] for score in positive], [ranks[score] for score in negative], len(ranks))


def auc_interval(
    positive: Sequence[float], negative: Sequence[float], confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval of auc(): percentile bootstrap within both kinds (Efron 1979); (0, 1) without data."""
    if not positive or not negative:
        return 0.0, 1.0
    ranks = {score: rank for rank, score in enumerate(sorted({*positive, *negative}))}
    ups, downs = [ranks[score] for score in positive], [ranks[score] for score in negative]
    rng = random.Random(seed)
    drawn = [_auc(rng.choices(ups, k=len(ups)), rng.choices(downs, k=len(downs)), len(ranks)) for _ in range(RESAMPLES)]
    return _percentiles(drawn, confidence)


def _auc(ups: Sequence[int], downs: Sequence[int], ranks: int) -> float:
    above, below, wins = Counter(ups), Counter(downs), 0.0
    beaten = 0  # negatives of lower rank
    for rank in range(ranks):
        wins += above[rank] * (beaten + below[rank] / 2)
        beaten += below[rank]
    return wins / (len(ups) * len(downs))


def _interval_of_mean(items: Sequence[float], lowest: float, confidence: float, seed: int) -> tuple[float, float]:
    """For items from `lowest` to 1. Resampling items that are all alike would be certain of what it has not seen."""
    if len(set(items)) == 1:
        others = wilson(0, len(items), confidence)[
            1
        ]  # the largest part that might be unlike them, and nobody knows how
        return items[0] - others * (items[0] - lowest), items[0] + others * (1 - items[0])
    if len(items) < FEW:  # of all that lies between the same bounds with the same mean, 0 and 1 vary most
        low, high = wilson(sum((item - lowest) / (1 - lowest) for item in items), len(items), confidence)
        return lowest + low * (1 - lowest), lowest + high * (1 - lowest)
    rng = random.Random(seed)
    return _percentiles([fmean(rng.choices(items, k=len(items))) for _ in range(RESAMPLES)], confidence)


def _percentiles(drawn: list[float], confidence: float) -> tuple[float, float]:
    drawn.sort()
    cut = (1 - confidence) / 2
    last = len(drawn) - 1
    return drawn[round(cut * last)], drawn[round((1 - cut) * last)]


def _sign_flips(gaps: Sequence[float], seed: int) -> float:
    """How often flipped signs (Fisher 1935) give a sum as far from 0: exact for means of few seeds, else drawn."""
    told = [gap for gap in gaps if abs(gap) > 1e-12]
    whole = _as_integers(told)
    if whole is None:
        rng, seen = random.Random(seed), abs(sum(told))
        sizes = [abs(gap) for gap in told]
        far = sum(abs(_flipped(sizes, rng.getrandbits(len(sizes)))) >= seen - 1e-9 for _ in range(_FLIPS))
        return (far + 1) / (_FLIPS + 1)
    ways = {0: 1}  # sum -> how many of the sign patterns give it
    for size in whole:
        more: dict[int, int] = {}
        for total, count in ways.items():
            more[total + size] = more.get(total + size, 0) + count
            more[total - size] = more.get(total - size, 0) + count
        ways = more
    seen_sum = abs(sum(whole))
    return sum(count for total, count in ways.items() if abs(total) >= seen_sum) / (1 << len(whole))


def _flipped(sizes: Sequence[float], signs: int) -> float:
    return sum(size if signs >> at & 1 else -size for at, size in enumerate(sizes))


def _as_integers(gaps: Sequence[float]) -> list[int] | None:
    """The gaps times the smallest factor that makes all of them whole; None when there is none."""
    for factor in range(1, _FINEST + 1):
        if all(abs(gap * factor - round(gap * factor)) < 1e-9 for gap in gaps):
            return [round(gap * factor) for gap in gaps]
    return None
