"""What is believed of an arm's mean reward, and draws from it: for Thompson sampling (AB-MCTS, arXiv:2503.04412)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import inf, sqrt
from typing import Protocol


@dataclass(slots=True)
class Seen:
    """The rewards of an arm, as far as a posterior asks for them; kept as they come (Welford 1962)."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0  # squared distances from the mean, added up
    low: float = inf
    high: float = -inf

    def add(self, reward: float) -> None:
        """One reward more."""
        self.n += 1
        gap = reward - self.mean
        self.mean += gap / self.n
        self.squares += gap * (reward - self.mean)
        self.low, self.high = min(self.low, reward), max(self.high, reward)


class Posterior(Protocol):
    """A family of distributions of an arm's mean reward."""

    def draw(self, seen: Seen, rng: random.Random, /) -> float:
        """A draw of the mean, after these rewards were seen."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Normal rewards of unknown mean and variance: the normal-inverse-χ² prior, with the paper's defaults."""

    m: float = 0.0  # prior mean …
    kappa: float = 1.0  # … worth so many rewards
    nu: float = 1.0  # prior degrees of freedom of the variance …
    tau2: float = 0.1  # … and its scale

    def parameters(self, seen: Seen) -> tuple[float, float, float, float]:
        """m, κ, ν and τ² after these rewards."""
        kappa, nu = self.kappa + seen.n, self.nu + seen.n
        pull = seen.n * self.kappa * (self.m - seen.mean) ** 2 / kappa
        mean = (self.kappa * self.m + seen.n * seen.mean) / kappa
        return mean, kappa, nu, (self.nu * self.tau2 + seen.squares + pull) / nu

    def draw(self, seen: Seen, rng: random.Random, /) -> float:
        """A draw of the mean: σ² from its inverse gamma, then the mean given σ²."""
        mean, kappa, nu, tau2 = self.parameters(seen)
        variance = (nu * tau2 / 2) / max(rng.gammavariate(nu / 2, 1.0), 1e-12)
        return rng.gauss(mean, sqrt(variance / kappa))


@dataclass(frozen=True, slots=True)
class Beta:
    """Rewards from 0 to 1; the default is Jeffreys' prior."""

    a: float = 0.5
    b: float = 0.5

    def draw(self, seen: Seen, rng: random.Random, /) -> float:
        """A draw of the mean; ValueError for a reward outside 0 to 1."""
        if seen.n and not 0 <= seen.low <= seen.high <= 1:
            raise ValueError("the beta posterior takes rewards from 0 to 1: scale them, or use the gaussian one")
        good = min(seen.n * seen.mean, float(seen.n))
        return rng.betavariate(self.a + good, self.b + seen.n - good)
