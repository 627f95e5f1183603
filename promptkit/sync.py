"""The synchronous door: one background event loop for the process, so it works in scripts, notebooks and servers."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run(work: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result. Ctrl-C cancels it, waits until it has put its things away, and is raised then."""
    ended: Future[T] = Future()
    started: Future[asyncio.Task[T]] = Future()
    loop = _background()
    context = contextvars.copy_context()

    def begin() -> None:
        task = loop.create_task(work, context=context)
        task.add_done_callback(lambda done: _pass_on(done, ended))
        started.set_result(task)

    loop.call_soon_threadsafe(begin)
    try:
        return ended.result()
    except KeyboardInterrupt:
        loop.call_soon_threadsafe(started.result().cancel)
        ended.exception()  # returns when the cancelled task has ended
        raise


def _pass_on(done: asyncio.Task[T], ended: Future[T]) -> None:
    if done.cancelled():
        ended.set_exception(asyncio.CancelledError())
    elif (error := done.exception()) is not None:
        ended.set_exception(error)
    else:
        ended.set_result(done.result())


def _background() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="promptkit-loop", daemon=True).start()
        return _loop
