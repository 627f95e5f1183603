"""Which tokens may be drawn at all: top-k (arXiv:1805.04833), top-p (arXiv:1904.09751), min-p (arXiv:2407.01082).

Each keeps a beginning of the order likeliest first. Of equally probable tokens those that were told first are kept,
and a cut that goes through such a tie says so. Several rules together are applied one after the other, each to what the
one before has left, renormalised: top-k, top-p, min-p, the order of llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from typing import Any

from promptkit.algorithms.decoding.distribution import EQUAL, WHOLE, Distribution, T, equal, renormalised


@dataclass(frozen=True, slots=True)
class Cut:
    """How many tokens a rule keeps; `tied` are those beyond it that are as probable as the last one kept."""

    kept: int
    tied: int = 0
    open: bool = False  # the rule would have kept tokens that nobody has told of


def top_k(distribution: Distribution[Any], k: int) -> Cut:
    """The k likeliest tokens; 0 keeps all, as everywhere in the field."""
    if k < 0:
        raise ValueError(f"top-k must be 0 or more, not {k}")
    many = len(distribution.tokens)
    if k == 0:
        return Cut(many, open=not distribution.whole)
    return _cut(distribution, min(k, many), open=k > many and not distribution.whole)


def top_p(distribution: Distribution[Any], p: float) -> Cut:
    """The fewest of the likeliest tokens that have a mass of p together, and never none."""
    if not 0 < p <= 1:
        raise ValueError(f"top-p must be above 0 and at most 1, not {p:g}")
    seen: list[float] = []
    for _, each in distribution.tokens:
        seen.append(each)
        if fsum(seen) >= p - EQUAL:
            return _cut(distribution, len(seen))
    return Cut(len(seen), open=fsum(seen) < p - WHOLE)


def min_p(distribution: Distribution[Any], p: float) -> Cut:
    """The tokens at least p times as probable as the likeliest; ties are never cut."""
    if not 0 <= p <= 1:
        raise ValueError(f"min-p must be between 0 and 1, not {p:g}")
    tokens = distribution.tokens
    least = p * tokens[0][1]
    kept = sum(each >= least or equal(each, least) for _, each in tokens)
    reached = tokens[-1][1]  # no token that was not told is likelier than the last one told
    return Cut(kept, open=kept == len(tokens) and not distribution.whole and reached > least)


def truncated(
    distribution: Distribution[T], *, k: int | None = None, p: float | None = None, m: float | None = None
) -> tuple[Distribution[T], dict[str, Cut]]:
    """What the rules leave, renormalised, and what each did; without any rule the distribution as it is."""
    rules: list[tuple[str, Callable[[Distribution[T]], Cut]]] = []
    if k is not None:
        rules.append(("top-k", lambda left: top_k(left, k)))
    if p is not None:
        rules.append(("top-p", lambda left: top_p(left, p)))
    if m is not None:
        rules.append(("min-p", lambda left: min_p(left, m)))
    cuts: dict[str, Cut] = {}
    for name, rule in rules:
        cuts[name] = cut = rule(distribution)
        if not (cut.open and cut.kept == len(distribution.tokens)):
            distribution = renormalised(distribution, cut.kept)
    return distribution, cuts


def _cut(distribution: Distribution[Any], kept: int, *, open: bool = False) -> Cut:
    last = distribution.tokens[kept - 1][1]
    return Cut(kept, sum(equal(last, p) for _, p in distribution.tokens[kept:]), open)
