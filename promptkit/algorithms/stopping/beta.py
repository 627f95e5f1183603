"""Adaptive-Consistency's Beta rule (arXiv:2305.11860, section 3): is the leader likelier than the second answer?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb

from promptkit.algorithms.stopping.rule import Answers, Decision, fewest, top_two
from promptkit.errors import BadInput


@lru_cache(maxsize=4096)
def above_half(first: int, second: int) -> Fraction:
    """P(p > 1/2) for p of Beta(first + 1, second + 1), exactly: 1 - I_1/2, the regularised incomplete beta."""
    n = first + second + 1
    return Fraction(sum(comb(n, i) for i in range(first + 1)), 1 << n)


@dataclass(frozen=True, slots=True)
class Beta:
    """Stop when the leader is the more frequent of the first two with posterior probability theta."""

    theta: float = 0.95

    def __post_init__(self) -> None:
        posterior_of(self.theta)

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return (
            f"more frequent than the second answer with posterior probability {self.theta:g} if looked at once; "
            "looked at after every batch it errs more often: no bound"
        )

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        leader, first, second = top_two(answers)
        level = above_half(first, second) if leader is not None else Fraction(1, 2)
        stop = leader is not None and level >= self.theta
        reason = f"{first} votes against {second}: posterior {float(level):.3f} of {self.theta:g}"
        return Decision(stop, reason, leader if stop else None, self.guarantee, level=float(level), needed=self.theta)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        return fewest(lambda seen: self.check(seen, n).stop, answers, n)


def posterior_of(theta: float) -> float:
    """A posterior probability to stop at, refused when no vote could mean it."""
    if not 0.5 < theta < 1:
        raise BadInput(f"the posterior to stop at must be above 0.5 and below 1, not {theta:g}", hint="e.g. 0.95")
    return theta
