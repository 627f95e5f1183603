"""Certified stopping with answers nobody knows in advance: a pilot picks a target, fresh samples give the evidence.

After CITE (arXiv:2605.05873) and the majority certificates of arXiv:2510.17472. Every test is one of "the target is no
likelier than answer j"; the target is certified when all are rejected at once, so the one that is true must be, and an
e-process rejects it at any time with probability at most delta (Ville 1939).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import comb

from promptkit.algorithms.stopping.ppr import certificate, error_of
from promptkit.algorithms.stopping.rule import SOMETHING_ELSE, Answers, Decision
from promptkit.errors import BadInput

Counts = tuple[tuple[str, int], ...]


@lru_cache(maxsize=4096)
def evidence(target: int, other: int) -> Fraction:
    """The e-value against "the target is no likelier than the other", uniform mixture over shares above 1/2, exactly.

    It is 2 (1 - I_1/2(target + 1, other + 1)) B(target + 1, other + 1) 2^(target + other).
    """
    n = target + other
    return Fraction(sum(comb(n + 1, i) for i in range(target + 1)), (n + 1) * comb(n, target))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the certification has come; votes of a round are those after it began."""

    votes: Counts = ()  # of all samples, in the order first seen
    target: str | None = None  # None: the pilot goes on
    round: int = 0
    fresh: Counts = ()  # of this round
    certified: bool = False

    def against(self) -> tuple[int, int]:
        """The votes of this round for the target and for the strongest other answer."""
        mine = dict(self.fresh).get(self.target or "", 0)
        return mine, max((n for answer, n in self.fresh if answer != self.target), default=0)


@dataclass(frozen=True, slots=True)
class Certified:
    """Stop when the target is certified to be the mode; another answer that takes the lead becomes the target.

    Round r has the error delta/2^r, so that all rounds together err with probability at most delta.
    """

    delta: float = 0.05
    pilot: int = 3  # readable samples that pick the first target, and are no evidence for it

    def __post_init__(self) -> None:
        error_of(self.delta)
        if self.pilot < 1:
            raise BadInput(f"the pilot needs at least 1 sample, not {self.pilot}", hint="e.g. 3")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return certificate(self.delta)

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        now = self.progress(answers)
        if now.target is None:
            reason = f"the pilot needs {self.pilot} readable samples"
            return Decision(False, reason, None, self.guarantee, level=0.0, needed=float(self.needed(1)))
        mine, other = now.against()
        level, needed = evidence(mine, other), self.needed(now.round)
        reason = f"round {now.round}, {mine} votes against {other}: evidence {float(level):.3g} of {float(needed):.3g}"
        answer = now.target if now.certified else None
        return Decision(now.certified, reason, answer, self.guarantee, level=float(level), needed=float(needed))

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        now = self.progress(answers)
        return 0 if now.certified else self._fewest(now, n - len(answers))

    def progress(self, answers: Answers) -> Progress:
        """How far it has come; the first certificate stands, later samples do not take it back."""
        now = Progress()
        for answer in answers:
            now = self.step(now, answer)
        return now

    def step(self, now: Progress, answer: str | None) -> Progress:
        """One sample further. What could not be read is evidence for nothing."""
        if answer is None or now.certified:
            return now
        now = replace(now, votes=_plus(now.votes, answer))
        if now.target is None:
            if sum(n for _, n in now.votes) < self.pilot:
                return now
            first = max(now.votes, key=lambda pair: pair[1])  # of equals the first seen: any target is as valid
            return replace(now, target=first[0], round=1)
        now = replace(now, fresh=_plus(now.fresh, answer))
        if evidence(*now.against()) >= self.needed(now.round):
            return replace(now, certified=True)
        votes = dict(now.votes)
        if votes[answer] > votes[now.target or ""]:
            return replace(now, target=answer, round=now.round + 1, fresh=())
        return now

    def needed(self, round: int) -> Fraction:
        """The evidence that certifies in a round."""
        return (1 << round) / Fraction(str(self.delta))

    def _fewest(self, now: Progress, left: int) -> int | None:
        """By equal answers: for the target, or for the one that could soonest take the lead and be certified then."""
        if now.target is None:
            pilot = self.pilot - sum(n for _, n in now.votes)
            ahead = [self._after(now, answer, pilot) for answer in dict([*now.votes, (SOMETHING_ELSE, 0)])]
            found = [pilot + more for each in ahead if (more := self._fewest(each, left - pilot)) is not None]
            return min(found, default=None)
        votes, (mine, other) = dict(now.votes), now.against()
        overtaken = votes.pop(now.target) - max(votes.values(), default=0) + 1
        ends = (
            self._enough(mine, other, now.round, left),
            overtaken + self._enough(0, 0, now.round + 1, left - overtaken),
        )
        return min(ends) if min(ends) <= left else None

    def _enough(self, mine: int, other: int, round: int, left: int) -> int:
        """How many votes more certify in a round; more than are left when none do."""
        enough = (more for more in range(1, left + 1) if evidence(mine + more, other) >= self.needed(round))
        return next(enough, max(0, left) + 1)

    def _after(self, now: Progress, answer: str, more: int) -> Progress:
        for _ in range(more):
            now = self.step(now, answer)
        return now


def _plus(counts: Counts, answer: str) -> Counts:
    if any(seen == answer for seen, _ in counts):
        return tuple((seen, n + (seen == answer)) for seen, n in counts)
    return (*counts, (answer, 1))
