"""The vote over the answers of several drafts; one that a program found right needs no vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptkit import exchange, prompts
from promptkit.algorithms.voting.tally import Tally, tally
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

    def __init__(self, problem: Problem, n: int) -> None:
        self._problem = problem
        self._n = n
        self._drafts: list[Outcome] = []
        self._of_key: dict[str, Outcome] = {}  # the first draft with an answer
        self._led = False

    def take(self, draft: Outcome) -> None:
        """Count a draft."""
        self._drafts.append(draft)
        if draft.answer is not None:
            self._of_key.setdefault(key_of(self._problem, draft.answer), draft)

    def cast(self, draft: Outcome) -> None:
        """Count a draft; tell the tally, and the leader when there is one."""
        self.take(draft)
        votes, seen = self.votes, len(self._drafts)
        emit(VotesCounted(self.counts, seen, self._n, votes.unread, votes.failed, seen == self._n))
        if right := self.right:
            emit(Best(right.answer, text=right.text, verified=True))
        elif votes.winner is not None:
            first = self._of_key[votes.winner]
            emit(Best(first.answer, votes.share, first.text))
        elif self._led:  # a moment ago; now the lead is shared
            emit(Best(None))
        self._led = bool(right) or votes.winner is not None

    @property
    def votes(self) -> Tally:
        """The tally so far."""
        read = [each.answer for each in self._drafts if not lost(each)]
        keys = [None if answer is None else key_of(self._problem, answer) for answer in read]
        return tally(keys, len(self._drafts) - len(read))

    @property
    def right(self) -> Outcome | None:
        """The first draft that a program found right."""
        return next((each for each in self._drafts if each.verified), None)

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Answers as they were first written, with their votes, best first."""
        return tuple((str(self._of_key[key].answer), n) for key, n in self.votes.counts)

    def outcome(self, **detail: Any) -> Outcome:
        """The winner; undecided when the lead is shared or nothing could be read."""
        votes = self.votes
        told: dict[str, Any] = {
            "votes": self.counts,
            "samples": votes.seen,
            "unread": votes.unread,
            "failed": votes.failed,
            "tied": [str(self._of_key[key].answer) for key in votes.tied] if len(votes.tied) > 1 else [],
            **detail,
        }
        won = self.right or (self._of_key[votes.winner] if votes.winner is not None else None)
        if won is None:
            return Outcome(answer=None, status="undecided", detail=told)
        share = votes.share if not self.right else None
        return replace(won, status="done", confidence=share, detail={**told, "verified": won.verified})


def voted(problem: Problem, drafts: Sequence[Outcome], **detail: Any) -> Outcome:
    """The outcome of a vote over all drafts at once; its tally and its leader are told."""
    votes = Votes(problem, len(drafts))
    for draft in drafts[:-1]:
        votes.take(draft)
    votes.cast(drafts[-1])
    return votes.outcome(**detail)
