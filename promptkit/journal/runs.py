"""Runs: what they are, who is running them, what they used and what happened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from promptkit.errors import JournalError, RunLive, RunMissing
from promptkit.journal import beside, blobs, calls, lease, values
from promptkit.journal.rows import NewRun, RunRow
from promptkit.types import plain

_LIST = "list them: promptkit runs list"
_COLUMNS = f"""
SELECT id, about, status, outcome, started, ended, attempt, owner,
    (SELECT count(*) FROM uses WHERE run = runs.id AND attempt = runs.attempt AND NOT {beside.is_one("key")}),
    (SELECT total(cached) FROM uses WHERE run = runs.id AND attempt = runs.attempt AND NOT {beside.is_one("key")})
FROM runs
"""


def about(run: NewRun) -> dict[str, Any]:
    """What a run is, apart from its name and start."""
    body: dict[str, Any] = plain(run)
    del body["id"], body["started"]
    return body


def start(db: sqlite3.Connection, id: str, about: str | bytes, started: float, owner: lease.Owner) -> None:
    """Record a run and lease it to the owner."""
    if db.execute("SELECT 1 FROM runs WHERE id = ?", (id,)).fetchone():
        raise JournalError(f"there is a run {id} already", hint=f"continue it: promptkit resume {id}")
    db.execute(
        "INSERT INTO runs (id, about, status, started, attempt, owner) VALUES (?, ?, 'running', ?, 1, ?)",
        (id, about, started, str(owner)),
    )


def resume(db: sqlite3.Connection, id: str, owner: lease.Owner, anew: bool = True) -> RunRow:
    """Lease a run to the owner for another attempt; without `anew` for more of the latest one."""
    id = vacant(db, id)
    db.execute(
        "UPDATE runs SET status = 'running', outcome = NULL, ended = NULL, attempt = attempt + ?, owner = ?"
        " WHERE id = ?",
        (int(anew), str(owner), id),
    )
    return one(db, id)


def note_embedder(db: sqlite3.Connection, id: str, name: str, identity: str) -> None:
    """Put the identity of an embedding model among the run's options."""
    row = db.execute("SELECT about FROM runs WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise RunMissing(f"no run {id!r}", hint=_LIST)
    about = values.unpack(row[0])
    about["options"]["embedders"] = {**about["options"].get("embedders", {}), name: identity}
    db.execute("UPDATE runs SET about = ? WHERE id = ?", (values.pack(about), id))


def end(db: sqlite3.Connection, id: str, status: str, outcome: str | bytes) -> None:
    """Record how a run ended, and that nobody runs it; events of earlier attempts go."""
    ended = db.execute(
        "UPDATE runs SET status = ?, outcome = ?, ended = ?, owner = NULL WHERE id = ?",
        (status, outcome, time.time(), id),
    )
    if not ended.rowcount:
        raise RunMissing(f"no run {id!r}", hint=_LIST)
    db.execute("DELETE FROM events WHERE run = ? AND attempt < (SELECT attempt FROM runs WHERE id = ?)", (id, id))


def leave_all(db: sqlite3.Connection, owner: lease.Owner) -> None:
    """Whatever the owner still runs is interrupted."""
    db.execute(
        "UPDATE runs SET status = 'interrupted', ended = ?, owner = NULL WHERE owner = ?", (time.time(), str(owner))
    )


def append(db: sqlite3.Connection, id: str, records: Sequence[str | bytes]) -> None:
    """Add events to the latest attempt."""
    attempt = _latest(db, id)
    insert = "INSERT INTO events (run, attempt, record) VALUES (?, ?, ?)"
    db.executemany(insert, [(id, attempt, record) for record in records])


def touch(db: sqlite3.Connection, id: str, used: Sequence[tuple[str, str, bool]]) -> None:
    """Add completions (key, span, whether the journal had it) to what the latest attempt used."""
    attempt = _latest(db, id)
    insert = "INSERT INTO uses (run, attempt, key, span, cached) VALUES (?, ?, ?, ?, ?)"
    db.executemany(insert, [(id, attempt, key, values.printable(span), cached) for key, span, cached in used])


def fail(db: sqlite3.Connection, id: str, key: str, error: str | bytes) -> None:
    """Record that a run could not have a completion."""
    db.execute("INSERT OR REPLACE INTO failures (run, key, error) VALUES (?, ?, ?)", (id, key, error))


def clear_failures(db: sqlite3.Connection, id: str) -> None:
    """Forget what a run could not have."""
    db.execute("DELETE FROM failures WHERE run = ?", (id,))


def remove(db: sqlite3.Connection, id: str) -> None:
    """Delete a run, and the completions that no other run used."""
    id = vacant(db, id)
    alone = db.execute(
        "SELECT DISTINCT key FROM uses AS mine WHERE run = ?"
        " AND NOT EXISTS (SELECT 1 FROM uses WHERE key = mine.key AND run <> mine.run)",
        (id,),
    ).fetchall()
    calls.forget(db, [key for (key,) in alone])
    erase(db, id)


def erase(db: sqlite3.Connection, id: str) -> None:
    """Delete a run and leave its completions."""
    for table in ("events", "uses", "failures", "attempts", "pins"):
        db.execute(f"DELETE FROM {table} WHERE run = ?", (id,))
    blobs.drop(db, id)
    db.execute("DELETE FROM runs WHERE id = ?", (id,))


def one(db: sqlite3.Connection, id: str) -> RunRow:
    """A run by its id or the beginning of it."""
    return _row(db.execute(f"{_COLUMNS} WHERE id = ?", (resolve(db, id),)).fetchone())


def every(db: sqlite3.Connection, limit: int | None) -> list[RunRow]:
    """Runs, newest first."""
    rows = db.execute(f"{_COLUMNS} ORDER BY started DESC, rowid DESC LIMIT ?", (-1 if limit is None else limit,))
    return [_row(row) for row in rows.fetchall()]


def events(db: sqlite3.Connection, id: str) -> list[dict[str, Any]]:
    """The events of the latest attempt."""
    return [values.unpack(record) for (record,) in db.execute(_of_latest("record", "events"), (resolve(db, id),))]


def uses(db: sqlite3.Connection, id: str) -> list[tuple[str, str, bool]]:
    """What the latest attempt used: key, span, and whether the journal had it."""
    rows = db.execute(_of_latest("key, span, cached", "uses"), (resolve(db, id),))
    return [(key, span, bool(cached)) for key, span, cached in rows if not key.startswith(beside.PREFIXES)]


def failures(db: sqlite3.Connection, id: str) -> dict[str, dict[str, Any]]:
    """What a run could not have, and why."""
    rows = db.execute("SELECT key, error FROM failures WHERE run = ? ORDER BY key", (id,))
    return {key: values.unpack(error) for key, error in rows}


def vacant(db: sqlite3.Connection, id: str) -> str:
    """The whole id of a run that nobody is running."""
    id = resolve(db, id)
    (owner,) = db.execute("SELECT owner FROM runs WHERE id = ?", (id,)).fetchone()
    if lease.alive(owner):
        pid = lease.Owner.parse(owner).pid
        raise RunLive(f"run {id} is still running (process {pid})", hint=f"wait for it, or stop it: kill {pid}")
    return id


def resolve(db: sqlite3.Connection, id: str) -> str:
    """The whole id of the one run whose id is, or begins with, the text."""
    text = values.printable(id)
    if db.execute("SELECT 1 FROM runs WHERE id = ?", (text,)).fetchone():
        return text
    among = db.execute("SELECT id FROM runs WHERE substr(id, 1, ?) = ? ORDER BY started DESC", (len(text), text))
    near = [found for (found,) in among.fetchall()]
    if len(near) == 1 and text:
        return str(near[0])
    if near and text:
        raise RunMissing(f"{text!r} begins {len(near)} runs", hint=f"did you mean {' or '.join(near[:3])}?\n{_LIST}")
    import difflib

    known = [name for (name,) in db.execute("SELECT id FROM runs ORDER BY started DESC LIMIT 1000")]
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    raise RunMissing(f"no run {text!r}", hint=f"did you mean {close[0]}?\n{_LIST}" if close else _LIST)


def _latest(db: sqlite3.Connection, id: str) -> int:
    row = db.execute("SELECT attempt FROM runs WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise RunMissing(f"no run {id!r}", hint=_LIST)
    return int(row[0])


def _of_latest(columns: str, table: str) -> str:
    return (
        f"SELECT {columns} FROM {table} JOIN runs ON run = runs.id AND {table}.attempt = runs.attempt"
        f" WHERE run = ? ORDER BY {table}.id"
    )


def _row(row: tuple[Any, ...]) -> RunRow:
    id, about, status, outcome, started, ended, attempt, owner, calls, cached = row
    if status == "running" and not lease.alive(owner):
        status = "interrupted"
    try:
        return RunRow(
            id=id,
            status=status,
            outcome=None if outcome is None else values.unpack(outcome),
            started=started,
            ended=ended,
            attempt=attempt,
            calls=calls,
            cached_calls=int(cached),
            **values.unpack(about),
        )
    except TypeError as error:
        raise values.Damaged(f"not a run: {error}") from error
