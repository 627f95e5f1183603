"""Adaptive-Consistency's simple rules (arXiv:2305.11860, section 3): the leader's share, the votes' entropy."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from promptkit.algorithms.stopping.rule import Answers, Decision, fewest
from promptkit.algorithms.voting.tally import tally
from promptkit.errors import BadInput

_FEWEST = 2  # samples: a single one always agrees with itself


@dataclass(frozen=True, slots=True)
class MajorityShare:
    """Stop when the leader has this part of all samples, unread ones included, from the second sample on."""

    share: float = 0.8

    def __post_init__(self) -> None:
        if not 0.5 < self.share <= 1:
            raise BadInput(f"the share to stop at must be above 0.5 and at most 1, not {self.share:g}", hint="e.g. 0.8")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return f"{self.share:g} of the samples so far; how often that errs depends on the model: no bound"

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        votes = tally(answers)
        stop = len(answers) >= _FEWEST and votes.winner is not None and votes.share >= self.share
        reason = f"the leader has {votes.share:.2f} of the samples, of {self.share:g}"
        answer = votes.winner if stop else None
        return Decision(stop, reason, answer, self.guarantee, level=votes.share, needed=self.share)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        return fewest(lambda seen: self.check(seen, n).stop, answers, n)


@dataclass(frozen=True, slots=True)
class Entropy:
    """Stop when the votes' entropy is this part of the largest possible; one answer is held against one more vote."""

    most: float = 0.75

    def __post_init__(self) -> None:
        if not 0 < self.most < 1:
            raise BadInput(f"the entropy to stop at must be between 0 and 1, not {self.most:g}", hint="e.g. 0.75")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return f"normalised entropy {self.most:g}; how often that errs depends on the model: no bound"

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        votes = tally(answers)
        level = _entropy([count for _, count in votes.counts])
        stop = len(answers) >= _FEWEST and votes.winner is not None and level <= self.most
        answer = votes.winner if stop else None
        alone = "entropy 0; against one vote for something else, " if len(votes.counts) == 1 else ""
        reason = f"{alone}normalised entropy {level:.2f} of {self.most:g}"
        return Decision(stop, reason, answer, self.guarantee, level=level, needed=self.most)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        return fewest(lambda seen: self.check(seen, n).stop, answers, n)


def _entropy(counts: list[int]) -> float:
    counts = [*counts, *[1] * (2 - len(counts))]
    total = sum(counts)
    return -sum(c / total * log2(c / total) for c in counts) / log2(len(counts))
