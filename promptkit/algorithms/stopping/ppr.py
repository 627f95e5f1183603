"""Prior-posterior-ratio mode estimation (PPR-1v1, arXiv:2109.05047): certified when the possible answers are known."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

from promptkit.algorithms.stopping.rule import Answers, Decision, fewest
from promptkit.algorithms.voting.tally import tally
from promptkit.errors import BadInput


def ratio(first: int, second: int) -> Fraction:
    """Prior over posterior density at 1/2, Beta(1, 1) prior, exactly: B(first + 1, second + 1) 2^(first + second).

    A martingale if both are equally likely, so it ever reaches 1/d with probability at most d (Ville 1939).
    """
    n = first + second
    return Fraction(1 << n, (n + 1) * comb(n, first))


@dataclass(frozen=True, slots=True)
class PPR:
    """Stop when the leader beats the second at ratio (choices - 1)/delta; for questions with choices."""

    delta: float = 0.05
    choices: int = 2  # answers that are possible at all

    def __post_init__(self) -> None:
        error_of(self.delta)
        if self.choices < 2:
            raise BadInput(f"a vote needs at least 2 possible answers, not {self.choices}", hint="e.g. 4 for A to D")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return certificate(self.delta) + f", if no more than {self.choices} answers are possible"

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most; never once more answers came than are possible."""
        votes = tally(answers)
        first, second = ([count for _, count in votes.counts] + [0, 0])[:2]
        level, needed = ratio(first, second), (self.choices - 1) / Fraction(str(self.delta))
        possible = len(votes.counts) <= self.choices
        stop = votes.winner is not None and level >= needed and possible
        reason = f"{first} votes against {second}: ratio {float(level):.3g} of {float(needed):.3g}"
        if not possible:
            reason = f"{len(votes.counts)} answers came where {self.choices} are possible: nothing can be certified"
        answer = votes.winner if stop else None
        return Decision(stop, reason, answer, self.guarantee, level=float(level), needed=float(needed))

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        return fewest(lambda seen: self.check(seen, n).stop, answers, n)


def error_of(delta: float) -> float:
    """A probability of error, refused when it is none."""
    if not 0 < delta < 1:
        raise BadInput(f"the probability of error must be between 0 and 1, not {delta:g}", hint="e.g. 0.05")
    return delta


def certificate(delta: float) -> str:
    """What a certified rule guarantees, in one line."""
    return f"the model's most likely answer, wrong with probability at most {delta:g} (about the model, not the truth)"
