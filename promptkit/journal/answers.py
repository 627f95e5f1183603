"""What people answered, kept as programs' results are: in the tables of completions, under names of their own.

An answer is its run's alone: the name holds the run, the place in it and the question, so that a resume and a replay
find it and nobody else does.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

from promptkit.journal import calls, values
from promptkit.journal.rows import Answered
from promptkit.types import Completion, Usage

PREFIX = "person:"
ANSWERED = "answered"
_MODEL = "person"


def name(run: str, span: str, question: str, time: int) -> str:
    """The name of an answer: in which run and where, to which question, asked there for which time."""
    line = json.dumps([run, span, question, time], separators=(",", ":"))  # ASCII: half a surrogate pair can be hashed
    return PREFIX + hashlib.sha256(line.encode()).hexdigest()


def row(key: str, answer: str | None) -> calls.Row:
    """An answer as it will be stored; None says that they ended the questions."""
    value = {**values.from_completion(Completion(text=answer or "", model=_MODEL)), ANSWERED: {"answer": answer}}
    return key, values.pack(value)


def save(db: sqlite3.Connection, row: calls.Row, question: str | bytes) -> None:
    """Keep an answer with the (packed) question; what is already there stays."""
    calls.save(db, row[0], [row], Usage(), question, None, _MODEL)


def load(db: sqlite3.Connection, key: str) -> tuple[str | None] | None:
    """The answer of that name; None when there is none."""
    found = db.execute("SELECT value FROM completions WHERE key = ?", (key,)).fetchone()
    return (_answer(values.unpack(found[0])),) if found else None


def of_run(db: sqlite3.Connection, id: str) -> list[Answered]:
    """What the latest attempt was answered, in order."""
    rows = db.execute(
        "SELECT uses.key, span, request, value FROM uses JOIN runs ON run = runs.id"
        " JOIN completions ON completions.key = uses.key JOIN calls ON calls.id = call"
        f" WHERE run = ? AND uses.attempt = runs.attempt AND substr(uses.key, 1, {len(PREFIX)}) = '{PREFIX}'"
        " ORDER BY uses.id",
        (id,),
    ).fetchall()
    return [
        Answered(key, span, _question(values.unpack(asked)), _answer(values.unpack(value)))
        for key, span, asked, value in rows
    ]


def _question(asked: Any) -> str:
    return str(asked.get("question", "")) if isinstance(asked, dict) else ""


def _answer(value: Any) -> str | None:
    said = value.get(ANSWERED) if isinstance(value, dict) else None
    answer = said.get("answer") if isinstance(said, dict) else 0
    if not (answer is None or isinstance(answer, str)):
        raise values.Damaged("not an answer")
    return answer
