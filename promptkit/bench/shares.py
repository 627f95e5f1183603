"""Shares with their intervals as cells of a table, and differences of two as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from promptkit.algorithms.stats.paired import Difference, mean_interval, paired_difference

RIGHT = ("right %", "low %", "high %")  # the columns of share()


def share(per_item: Sequence[float]) -> tuple[float | None, float, float]:
    """The mean of what each item got, from 0 to 1, with its 95 % interval: items are resampled, or Wilson's."""
    return (fmean(per_item) if per_item else None), *mean_interval(per_item)


def compared(name: str, a: Sequence[float], b: Sequence[float]) -> str:
    """A sentence: a - b on the same items, in percentage points, with its 95 % interval and p."""
    return f"{name}: {points(paired_difference(a, b))}"


def points(gap: Difference) -> str:
    """A difference in percentage points, with its interval and p."""
    mean, low, high = (100 * part + 0.0 for part in (gap.mean, gap.low, gap.high))  # no "-0.0"
    return f"{mean:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}), {probability(gap.p)}"


def bounds(gap: Difference) -> str:
    """A difference in percentage points with its interval, for a cell: `+3.6 (2.2 to 5.3)`."""
    mean, low, high = (100 * part + 0.0 for part in (gap.mean, gap.low, gap.high))  # no "-0.0"
    return f"{mean:+.1f} ({low:.1f} to {high:.1f})"


def probability(p: float) -> str:
    """A p-value as papers write it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
