"""Who buys which completion: a key is claimed before it is bought, so that equal calls in flight are one."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from promptkit.journal import lease


class Claims:
    """The claims of one open journal, and those in this process who wait for them."""

    def __init__(self, owner: lease.Owner) -> None:
        self._owner = owner
        # The truth about our own claims, changed by the writer thread only: a full disk can keep a row alive.
        self._held: set[str] = set()
        self._bells: defaultdict[str, list[Future[None]]] = defaultdict(list)
        self._lock = threading.Lock()

    def take(self, db: sqlite3.Connection, keys: Sequence[str], run: str) -> set[str]:
        """The keys that are now ours: neither stored nor claimed by anyone alive."""
        granted: set[str] = set()
        for key in dict.fromkeys(keys):
            if db.execute("SELECT 1 FROM completions WHERE key = ?", (key,)).fetchone() or self._taken(db, key):
                continue
            row = (key, str(self._owner), run, time.time())
            db.execute("INSERT OR REPLACE INTO claims (key, owner, run, at) VALUES (?, ?, ?, ?)", row)
            granted.add(key)
        self._held |= granted
        return granted

    def drop(self, db: sqlite3.Connection, keys: Sequence[str]) -> None:
        """Give up our claims on these keys."""
        self._held.difference_update(keys)  # first: should the rest fail, they are still free to take
        db.executemany("DELETE FROM claims WHERE key = ? AND owner = ?", [(key, str(self._owner)) for key in keys])

    def fulfil(self, db: sqlite3.Connection, keys: Sequence[str]) -> None:
        """Lift every claim on keys that are being stored, whoever holds it."""
        self._held.difference_update(keys)  # first, as above: a store that fails buys nothing any more
        db.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key in keys])

    def drop_all(self, db: sqlite3.Connection) -> None:
        """Give up every claim."""
        db.execute("DELETE FROM claims WHERE owner = ?", (str(self._owner),))

    def ring(self, keys: Iterable[str]) -> None:
        """Have everyone in this process who waits for these keys look again."""
        with self._lock:
            bells = [bell for key in keys for bell in self._bells.pop(key, ())]
        for bell in bells:
            bell.set_result(None)

    def listen(self, key: str) -> Future[None]:
        """Done when this process has stored or released the key."""
        bell: Future[None] = Future()
        bell.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel it under the writer
        with self._lock:
            self._bells[key].append(bell)
        return bell

    def forget(self, key: str, bell: Future[None]) -> None:
        """Stop listening."""
        with self._lock:
            waiting = self._bells.get(key, [])
            if bell in waiting:
                waiting.remove(bell)
            if not waiting:
                self._bells.pop(key, None)

    def ours(self, owner: str) -> bool:
        """Whether a claim was made here."""
        return owner == str(self._owner)

    def holds(self, key: str) -> bool:
        """Whether the key is being bought here, as far as it was not given up."""
        return key in self._held

    def _taken(self, db: sqlite3.Connection, key: str) -> bool:
        row = db.execute("SELECT owner FROM claims WHERE key = ?", (key,)).fetchone()
        if row is None:
            return False
        return self.holds(key) if self.ours(row[0]) else lease.alive(row[0])


def holder(db: sqlite3.Connection, key: str) -> str | None:
    """Who has claimed the key and still lives."""
    row = db.execute("SELECT owner FROM claims WHERE key = ?", (key,)).fetchone()
    return row[0] if row and lease.alive(row[0]) else None
