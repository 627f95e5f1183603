"""Samples drawn until a vote has ended: by its stopping rule, or because no further sample could change it.

A vote is a vote, as in the papers, whether its answers are right or wrong. Only a tie among answers of another
strategy, of which a program found some right, goes to the first of those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promptkit.algorithms.stopping.curtailment import settled
from promptkit.algorithms.stopping.rule import Decision, StoppingRule, batch_size, decide
from promptkit.algorithms.voting.tally import Tally
from promptkit.balloting.count import Count
from promptkit.balloting.leader import Leader
from promptkit.balloting.sampled import Sampled, Source, kept
from promptkit.balloting.stops import BATCH
from promptkit.events import Best, Stopped, VotesCounted, emit
from promptkit.exchange import verified
from promptkit.types import Outcome, Problem, World

Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """How a vote ended."""

    answer: str | None  # canonical; None: undecided
    shown: str | None  # as the first sample wrote it
    text: str
    votes: Tally
    verdict: Decision
    ruled: bool  # whether a stopping rule ended it, not that all was settled
    checked: tuple[str, ...] = ()  # tied answers that a program found right, which decided it; the winner first

    @property
    def share(self) -> float:
        """The answer's part of all samples, or of all weight."""
        if self.answer is None or self.answer == self.votes.winner:
            return self.votes.share
        lead = self.votes.standing[0][1]
        return self.votes.share * dict(self.votes.standing).get(self.answer, 0) / lead if lead else 0.0


class Drawing:
    """One vote: rounds of samples, each told as it comes in."""

    def __init__(self, count: Count, n: int, stop: StoppingRule | None = None, batch: int | None = None) -> None:
        self._count, self._n, self._stop = count, n, stop
        self._batch = batch or (BATCH if stop else 0)
        self._leader = Leader()

    async def drawn(self, source: Source, quorum: float) -> Result:
        """The result; QuorumLost when too many samples failed, the error itself when all did."""
        count = self._count
        while True:
            votes = count.votes
            verdict = self._verdict(votes)
            if verdict.stop:
                return self._ended(votes, verdict)
            seen = len(count.came)
            fresh = await source.draw(range(seen, seen + self._wide(votes, verdict)), self._take)
            kept(count.came, quorum)
            await count.complete(fresh)
            if count.asks:
                self._tell(count.votes)

    def _verdict(self, votes: Tally) -> Decision:
        return decide(self._stop, self._count.answers, self._n, votes)

    def _wide(self, votes: Tally, verdict: Decision) -> int:
        """How many samples to draw now."""
        by_heads = self._batch and not votes.weights and votes.heaviest == 1
        wide = batch_size(self._stop, self._count.answers, self._n, self._batch) if by_heads else 0
        return min(max(verdict.batch, wide), self._n - len(self._count.came))

    def _take(self, got: Sampled) -> None:
        self._count.take(got)
        self._tell(self._count.passing, passing=self._count.asks)

    def _tell(self, votes: Tally, *, passing: bool = False, ended: bool = False) -> None:
        """The tally, and the leader when there is one."""
        count = self._count
        n = self._n if passing else count.voters(self._n)
        emit(
            VotesCounted(
                self._named(votes),
                votes.seen,
                n,
                votes.unread,
                votes.failed,
                not passing and settled(votes, n),
                votes.aside,
                tuple((count.shown(key), round(weight, 4)) for key, weight in votes.weights),
                ended,
            )
        )
        if not ended:
            self._best(votes.winner, votes.share)

    def _best(self, key: str | None, score: float) -> None:
        count = self._count
        self._leader.told(None if key is None else Best(count.shown(key), score=score, text=count.text(key)))

    def _right(self, tied: Sequence[str]) -> tuple[str, ...]:
        """Those of the tied answers that a program found right in the strategy they come from."""
        right = {got.answer.key for got in self._count.came if got.right and got.answer}
        return tuple(key for key in tied if key in right)

    def _ended(self, votes: Tally, verdict: Decision) -> Result:
        count, left = self._count, self._n - len(self._count.came)
        ruled = self._stop is not None and self._stop.check(count.answers, self._n).stop
        checked = self._right(votes.tied) if verdict.answer is None and not ruled else ()
        if checked:
            verdict = replace(verdict, answer=checked[0], reason="of the tied answers a program found it right")
            self._leader.told(Best(count.shown(checked[0]), text=count.text(checked[0]), verified=True))
        shown = None if verdict.answer is None else count.shown(verdict.answer)
        text = "" if verdict.answer is None else count.text(verdict.answer)
        result = Result(verdict.answer, shown, text, votes, verdict, ruled, checked)
        if left:
            emit(Stopped(verdict.reason))
        if ruled:
            self._tell(votes, ended=True)
            if verdict.answer != votes.winner:  # a rule may decide otherwise than the count so far
                self._best(verdict.answer, result.share)
        return result

    def _named(self, votes: Tally) -> Counts:
        """Answers as they were written, with their heads, best first."""
        heads = dict(votes.counts)
        return tuple((self._count.shown(key), heads[key]) for key in _order(votes))


class Consensus(Drawing):
    """A vote that begins with a warm-up and ends when `agreed` says so."""

    def __init__(self, count: Count, n: int, warmup: int, batch: int, agreed: Callable[[Tally], bool]) -> None:
        super().__init__(count, n)
        self._warmup, self._width, self._agreed = warmup, batch, agreed

    def _verdict(self, votes: Tally) -> Decision:
        if len(self._count.came) >= self._warmup and self._agreed(votes):
            return Decision(True, "the traces agree", votes.winner, "nearly all of the weight agrees: no bound")
        return super()._verdict(votes)

    def _wide(self, votes: Tally, verdict: Decision) -> int:
        seen = len(self._count.came)
        return min(self._width if seen else self._warmup, self._n - seen)


def detailed(count: Count, result: Result, vote: str, stop: str) -> dict[str, Any]:
    """What an outcome tells of a vote: counts, what was lost, what holds of the answer, and how sure that is."""
    votes, verdict = result.votes, result.verdict
    tied = votes.tied if len(votes.tied) > 1 and not result.checked else ()
    heads = dict(votes.counts)
    backers = set(count.backers(result.answer)) if result.answer is not None else set()
    good = (result.answer, *result.checked)
    others = {got.index for got in count.came if got.answer and got.answer.key not in good and not got.right} - backers
    return {
        "votes": tuple((count.shown(key), heads[key]) for key in _order(votes)),
        "samples": len(count.came),
        "unread": votes.unread,
        "failed": votes.failed,
        "aside": votes.aside,
        "tied": [count.shown(key) for key in tied] if not result.ruled else [],
        "vote": vote,
        "stop": stop,
        "ruled": result.ruled,
        "weights": tuple((count.shown(key), round(weight, 6)) for key, weight in votes.weights),
        "margin": round(votes.margin, 6),
        "interval": tuple(round(bound, 6) for bound in votes.interval()),
        "guarantee": verdict.guarantee,
        "stopped": verdict.reason,
        "level": verdict.level,
        "needed": verdict.needed,
        "accepted": sorted(backers),
        "rejected": sorted(others) if backers else [],
    }


def concluded(result: Result, detail: dict[str, Any], problem: Problem, world: World | None) -> Outcome:
    """The outcome of a vote: its answer, verified where rules can tell; undecided where it has none."""
    if result.shown is None:
        return Outcome(answer=None, status="undecided", detail=detail)
    right = True if result.checked else verified(world, problem, result.shown)
    told = {**detail, "verified": right, "accepted": [] if right is False else detail["accepted"]}
    if result.checked:
        told["checked"] = "by program, which parts the answers that tie"
    sure = None if result.checked else result.share
    return Outcome(answer=result.shown, text=result.text, confidence=sure, detail=told)


def _order(votes: Tally) -> list[str]:
    """The answers that somebody voted for, those that are ahead first: by weight where votes do not weigh the same."""
    heads = [key for key, _ in votes.counts]
    weighed = [key for key, _ in votes.weights if key in heads]
    return [*weighed, *(key for key in heads if key not in weighed)]
