"""What could come next: tokens with their probabilities, and how much of the mass nobody has told of."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import fsum, isfinite
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

WHOLE = 1e-6  # a rest below this is rounding: llama.cpp adds its shares up in single precision
EQUAL = 1e-9  # probabilities are equal within this part of themselves


@dataclass(frozen=True, slots=True)
class Distribution(Generic[T]):
    """Tokens and their probabilities, likeliest first; `rest` is the mass of the tokens that are not among them."""

    tokens: tuple[tuple[T, float], ...]
    rest: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether every token that can come is among them."""
        return self.rest < WHOLE


def ordered(told: Iterable[tuple[T, float]]) -> Distribution[T]:
    """The distribution of what is told, as it is told: equal probabilities stay in that order; ValueError if none."""
    tokens = sorted(told, key=lambda each: -each[1])
    mass = fsum(p for _, p in tokens)
    if not tokens or not all(isfinite(p) and p >= 0 for _, p in tokens) or not tokens[0][1]:
        raise ValueError("a distribution needs tokens with finite probabilities of 0 or more, one of them above 0")
    if mass > 1 + 1e-3:
        raise ValueError(f"the probabilities add up to {mass:g}")
    return Distribution(tuple(tokens), max(0.0, 1.0 - mass))


def renormalised(distribution: Distribution[T], kept: int) -> Distribution[T]:
    """The first `kept` tokens alone, their probabilities adding up to 1."""
    first = distribution.tokens[:kept]
    mass = fsum(p for _, p in first)
    if mass <= 0:
        raise ValueError("nothing is left of the distribution")
    return Distribution(tuple((token, p / mass) for token, p in first))


def equal(one: float, other: float) -> bool:
    """Whether two probabilities are the same but for rounding."""
    return abs(one - other) <= EQUAL * max(abs(one), abs(other))


def tied(distribution: Distribution[T], place: int) -> tuple[T, ...]:
    """The tokens as probable as the one at that place, itself among them; one alone is no tie."""
    p = distribution.tokens[place][1]
    return tuple(token for token, other in distribution.tokens if equal(p, other))
