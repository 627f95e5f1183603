"""Entropy in bits (Shannon 1948): how open the next token is. A fair coin has 1, a certainty 0."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, log2
from typing import Any

from promptkit.algorithms.decoding.distribution import Distribution


def entropy(probabilities: Iterable[float]) -> float:
    """Of probabilities that add up to 1, in bits."""
    return max(0.0, -fsum(p * log2(p) for p in probabilities if p > 0))


def least_entropy(distribution: Distribution[Any]) -> float:
    """The entropy in bits, at least: no token that is not told is likelier than the last one told; exact if `whole`."""
    told = -fsum(p * log2(p) for _, p in distribution.tokens if p > 0)
    if distribution.whole:
        return max(0.0, told)
    last = distribution.tokens[-1][1]
    most = min(last, distribution.rest) if last > 0 else distribution.rest
    return max(0.0, told - distribution.rest * log2(most))


def effective(bits: float) -> float:
    """How many equally likely tokens would be as open: two to the entropy."""
    return float(2**bits)
