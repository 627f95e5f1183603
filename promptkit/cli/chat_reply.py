"""A reply on stdout as it is written."""

from __future__ import annotations

import sys

from promptkit.cli.speak import abandon, say
from promptkit.events import Delta, Record, Retrying, Warned


class Streamed:
    """The sink that shows a reply as it is written; where stdout is no terminal it is shown when it is whole."""

    def __init__(self) -> None:
        from promptkit.render.talk import Pieces

        self._live = sys.stdout is not None and sys.stdout.isatty()
        self._pieces, self._begun, self._open = Pieces(), False, False

    def __call__(self, record: Record) -> None:
        match record.event:
            case Delta(text=text, reasoning=False) if self._live:
                self._put(self._pieces.take(text))
            case Retrying(error=error, wait=wait):
                self.close()
                self._begun = False
                say(f"it failed and is asked again in {wait:.0f} s: {error}")
            case Warned(message=message, hint=hint):
                say(message, hint.splitlines())
            case _:
                pass

    def close(self) -> None:
        """End the line; safe to call twice."""
        self._put(self._pieces.rest())
        if self._open:
            self._put("\n")
            self._open = False

    def whole(self, text: str) -> None:
        """The reply, where nothing was shown of it: it came from the journal, or stdout is no terminal."""
        if not self._begun and text:
            self._put(self._pieces.take(text) + self._pieces.rest())
            self.close()

    def _put(self, text: str) -> None:
        if not text or sys.stdout is None:
            return
        from promptkit.render.safe import downgrade

        self._begun, self._open = True, not text.endswith("\n")
        encoding = sys.stdout.encoding or "utf-8"
        try:
            sys.stdout.write(downgrade(text, encoding).encode(encoding, "replace").decode(encoding))
            sys.stdout.flush()
        except BrokenPipeError:
            abandon(sys.stdout)
