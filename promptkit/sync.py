"""The synchronous door: one background event loop for the process, so it works in scripts, notebooks and servers."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from promptkit.errors import BadInput

T = TypeVar("T")

_GRACE = 3.0  # seconds in which a loop hears that its work is to end, unless it is lost in a computation
_BREATH = 0.1 if sys.platform == "win32" else None  # seconds; Windows raises Ctrl-C between waits, not in one
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_left_behind: list[asyncio.AbstractEventLoop] = []  # of the process this one was forked from: never to be closed here


class Desk:
    """Where work on the loop has something done by the thread that waits for it in run(): a line read by input()."""

    def __init__(self) -> None:
        self._errands: SimpleQueue[Callable[[], object]] = SimpleQueue()

    async def call(self, function: Callable[[], T]) -> T:
        """What the function returns or raises over there; Ctrl-C meanwhile is for run()."""
        done: Future[T] = Future()

        def errand() -> None:
            if not done.set_running_or_notify_cancel():
                return  # nobody wants it any more
            try:
                result = function()
            except StopIteration as error:  # the one error that no future can carry
                done.set_exception(RuntimeError(f"StopIteration: {error}"))
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(result)

        self._errands.put(errand)
        return await asyncio.wrap_future(done)

    def serve(self, ended: Future[Any]) -> None:
        """Do what is asked for until the work has ended."""
        ended.add_done_callback(lambda _: self._errands.put(lambda: None))
        while not ended.done():
            with suppress(Empty):
                self._errands.get(timeout=_BREATH)()


def run(work: Coroutine[Any, Any, T], desk: Desk | None = None) -> T:
    """The coroutine's result. Ctrl-C cancels it, waits until it has put its things away, and is raised then.

    What does not even hear of it, because it computes without a pause, is left behind.
    """
    ended: Future[T] = Future()
    started: Future[asyncio.Task[T]] = Future()
    loop = _background()
    if _running() is loop:
        work.close()
        raise BadInput("run() was called inside promptkit's own loop, which it would block", hint="await arun() there")
    context = contextvars.copy_context()

    def begin() -> None:
        task = loop.create_task(work, context=context)
        task.add_done_callback(lambda done: _pass_on(done, ended))
        started.set_result(task)

    loop.call_soon_threadsafe(begin)
    with _interruptible():
        try:
            if desk:
                desk.serve(ended)
            while not wait([ended], _BREATH).done:
                pass
            return ended.result()
        except KeyboardInterrupt:
            heard = threading.Event()

            def stop() -> None:
                heard.set()
                started.result().cancel()

            loop.call_soon_threadsafe(stop)
            if heard.wait(_GRACE):
                ended.exception()  # returns when the cancelled task has ended
            raise


def begin(work: Coroutine[Any, Any, T]) -> Future[T]:
    """The coroutine's result to come, on promptkit's own loop; to cancel it is to cancel the work."""
    return asyncio.run_coroutine_threadsafe(work, _background())


def _pass_on(done: asyncio.Task[T], ended: Future[T]) -> None:
    if done.cancelled():
        ended.set_exception(asyncio.CancelledError())
    elif (error := done.exception()) is not None:
        ended.set_exception(error)
    else:
        ended.set_result(done.result())


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises at once, also where it is a loop's to handle: that loop waits for us and would never hear of it."""
    mine = threading.current_thread() is threading.main_thread() and _running() is not None
    theirs = signal.getsignal(signal.SIGINT) if mine else None
    if not callable(theirs) or theirs is signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, theirs)


def _background() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="promptkit-loop", daemon=True).start()
        return _loop


def _after_fork() -> None:
    """The child has the loop and not its thread: it makes its own."""
    global _lock, _loop
    _lock = threading.Lock()
    if _loop is not None:
        _left_behind.append(_loop)
        _loop = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
