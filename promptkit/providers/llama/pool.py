"""A first-in-first-out queue of calls, and the threads that answer them: one a loaded copy of the model.

Threads of our own rather than asyncio's: callers may live in several event loops, and a batch must be alone on
its copy to give the same texts again.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from promptkit.errors import ProviderError
from promptkit.providers.llama.server import Chunk, LlamaServer


@dataclass(eq=False, slots=True)
class Job:
    """A call to make; `on_chunk` and `finish` run in a thread of the pool, `finish` exactly once."""

    body: dict[str, Any]
    on_chunk: Callable[[Chunk], bool | None]  # True: no more is wanted
    finish: Callable[[float, BaseException | None], None]  # seconds it took, why it failed
    cancelled: threading.Event = field(default_factory=threading.Event)

    def read(self, chunk: Chunk) -> bool:
        """Pass a chunk on; True when nobody wants the next."""
        return self.cancelled.is_set() or bool(self.on_chunk(chunk)) or self.cancelled.is_set()


class Pool:
    """Up to `most` copies of a model; the first is loaded for the first call, others when two calls wait."""

    def __init__(self, load: Callable[[], LlamaServer], most: int) -> None:
        self._load, self._most = load, most
        self._changed = threading.Condition()
        self._queue: deque[Job] = deque()
        self._running: set[Job] = set()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._stopped = False
        self._pid = os.getpid()
        _pools.add(self)

    def submit(self, job: Job) -> None:
        """Queue a call."""
        if os.getpid() != self._pid:  # threads do not survive a fork, and locks may not
            hint = 'open it in the child, or start processes with multiprocessing.get_context("spawn")'
            raise ProviderError("a llama.cpp model cannot be used after fork()", hint=hint)
        with self._changed:
            if self._stopped:
                raise ProviderError("this model has been closed")
            self._queue.append(job)
            waiting = len(self._queue)
            wanted = waiting > self._idle and (waiting >= 2 or not self._threads)
            if wanted and len(self._threads) < self._most:
                thread = threading.Thread(target=self._work, name="promptkit-llamacpp", daemon=True)
                self._threads.add(thread)
                thread.start()
            self._changed.notify()

    def cancel(self, job: Job) -> None:
        """Forget a waiting call, stop a running one at its next token."""
        job.cancelled.set()
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)

    def stop(self) -> None:
        """Cancel everything and let the threads end."""
        with self._changed:
            self._stopped = True
            waiting, self._queue = list(self._queue), deque()
            for job in self._running:
                job.cancelled.set()
            self._changed.notify_all()
        for job in waiting:
            job.finish(0.0, ProviderError("this model has been closed"))

    def join(self) -> None:
        """Wait until every copy is freed."""
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join()

    def _work(self) -> None:
        # The server lives in this frame only: in a forked child no destructor runs for it, which would hang there.
        try:
            server = self._load()
        except BaseException as error:
            self._give_up(error)
            return
        try:
            while self._answer(server):
                pass
        finally:
            server.close()
            with self._changed:
                self._threads.discard(threading.current_thread())

    def _answer(self, server: LlamaServer) -> bool:
        # A method, so that an idle thread holds no job: a job leads to its model, which could then never be forgotten.
        job = self._take()
        if job is None:
            return False
        began = time.monotonic()
        failure: BaseException | None = None
        try:
            server.stream(job.body, job.read)
        except BaseException as error:
            failure = error
        with self._changed:
            self._running.discard(job)
        if job.cancelled.is_set():
            failure = ProviderError("the model was closed while it was answering")
        job.finish(time.monotonic() - began, failure)
        return True

    def _take(self) -> Job | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._queue or self._stopped)
            self._idle -= 1
            if self._stopped:
                return None
            job = self._queue.popleft()
            self._running.add(job)
            return job

    def _give_up(self, error: BaseException) -> None:
        with self._changed:
            self._threads.discard(threading.current_thread())
            if self._threads:  # no memory for one more copy, perhaps: the others serve the queue
                self._most = len(self._threads)
                return
            waiting, self._queue = list(self._queue), deque()
        for job in waiting:
            job.finish(0.0, error)


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # A thread that streams while the interpreter is torn down aborts the process (exit code 134).
    pools = [pool for pool in _pools if pool._pid == os.getpid()]
    for pool in pools:
        pool.stop()
    for pool in pools:
        pool.join()
