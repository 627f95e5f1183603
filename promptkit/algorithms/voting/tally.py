"""Majority vote over answers (self-consistency, arXiv:2203.11171): counts, leader, ties, nothing dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of votes. `unread` samples voted for nothing but were cast; `failed` ones never came."""

    counts: tuple[tuple[str, int], ...]  # best first; equal counts in the order they were first seen
    unread: int = 0
    failed: int = 0

    @property
    def seen(self) -> int:
        """Samples counted, readable or not."""
        return sum(n for _, n in self.counts) + self.unread + self.failed

    @property
    def tied(self) -> tuple[str, ...]:
        """The answers that share the most votes; one answer when there is no tie."""
        return tuple(answer for answer, n in self.counts if n == self.counts[0][1])

    @property
    def winner(self) -> str | None:
        """The answer with the most votes; None when nothing was read or the lead is shared."""
        return self.counts[0][0] if len(self.tied) == 1 else None

    @property
    def lead(self) -> int:
        """Votes between the first and the second answer."""
        top = [n for _, n in self.counts[:2]] + [0, 0]
        return top[0] - top[1]

    @property
    def share(self) -> float:
        """The leader's part of all samples, unread and failed ones included."""
        return self.counts[0][1] / self.seen if self.counts else 0.0


def tally(answers: Iterable[str | None], failed: int = 0) -> Tally:
    """The tally of canonical answers; None is a reply that could not be read."""
    cast = list(answers)
    counts = Counter(answer for answer in cast if answer is not None)  # most_common keeps first-seen order
    return Tally(tuple(counts.most_common()), unread=cast.count(None), failed=failed)
