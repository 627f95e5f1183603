"""Which recording the code that runs here is in: tasks and `asyncio.to_thread` inherit it, other threads do not."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptkit.recording.recording import Recording

current: ContextVar[Recording | None] = ContextVar("promptkit_recording", default=None)


def active() -> Recording | None:
    """The innermost recording; None outside any, and inside a run of promptkit's own, which keeps its own journal."""
    recording = current.get()
    return recording if recording is not None and recording.answers_here() else None
