"""What a strategy asks, asked at the terminal: the question, the answer typed, the live display out of the way."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from promptkit import sync
from promptkit.cli.line import typed
from promptkit.cli.speak import err, say

if TYPE_CHECKING:
    from promptkit.runtime.answering import Question

ENDS = "An empty line ends the questions, and so do: done, Ctrl-D. Ctrl-C stops; what you answered is kept."


def possible() -> bool:
    """Whether somebody sits at a terminal who sees a question and can type an answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


class AtTerminal:
    """The source of answers that are typed, in the thread that waits for the run at this desk."""

    by = "terminal"
    file = ""

    def __init__(self, desk: sync.Desk, display: Any) -> None:
        self._desk, self._display, self._told = desk, display, False

    async def answer(self, question: Question, /) -> str | None:
        """The line that is typed; None at the end of the input."""
        return await self._desk.call(partial(self._ask, question))

    def _ask(self, question: Question) -> str | None:
        from promptkit.render.live import paused
        from promptkit.render.safe import clean

        with suppress(ImportError):
            import readline  # noqa: F401  # input() then edits lines and recalls them
        with paused(self._display):
            if not self._told:
                say(ENDS)
                self._told = True
            err("")
            for line in clean(question.text).splitlines():
                say(line)
            try:
                return typed()
            except EOFError:
                err("")
                return None
            except KeyboardInterrupt:
                err("")
                raise
