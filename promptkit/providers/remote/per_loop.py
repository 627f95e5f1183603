"""One client for each running event loop: an SDK's async client belongs to the loop it first ran in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, finalize, ref

T = TypeVar("T")

_Held = WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[T, None]]]


class PerLoop(Generic[T]):
    """Makes a client when a loop first asks for one; closes it when that loop shuts down, or nobody can ask again."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._held: _Held[T] = WeakKeyDictionary()
        self._lock = threading.Lock()
        # What is held must not become garbage together with this: an HTTP session complains when it is collected open.
        finalize(self, _end_all, self._held).atexit = False

    async def get(self) -> T:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            held = self._held.get(loop)
        if held is None:
            life = _life(self._make, self._close, partial(_drop, self._held, self._lock, ref(loop)))
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


async def _life(
    make: Callable[[], T], close: Callable[[T], Awaitable[None]], drop: Callable[[], None]
) -> AsyncGenerator[T, None]:
    # A loop that shuts down closes the async generators begun in it: the only goodbye asyncio offers.
    client = make()
    try:
        yield client
    finally:
        drop()
        await close(client)


def _drop(held: _Held[T], lock: threading.Lock, loop: ref[asyncio.AbstractEventLoop]) -> None:
    if (mine := loop()) is not None:
        with lock:
            held.pop(mine, None)


def _end(loop: asyncio.AbstractEventLoop, life: AsyncGenerator[T, None]) -> None:
    loop.create_task(life.aclose())


def _end_all(held: _Held[T]) -> None:
    for loop, (_, life) in list(held.items()):
        if loop.is_running():
            with suppress(RuntimeError):  # it has closed since, and the client with it
                loop.call_soon_threadsafe(_end, loop, life)
