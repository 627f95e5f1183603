"""The vote over the answers of several drafts; one that a program found right needs no vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptkit import exchange, prompts
from promptkit.algorithms.voting.tally import Tally, tally
from promptkit.balloting.leader import Leader
from promptkit.events import Best, VotesCounted, emit
from promptkit.reflecting.drafts import lost
from promptkit.types import Outcome, Problem


def key_of(problem: Problem, shown: str) -> str:
    """Equal for equal answers: the answer in canonical form, as the problem's reader has it."""
    if problem.output_schema is not None:
        return shown  # canonical JSON already
    return exchange.key_of(problem.reader or prompts.pack(problem.pack).reader, shown)


class Votes:
    """The votes of one round as they come in, one a draft."""

    def __init__(self, problem: Problem, n: int, *, last: bool = True) -> None:
        self._problem = problem
        self._n = n
        self._last = last  # whether no other round may come after it
        self._drafts: list[Outcome] = []
        self._keys: list[str | None] = []  # of those that are not lost
        self._of_key: dict[str, Outcome] = {}  # the first draft with an answer
        self._leader = Leader()

    def take(self, draft: Outcome) -> None:
        """Count a draft."""
        self._drafts.append(draft)
        if lost(draft):
            return
        key = None if draft.answer is None else key_of(self._problem, draft.answer)
        self._keys.append(key)
        if key is not None:
            self._of_key.setdefault(key, draft)

    def cast(self, draft: Outcome) -> None:
        """Count a draft; tell the tally, and the leader when there is one."""
        self.take(draft)
        votes, seen = self.votes, len(self._drafts)
        self._count(decided=self._last and seen == self._n)
        won, share = self._won(votes)
        self._leader.told(Best(won.answer, share, won.text, verified=share is None) if won else None)

    def end(self) -> None:
        """Tell the tally as the last one, although another round might have come."""
        if not self._last:
            self._count(decided=True)

    def _count(self, *, decided: bool) -> None:
        votes = self.votes
        emit(VotesCounted(self._named(votes), votes.seen, self._n, votes.unread, votes.failed, decided))

    @property
    def votes(self) -> Tally:
        """The tally so far."""
        return tally(self._keys, len(self._drafts) - len(self._keys))

    @property
    def right(self) -> Outcome | None:
        """The first draft that a program found right."""
        return next((each for each in self._drafts if each.verified), None)

    def _won(self, votes: Tally) -> tuple[Outcome | None, float | None]:
        """The draft that a program found right; else the first with the answer that is ahead, and its share."""
        if self.right:
            return self.right, None
        return (None if votes.winner is None else self._of_key[votes.winner]), votes.share

    def _named(self, votes: Tally) -> tuple[tuple[str, int], ...]:
        """Answers as they were first written, with their votes, best first."""
        return tuple((str(self._of_key[key].answer), n) for key, n in votes.counts)

    def outcome(self, **detail: Any) -> Outcome:
        """The winner; undecided when the lead is shared or nothing could be read."""
        votes = self.votes
        told: dict[str, Any] = {
            "votes": self._named(votes),
            "samples": votes.seen,
            "unread": votes.unread,
            "failed": votes.failed,
            "tied": [str(self._of_key[key].answer) for key in votes.tied] if len(votes.tied) > 1 else [],
            **detail,
        }
        won, share = self._won(votes)
        if won is None:
            return Outcome(answer=None, status="undecided", detail=told)
        return replace(won, status="done", confidence=share, detail={**told, "verified": won.verified})


def voted(problem: Problem, drafts: Sequence[Outcome], *, last: bool = True) -> Votes:
    """The vote over all drafts at once; its tally and its leader are told."""
    votes = Votes(problem, len(drafts), last=last)
    for draft in drafts[:-1]:
        votes.take(draft)
    votes.cast(drafts[-1])
    return votes
