"""Adaptive-Consistency's Dirichlet rule (arXiv:2305.11860, section 3): is the leader the mode, against all others?

The paper integrates by Monte Carlo. With whole counts the integral over the Gamma representation of the Dirichlet,
of f(t; v1+1) times the product of F(t; vj+1), is a sum of integers over powers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb

from promptkit.algorithms.stopping.beta import posterior_of
from promptkit.algorithms.stopping.rule import Answers, Decision, fewest
from promptkit.algorithms.voting.tally import tally
from promptkit.errors import BadInput


@lru_cache(maxsize=4096)
def largest(first: int, others: tuple[int, ...]) -> Fraction:
    """P(p1 is the largest) for p of Dirichlet(first + 1, others + 1), exactly.

    F(t; v+1) = 1 - e^-t S_v(t), S_v(t) the sum of t^i/i! up to v. `of_size[m]` holds the sum over all sets of m others
    of the product of their S_v, with t^k/k! as unit: integers throughout.
    """
    of_size: list[list[int]] = [[1]]
    for votes in others:
        grown = [_times(poly, votes) for poly in of_size]
        of_size = [_plus(a, b) for a, b in zip([*of_size, []], [[], *grown], strict=True)]
    total = Fraction(0)
    for m, poly in enumerate(of_size):
        base, degree = m + 1, first + len(poly)
        ways = sum(c * comb(first + k, k) * base ** (degree - first - k - 1) for k, c in enumerate(poly))
        total += Fraction((-1) ** m * ways, base**degree)
    return total


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """Stop when the leader is the model's most frequent answer with posterior probability theta; two answers: Beta."""

    theta: float = 0.95
    top: int = 5  # only so many of the largest counts are looked at

    def __post_init__(self) -> None:
        posterior_of(self.theta)
        if self.top < 2:
            raise BadInput(f"at least 2 answers must be compared, not {self.top}", hint="the paper's code takes 5")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return (
            f"the most frequent of the answers seen with posterior probability {self.theta:g} if looked at once; "
            "looked at after every batch it errs more often: no bound"
        )

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        votes = tally(answers)
        counts = [count for _, count in votes.counts[: self.top]] + [0, 0]
        seen = counts[: max(2, len(counts) - 2)]  # one answer is held against one that did not come
        level = largest(seen[0], tuple(seen[1:]))
        stop = votes.winner is not None and level >= self.theta
        reason = f"votes {', '.join(map(str, seen))}: posterior {float(level):.3f} of {self.theta:g}"
        answer = votes.winner if stop else None
        return Decision(stop, reason, answer, self.guarantee, level=float(level), needed=self.theta)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        return fewest(lambda seen: self.check(seen, n).stop, answers, n)


def _times(poly: list[int], votes: int) -> list[int]:
    """A polynomial in t^k/k! times S_votes: binomial convolution with ones."""
    return [
        sum(poly[i] * comb(k, i) for i in range(max(0, k - votes), min(k, len(poly) - 1) + 1))
        for k in range(len(poly) + votes)
    ]


def _plus(a: list[int], b: list[int]) -> list[int]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    return [x + y for x, y in zip(longer, shorter + [0] * (len(longer) - len(shorter)), strict=True)]
