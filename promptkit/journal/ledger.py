"""Every request really sent: reserved before it goes out, settled when its outcome is known."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from promptkit.journal import values
from promptkit.journal.rows import Settled, Spent


def begin(db: sqlite3.Connection, run: str, call: str, reserved_tokens: int, reserved_cost: float | None) -> int:
    """The number of a new attempt; from now on it counts its whole reservation."""
    cursor = db.execute(
        "INSERT INTO attempts (run, call, reserved_tokens, reserved_cost, started) VALUES (?, ?, ?, ?, ?)",
        (run, call, reserved_tokens, reserved_cost, time.time()),
    )
    attempt = cursor.lastrowid
    assert attempt is not None
    return attempt


def unsend(db: sqlite3.Connection, attempt: int) -> None:
    """It was never sent after all."""
    db.execute("DELETE FROM attempts WHERE id = ?", (attempt,))


def settle(db: sqlite3.Connection, settled: Sequence[Settled]) -> None:
    """Replace reservations by what the attempts came to."""
    db.executemany(
        "UPDATE attempts SET settled = ?, input_tokens = ?, output_tokens = ?, reasoning_tokens = ?, cost = ?,"
        " samples = ?, error = ? WHERE id = ?",
        [
            (each.at, *each.tokens, each.cost, each.samples, values.printable(each.error), each.attempt)
            for each in settled
        ],
    )


def spent(db: sqlite3.Connection, run: str) -> Spent:
    """All attempts of a run and of its resumes together."""
    calls, sent, received, thought, reserved, samples, cost, held, unknown, unsettled = db.execute(
        "SELECT count(*), total(input_tokens), total(output_tokens), total(reasoning_tokens),"
        " total(CASE WHEN settled IS NULL THEN reserved_tokens END), total(samples),"
        " total(CASE WHEN settled IS NULL THEN reserved_cost ELSE cost END),"
        " total(CASE WHEN settled IS NULL THEN reserved_cost END),"
        " total((CASE WHEN settled IS NULL THEN reserved_cost ELSE cost END) IS NULL), total(settled IS NULL)"
        " FROM attempts WHERE run = ?",
        (run,),
    ).fetchone()
    return Spent(
        calls=calls,
        input_tokens=int(sent),
        output_tokens=int(received),
        reasoning_tokens=int(thought),
        reserved_tokens=int(reserved),
        samples=int(samples),
        cost=None if unknown else cost,
        reserved_cost=held,
        unsettled=int(unsettled),
    )
