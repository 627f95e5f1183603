"""Rows nobody waits for: they come in hundreds, and what gathers until the writer's turn is one operation."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from promptkit.errors import JournalError
from promptkit.journal.writer import Writer

R = TypeVar("R")


class Gathered(Generic[R]):
    """Hands rows to `write(db, owner, rows)` in the order they came."""

    def __init__(self, writer: Writer, write: Callable[[sqlite3.Connection, str, list[R]], object]) -> None:
        self._writer = writer
        self._write = write
        self._rows: dict[str, list[R]] = {}  # by whose they are, not yet written
        self._lock = threading.Lock()

    def add(self, owner: str, row: R) -> None:
        """Have the row written some time soon; an error is the writer's to keep. None is written after the close."""
        with self._lock:
            if owner not in self._rows:
                try:
                    self._writer.post(lambda db: self._flush(db, owner))
                except JournalError:
                    if self._writer.closed:  # a run that was left behind, by a process that ends, has more to say
                        return
                    raise
            self._rows.setdefault(owner, []).append(row)

    def _flush(self, db: sqlite3.Connection, owner: str) -> None:
        with self._lock:
            rows = self._rows.pop(owner, [])
        self._write(db, owner, rows)
