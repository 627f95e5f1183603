"""Provider calls, and the completions that came from them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.journal import values
from promptkit.journal.rows import Stored
from promptkit.types import Completion, Usage, plain

Row = tuple[str, str | bytes]  # key, packed completion
WIRE = "wire"  # beside a completion's fields: what another program's call was answered, word for word


def rows(completions: Sequence[tuple[str, Completion]], wire: Mapping[str, Any] | None = None) -> list[Row]:
    """Completions as they will be stored; made on the caller's thread, outside the transaction."""
    beside = {WIRE: wire} if wire else {}
    return [(key, values.pack({**values.from_completion(completion), **beside})) for key, completion in completions]


def load(db: sqlite3.Connection, key: str) -> Stored | None:
    """A completion and its call."""
    row = db.execute(
        "SELECT value, call, samples, usage FROM completions JOIN calls ON calls.id = call WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    value, call, samples, usage = row
    return Stored(values.to_completion(values.unpack(value)), call, samples, values.to_usage(values.unpack(usage)))


def wire(db: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    """The reply that a completion was read from, as it was given to `rows`; None when there is none."""
    row = db.execute("SELECT value FROM completions WHERE key = ?", (key,)).fetchone()
    value = values.unpack(row[0]) if row else None
    reply: dict[str, Any] | None = value.get(WIRE) if isinstance(value, dict) else None
    return reply


def asked(db: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    """The request that a completion answers, as a JSON object; None when it is not known."""
    row = db.execute("SELECT request FROM completions JOIN calls ON calls.id = call WHERE key = ?", (key,)).fetchone()
    request: dict[str, Any] | None = values.unpack(row[0]) if row else None
    return request


def save(
    db: sqlite3.Connection,
    call: str,
    rows: Sequence[Row],
    usage: Usage,
    request: str | bytes,
    identity: str | None,
    model: str | None,
) -> None:
    """Keep a call with its (packed) request and its completions; what is already there stays."""
    now = time.time()
    new = db.executemany(
        "INSERT OR IGNORE INTO completions (key, call, value, at) VALUES (?, ?, ?, ?)",
        [(key, call, value, now) for key, value in rows],
    ).rowcount
    if new:
        db.execute(
            "INSERT OR IGNORE INTO calls (id, request, samples, usage, at, identity, model)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (call, request, usage.samples or len(rows), values.pack(plain(usage)), now, identity, model),
        )


def forget(db: sqlite3.Connection, keys: Sequence[str]) -> None:
    """Delete completions, and calls of which none is left."""
    calls: set[str] = set()
    for key in keys:
        calls.update(db.execute("SELECT call FROM completions WHERE key = ?", (key,)).fetchone() or ())
        db.execute("DELETE FROM completions WHERE key = ?", (key,))
    db.executemany(
        "DELETE FROM calls WHERE id = ? AND NOT EXISTS (SELECT 1 FROM completions WHERE call = calls.id)",
        [(call,) for call in calls],
    )
