"""One client for each running event loop: an SDK's async client belongs to the loop it first ran in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes a client when a loop first asks for one, and closes it when that loop shuts down."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._held: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[T, None]]] = (
            WeakKeyDictionary()
        )
        self._lock = threading.Lock()

    async def get(self) -> T:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            held = self._held.get(loop)
        if held is None:
            life = self._life(loop)
            held = (await anext(life), life)  # nothing is awaited before its yield: no other task comes in between
            with self._lock:
                self._held[loop] = held
        return held[0]

    async def aclose(self) -> None:
        """Close every client; safe to call twice, and a later get() makes a new one."""
        here = asyncio.get_running_loop()
        with self._lock:
            held = list(self._held.items())
        for loop, (_, life) in held:
            if loop is here:
                await life.aclose()
            elif loop.is_running():
                with suppress(RuntimeError):  # it has closed since, and the client with it
                    loop.call_soon_threadsafe(_end, loop, life)

    async def _life(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[T, None]:
        # A loop that shuts down closes the async generators begun in it: the only goodbye asyncio offers.
        client = self._make()
        try:
            yield client
        finally:
            with self._lock:
                self._held.pop(loop, None)
            await self._close(client)


def _end(loop: asyncio.AbstractEventLoop, life: AsyncGenerator[T, None]) -> None:
    loop.create_task(life.aclose())
