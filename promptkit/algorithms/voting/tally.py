"""What a vote came to (self-consistency, arXiv:2203.11171): counts, leader, ties, nothing dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum, isclose

from promptkit.algorithms.stats.intervals import wilson

_EQUAL = 1e-9  # sums of weights this near, relatively, are a tie and no lead


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of votes. `unread` samples voted for nothing but were cast; `failed` ones never came.

    Where votes do not weigh the same, `weights` decide and `counts` are the heads behind them. `aside` were kept out
    by the rule of the vote: too few steps, too little confidence, or nothing known to weigh them by.
    """

    counts: tuple[tuple[str, int], ...]  # best first; equal counts in the order they were first seen
    unread: int = 0
    failed: int = 0
    aside: int = 0
    weights: tuple[tuple[str, float], ...] = ()  # best first; empty: every vote weighs 1
    heaviest: float = 1.0  # the most that one further sample can add to an answer; inf where nothing bounds it

    @property
    def seen(self) -> int:
        """Samples counted, readable or not."""
        return sum(n for _, n in self.counts) + self.unread + self.failed + self.aside

    @property
    def standing(self) -> tuple[tuple[str, float], ...]:
        """Answers with what decides between them, best first: their weights, or else their counts."""
        return self.weights or self.counts

    @property
    def tied(self) -> tuple[str, ...]:
        """The answers that share the lead; one answer when there is no tie."""
        return tuple(answer for answer, n in self.standing if even(n, self.standing[0][1]))

    @property
    def winner(self) -> str | None:
        """The answer that is ahead; None when nothing was read or the lead is shared."""
        return self.standing[0][0] if len(self.tied) == 1 else None

    @property
    def lead(self) -> float:
        """Votes, or weight, between the first and the second answer."""
        top = [n for _, n in self.standing[:2]] + [0, 0]
        return top[0] - top[1]

    @property
    def share(self) -> float:
        """The leader's part of all samples, unread and failed ones included."""
        return self._part(self.standing[0][1]) if self.standing else 0.0

    @property
    def margin(self) -> float:
        """The lead as a part of all samples, unread and failed ones included."""
        return self._part(self.lead) if self.standing else 0.0

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The Wilson interval of the leader's part of all samples, by heads; (0, 1) without samples."""
        heads = dict(self.counts).get(self.standing[0][0], 0) if self.standing else 0
        return wilson(heads, self.seen, confidence)

    def _part(self, amount: float) -> float:
        if not self.weights:
            return amount / (self.seen - self.aside)
        total = fsum(weight for _, weight in self.weights)
        return amount / total * (self.seen - self.unread - self.failed) / self.seen if total else 0.0


def tally(answers: Iterable[str | None], failed: int = 0) -> Tally:
    """The tally of canonical answers; None is a reply that could not be read."""
    cast = list(answers)
    counts = Counter(answer for answer in cast if answer is not None)  # most_common keeps first-seen order
    return Tally(tuple(counts.most_common()), unread=cast.count(None), failed=failed)


def even(a: float, b: float) -> bool:
    """Whether two sums of weights are equal but for rounding."""
    return a == b or isclose(a, b, rel_tol=_EQUAL)
