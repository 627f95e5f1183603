"""A reply that its caller reads piece by piece, listened to on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from promptkit import sync
from promptkit.recording.exchange import Exchange
from promptkit.recording.reply import Reply
from promptkit.recording.told import tell


class _Heard:
    """The pieces so far; `decoded` makes a reply of their bytes."""

    def __init__(self, inner: Any, exchange: Exchange, decoded: Callable[[bytes], Reply]) -> None:
        self._inner = inner
        self._exchange = exchange
        self._decoded = decoded
        self._pieces: list[bytes] = []

    def _reply(self) -> Reply:
        return self._decoded(b"".join(self._pieces))

    def _stopped(self, error: BaseException) -> None:
        # SDKs stop at the last event and may cut off what follows: then close() finds the reply whole.
        if not tell(self._reply()).whole:
            self._exchange.fail(error)


class Tape(_Heard):
    """The reply of a synchronous client."""

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._inner)
        while True:
            try:
                piece = next(pieces, None)
            except BaseException as error:
                self._stopped(error)
                raise
            if piece is None:
                break
            self._pieces.append(piece)
            yield piece
        sync.run(self._exchange.end(self._reply()))

    def close(self) -> None:
        """Let the connection go; a reply that was not read to its end is no answer."""
        self._inner.close()
        if self._exchange.over:
            return
        reply = self._reply()
        if tell(reply).whole:
            sync.run(self._exchange.end(reply))
        else:
            self._exchange.abandon()


class AsyncTape(_Heard):
    """The reply of an asynchronous client."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._inner)
        while True:
            try:
                piece = await anext(pieces, None)
            except BaseException as error:
                self._stopped(error)
                raise
            if piece is None:
                break
            self._pieces.append(piece)
            yield piece
        await self._exchange.end(self._reply())

    async def aclose(self) -> None:
        """Let the connection go; a reply that was not read to its end is no answer."""
        try:
            await self._inner.aclose()
        finally:
            if not self._exchange.over:
                reply = self._reply()
                if tell(reply).whole:
                    await self._exchange.end(reply)
                else:
                    self._exchange.abandon()
