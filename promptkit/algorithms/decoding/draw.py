"""A token drawn by a number between 0 and 1: the one whose stretch of the cumulative probabilities holds it."""

from __future__ import annotations

from math import fsum

from promptkit.algorithms.decoding.distribution import Distribution, T


def drawn(distribution: Distribution[T], number: float) -> T:
    """The token at that place of the mass that is told, likeliest tokens first; 0 gives the likeliest."""
    if not 0 <= number < 1:
        raise ValueError(f"a draw is at least 0 and below 1, not {number:g}")
    place = number * fsum(p for _, p in distribution.tokens)
    reached = 0.0
    for token, p in distribution.tokens:
        reached += p
        if place < reached:
            return token
    return next(token for token, p in reversed(distribution.tokens) if p > 0)  # rounding
