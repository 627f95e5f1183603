"""The best draft so far: what a round of reflection may replace, and never lose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from promptkit.events import Best, emit
from promptkit.types import Outcome, Status

Rank = tuple[bool, bool, float]


@dataclass(slots=True)
class Kept:
    """The draft that is the answer if the run ends now; one that a program found right is better than any other."""

    draft: Outcome | None = None
    rank: Rank = (False, False, float("-inf"))
    number: int = 0  # of the draft, from 1

    def better(self, draft: Outcome, score: float | None, number: int, *, or_equal: bool = False) -> bool:
        """Whether the draft is better than the one kept (`or_equal`: or as good), which it then replaces."""
        rank = (draft.verified is True, draft.answer is not None, float("-inf") if score is None else score)
        if self.draft is not None and (rank < self.rank if or_equal else rank <= self.rank):
            return False
        changed = self.draft is None or (self.draft.answer, self.draft.text) != (draft.answer, draft.text)
        self.draft, self.rank, self.number = draft, rank, number
        if changed and draft.answer is not None:
            emit(Best(draft.answer, score, draft.text, bool(draft.verified)))
        return True

    def outcome(self, **detail: Any) -> Outcome:
        """The draft as the run's outcome."""
        kept = self.draft or Outcome(answer=None, status="undecided")
        status: Status = "done" if kept.answer is not None else "undecided"
        told = {name: kept.detail[name] for name in ("verified", "finish") if name in kept.detail}
        return replace(kept, status=status, detail={**told, **detail, "kept": self.number})
