"""What is heard of a judge: how many verdicts came, were lost or could not be read; a judge nobody can read is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from promptkit.decisions import Decision
from promptkit.events import Warned, emit

HINT = "what it said: promptkit runs show last, and --call N\nanother model may judge better: -m …, or compare with sc"


@dataclass(slots=True)
class Hearing:
    """The verdicts of one search, counted."""

    came: int = 0  # readable or not
    unread: int = 0  # of those that came
    failed: int = 0

    def decided(self, got: Decision) -> None:
        """Count a decision."""
        self.heard(got.verdict, failed=got.error is not None)

    def heard(self, verdict: str | None, *, failed: bool = False) -> None:
        """Count a verdict; None could not be read."""
        self.came += not failed
        self.failed += failed
        self.unread += verdict is None and not failed

    @property
    def detail(self) -> dict[str, int]:
        """What an outcome tells of verdicts that could not be read; nothing where all could."""
        return {"judged": self.came, "unread": self.unread} if self.unread else {}

    @contextmanager
    def told(self) -> Iterator[None]:
        """However the block ends: say it once when half of the verdicts, or more, could not be read."""
        try:
            yield
        finally:
            if self.unread and 2 * self.unread >= self.came:
                emit(Warned(self._said(), HINT))

    def _said(self) -> str:
        if self.came == 1:
            return "the only verdict could not be read: nothing was judged"
        if self.unread == self.came:
            return f"none of {self.came} verdicts could be read: nothing was judged"
        return f"{self.unread} of {self.came} verdicts could not be read: little was judged"
