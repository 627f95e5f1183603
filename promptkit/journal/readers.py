"""A connection for each thread that reads, so that no read waits for another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from promptkit.errors import JournalError
from promptkit.journal.schema import Place


class Readers:
    """Hands every thread its own connection and closes them all."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, with SQLite's errors explained."""
        self._place.own()
        connection = self._connections.get(threading.current_thread())
        with self._place.explaining():
            yield connection or self._connect()

    def close(self) -> None:
        """Close every connection; later reads are refused."""
        with self._lock:
            self._closed = True
            while self._connections:
                self._connections.popitem()[1].close()

    def _connect(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise JournalError("the journal is closed")
            for thread in [thread for thread in self._connections if not thread.is_alive()]:
                self._connections.pop(thread).close()
            connection = self._connections[threading.current_thread()] = self._place.connect()
            return connection
