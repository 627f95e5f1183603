"""When a vote may end: what every stopping rule answers, and how rules are put to use after each batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from promptkit.algorithms.stopping.curtailment import next_batch, settled
from promptkit.algorithms.voting.tally import Tally, tally

Answers = Sequence[str | None]  # of the samples so far, in the order of their index; None: unread or failed

LOSSLESS = "the winner is that of all n samples"
ALL_IN = "the winner of all n samples"
SOMETHING_ELSE = "\0"  # stands for an answer that was not seen yet
_DEEPEST = 6  # samples ahead that are gone through: 3**6 ways


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to stop, and what holds if so. What is guaranteed is about the model's mode, never about the truth."""

    stop: bool
    reason: str  # one line for people
    answer: str | None = None  # of a vote that stopped; None: undecided
    guarantee: str = ""  # what is known of the answer
    batch: int = 0  # the fewest further samples after which it could stop; 0 once it has
    level: float | None = None  # what the rule measures …
    needed: float | None = None  # … and where it stops


class StoppingRule(Protocol):
    """A rule that ends a vote. It sees the samples by index, so batches of any size end it on the same answer."""

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        ...

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        ...

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        ...


def decide(rule: StoppingRule | None, answers: Answers, n: int, votes: Tally | None = None) -> Decision:
    """The rule's decision, else that of curtailment, which is always on, else to draw `batch` more.

    `votes` is the tally of another vote over the same samples, whose winner counts and is what must be settled.
    """
    votes = tally(answers) if votes is None else votes
    verdict = rule.check(answers, n) if rule else Decision(False, "")
    if verdict.stop:
        return verdict
    if settled(votes, n):
        left = n - len(answers)
        reason = (
            f"{left} more sample{'s' if left != 1 else ''} could not change the vote" if left else "all samples are in"
        )
        return replace(verdict, stop=True, reason=reason, answer=votes.winner, guarantee=LOSSLESS if left else ALL_IN)
    if len(answers) >= n:
        return replace(verdict, stop=True, reason="all samples are in", answer=votes.winner, guarantee=ALL_IN)
    ruled = rule.next_batch(answers, n) if rule else None
    batch = next_batch(votes, n)
    return replace(verdict, batch=batch if ruled is None else min(batch, ruled))


def batch_size(rule: StoppingRule | None, answers: Answers, n: int, widest: int = 4) -> int:
    """How many samples to draw next: the fewest after which the vote has ended with a chance of a half.

    Fewer than could end it are never worth a round, more than `widest` are drawn only for that reason. The chance is
    the posterior predictive one of a uniform prior over the two leading answers and everything else.
    """
    least = decide(rule, answers, n).batch
    most = min(widest, n - len(answers))
    counts = [*tally(answers).counts, (SOMETHING_ELSE, 0), (SOMETHING_ELSE * 2, 0)][:2]
    kinds: list[str | None] = [counts[0][0], counts[1][0], None]
    seen = (counts[0][1], counts[1][1], len(answers) - counts[0][1] - counts[1][1])

    def chance(drawn: tuple[int, ...], more: int) -> float:
        if not more:
            return float(decide(rule, [*answers, *(kinds[at] for at in drawn)], n).stop)
        total = len(answers) + len(drawn) + 3
        return sum(
            (seen[at] + drawn.count(at) + 1) / total * chance((*drawn, at), more - 1) for at in range(len(kinds))
        )

    for size in range(least, min(most, _DEEPEST)):
        if chance((), size) >= 0.5:
            return size
    return max(least, most)


def fewest(stops: Callable[[Answers], bool], answers: Answers, n: int, among: Sequence[str] = ()) -> int | None:
    """The fewest further equal answers after which a rule stops; None when n are too few.

    They are tried for each of `among`, or for the leading answer: a rule that looks at counts stops soonest with more
    of what already leads.
    """
    leader = tally(answers).counts[:1]
    candidates = among or ((leader[0][0],) if leader else (SOMETHING_ELSE,))
    for more in range(1, n - len(answers) + 1):
        if any(stops([*answers, *[candidate] * more]) for candidate in candidates):
            return more
    return None


def top_two(answers: Answers) -> tuple[str | None, int, int]:
    """The leading answer with its votes, and those of the second; None when two lead or nothing was read."""
    votes = tally(answers)
    first, second = [n for _, n in votes.counts[:2]] + [0] * (2 - len(votes.counts[:2]))
    return votes.winner, first, second
