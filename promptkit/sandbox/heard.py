"""What a program writes: kept up to a cap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Heard:
    """The beginning of a stream; the rest is read and dropped, so that nothing waits for a reader."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.cut = False
        self._kept = bytearray()

    async def listen(self, stream: asyncio.StreamReader, enough: Callable[[], None]) -> None:
        """Read to the end; `enough` is called once, when there is more than the cap."""
        while chunk := await stream.read(1 << 16):
            if not self.take(chunk):
                enough()

    def take(self, chunk: bytes) -> bool:
        """Keep what there is room for; False the first time that there is more."""
        room = self.cap - len(self._kept)
        self._kept += chunk[:room]
        first, self.cut = not self.cut, self.cut or len(chunk) > room
        return not (first and self.cut)

    def text(self) -> str:
        """What was kept, with a stand-in for bytes that are no text."""
        return self._kept.decode("utf-8", errors="replace")
