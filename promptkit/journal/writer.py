"""The one thread of a process that writes: queued operations, a batch of them a transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from promptkit.errors import JournalError
from promptkit.journal.schema import Place, patiently
from promptkit.journal.values import Damaged

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BATCH = 256  # operations a transaction at most: others get their turn at the file


@dataclass(frozen=True, slots=True)
class _Operation:
    work: Work[Any]
    future: Future[Any] | None = None  # a thread waits for it
    waiter: asyncio.Future[Any] | None = None  # a task waits for it
    unheard: Callable[[Any], object] | None = None  # gets the value when the task was cancelled
    after: Callable[[], object] | None = None  # whatever came of it


class Writer:
    """Does work in order, commits it, and only then reports it done."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection = place.prepare()
        self._queue: SimpleQueue[_Operation | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._queued = 0
        self._done = 0
        self._closed = False
        self._lost: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="promptkit-journal", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """The work's result once it is committed. It is done even if the one who waits for it is cancelled."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # from here on cancel() is refused
        self._put(_Operation(work, future=future))
        return future

    async def done(
        self, work: Work[T], *, unheard: Callable[[T], object] | None = None, after: Callable[[], object] | None = None
    ) -> T:
        """The same for a task. Cancelled, its result goes to `unheard`; `after` is called in any case."""
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Operation(work, waiter=waiter, unheard=unheard, after=after))
        try:
            return await waiter
        except asyncio.CancelledError:
            if unheard and not waiter.cancelled() and waiter.done() and not waiter.exception():
                unheard(waiter.result())  # it came in the very moment
            raise

    def post(self, work: Work[object]) -> None:
        """Do the work some time soon, in order; an error is kept for `raise_lost`."""
        self._put(_Operation(work))

    def drain(self) -> None:
        """Block until everything queued so far is committed; at once when nothing is."""
        if self._done < self._queued and not self._closed:
            self.submit(_nothing).result()

    @property
    def closed(self) -> bool:
        """Whether nothing more is written."""
        return self._closed

    def raise_lost(self) -> None:
        """Raise the first error of work nobody waited for, once."""
        lost, self._lost = self._lost, None
        if lost is not None:
            raise lost

    def close(self) -> None:
        """Commit what is queued and let the file go; safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _put(self, operation: _Operation) -> None:
        self._place.own()
        with self._lock:
            if self._closed:
                raise JournalError("the journal is closed")
            self._queued += 1
            self._queue.put(operation)

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._report(batch, self._commit(batch))
        finally:
            self._connection.close()

    def _take(self) -> list[_Operation]:
        """What is queued, waiting for the first; empty at the end."""
        batch: list[_Operation] = []
        try:
            operation = self._queue.get()
            while operation is not None:
                batch.append(operation)
                if len(batch) == BATCH:
                    return batch
                operation = self._queue.get_nowait()
            self._queue.put(None)  # the end is met again when this batch is done
        except Empty:
            pass
        return batch

    def _commit(self, batch: list[_Operation]) -> list[Any]:
        """The outcome of each operation: a value, or the exception it failed with."""
        try:
            patiently(self._connection, "BEGIN IMMEDIATE")
            outcomes = [self._try(operation) for operation in batch]
            patiently(self._connection, "COMMIT")
        except Exception as error:
            with suppress(sqlite3.Error):  # often undone already
                self._connection.execute("ROLLBACK")
            return [_Failed(self._place.explain(error))] * len(batch)
        return outcomes

    def _try(self, operation: _Operation) -> Any:
        """One operation inside a savepoint: its failure undoes nothing but itself."""
        self._connection.execute("SAVEPOINT operation")
        try:
            value = operation.work(self._connection)
        except Exception as error:
            if not self._connection.in_transaction:  # a full disk makes SQLite undo the whole transaction
                raise
            self._connection.execute("ROLLBACK TO operation")
            value = _Failed(self._place.explain(error) if isinstance(error, (sqlite3.Error, Damaged)) else error)
        self._connection.execute("RELEASE operation")
        return value

    def _report(self, batch: list[_Operation], outcomes: list[Any]) -> None:
        self._done += len(batch)
        loops: dict[asyncio.AbstractEventLoop, list[tuple[_Operation, Any]]] = {}
        for operation, outcome in zip(batch, outcomes, strict=True):
            if operation.after:
                operation.after()
            if operation.waiter:
                loops.setdefault(operation.waiter.get_loop(), []).append((operation, outcome))
            elif operation.future and isinstance(outcome, _Failed):
                operation.future.set_exception(outcome.error)
            elif operation.future:
                operation.future.set_result(outcome)
            elif isinstance(outcome, _Failed):
                self._lost = self._lost or outcome.error
        for loop, told in loops.items():  # a loop is woken once, not for each of a hundred calls
            try:
                loop.call_soon_threadsafe(_tell, told)
            except RuntimeError:  # it has closed: its tasks were cancelled before
                _tell(told, closed=True)


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


def _tell(told: list[tuple[_Operation, Any]], *, closed: bool = False) -> None:
    """Hand each outcome to the task that waits for it."""
    for operation, outcome in told:
        waiter = operation.waiter
        if waiter is None or waiter.done() or closed:
            if operation.unheard and not isinstance(outcome, _Failed):
                operation.unheard(outcome)
        elif isinstance(outcome, _Failed):
            waiter.set_exception(outcome.error)
        else:
            waiter.set_result(outcome)


def _nothing(_: sqlite3.Connection) -> None:
    pass
