"""What was attached to runs: each content once, by its sha256, for as long as a run has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from promptkit.types import Blob


def keep(db: sqlite3.Connection, run: str, blobs: Iterable[Blob]) -> None:
    """Store what a run was given; what is there already stays."""
    for blob in blobs:
        db.execute("INSERT OR IGNORE INTO blobs (sha256, data) VALUES (?, ?)", (blob.sha256, blob.data))
        db.execute("INSERT OR IGNORE INTO attached (run, sha256) VALUES (?, ?)", (run, blob.sha256))


def load(db: sqlite3.Connection, sha256: str) -> bytes | None:
    """The bytes of that sha256; None when they are not there."""
    row = db.execute("SELECT data FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    return bytes(row[0]) if row else None


def of_run(db: sqlite3.Connection, run: str) -> list[tuple[str, bytes]]:
    """The sha256 and bytes of all that a run was given."""
    rows = db.execute(
        "SELECT blobs.sha256, data FROM blobs JOIN attached ON attached.sha256 = blobs.sha256 WHERE run = ?"
        " ORDER BY blobs.sha256",
        (run,),
    )
    return [(sha256, bytes(data)) for sha256, data in rows]


def drop(db: sqlite3.Connection, run: str) -> None:
    """Delete what no other run has."""
    had = db.execute("SELECT sha256 FROM attached WHERE run = ?", (run,)).fetchall()
    db.execute("DELETE FROM attached WHERE run = ?", (run,))
    db.executemany(  # of all there are, each looked for among all runs, a thousand runs would take hours
        "DELETE FROM blobs WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM attached WHERE sha256 = ?1)", had
    )
