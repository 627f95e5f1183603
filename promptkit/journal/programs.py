"""What programs came to, kept as completions are: the same tables, claims, uses and failures, the same way in and out.

Their names begin with a word of their own, so that nobody counts them as a model's. The value reads as a completion
without text, and the result lies beside that: a promptkit that knows nothing of programs exports and drops it as well.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from promptkit.journal import calls, values
from promptkit.journal.rows import Executed
from promptkit.types import Completion, Usage

PREFIX = "program:"
RAN = "ran"
_MODEL = "sandbox"


def is_one(column: str) -> str:
    """SQL that tells the name of a program's result from a completion's."""
    return f"substr({column}, 1, {len(PREFIX)}) = '{PREFIX}'"


def name(*parts: Any) -> str:
    """The name of JSON-able parts; the same on every machine."""
    line = json.dumps(
        parts, sort_keys=True, separators=(",", ":")
    )  # ASCII, so that half a surrogate pair can be hashed
    return PREFIX + hashlib.sha256(line.encode()).hexdigest()


def row(key: str, ran: Mapping[str, Any]) -> calls.Row:
    """A result as it will be stored."""
    return key, values.pack({**values.from_completion(Completion(text="", model=_MODEL)), RAN: ran})


def save(db: sqlite3.Connection, row: calls.Row, asked: str | bytes, identity: str) -> None:
    """Keep a result with what was (packed) asked; what is already there stays."""
    calls.save(db, row[0], [row], Usage(), asked, identity, _MODEL)


def load(db: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    """The result of that name."""
    found = db.execute("SELECT value FROM completions WHERE key = ?", (key,)).fetchone()
    return _ran(values.unpack(found[0])) if found else None


def of_run(db: sqlite3.Connection, id: str, *, ever: bool) -> list[Executed]:
    """What the latest attempt, or with `ever` any, used of them, in order."""
    rows = db.execute(
        "SELECT uses.key, span, cached, request, value FROM uses JOIN runs ON run = runs.id"
        " JOIN completions ON completions.key = uses.key JOIN calls ON calls.id = call"
        f" WHERE run = ? AND (? OR uses.attempt = runs.attempt) AND {is_one('uses.key')} ORDER BY uses.id",
        (id, ever),
    ).fetchall()
    return [
        Executed(key, span, bool(cached), values.unpack(asked), _ran(values.unpack(value)))
        for key, span, cached, asked, value in rows
    ]


def _ran(value: Any) -> dict[str, Any]:
    ran = value.get(RAN) if isinstance(value, dict) else None
    if not isinstance(ran, dict):
        raise values.Damaged("not a program's result")
    return ran
