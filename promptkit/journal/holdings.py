"""What the journal holds, and what it saved."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from promptkit.journal import beside, programs, values


def holdings(db: sqlite3.Connection) -> dict[str, Any]:
    """Counts, models, ages, and what was answered from the journal instead of being bought again."""
    no_model, a_program = beside.is_one("key"), programs.is_one("key")
    (runs,), (ran,), (completions, oldest, newest) = (
        db.execute("SELECT count(*) FROM runs").fetchone(),
        db.execute(f"SELECT count(*) FROM completions WHERE {a_program}").fetchone(),
        db.execute(f"SELECT count(*), min(at), max(at) FROM completions WHERE NOT {no_model}").fetchone(),
    )
    models: dict[str, Counter[str]] = {}
    usages: dict[str, int] = {}
    for call, model, usage, kept in db.execute(
        "SELECT id, model, usage, (SELECT count(*) FROM completions WHERE call = calls.id) FROM calls"
        f" WHERE NOT {beside.is_one('id')}"
    ).fetchall():
        spent = values.to_usage(values.unpack(usage))
        usages[call] = spent.tokens
        counts = models.setdefault(model or _model(db, call), Counter())
        counts.update(calls=1, completions=kept, input_tokens=spent.input_tokens, output_tokens=spent.output_tokens)
    # A call that brought several samples is saved once for each attempt that used any of them.
    hits = db.execute(
        "SELECT call, count(DISTINCT run || ' ' || attempt) FROM uses JOIN completions ON completions.key = uses.key"
        f" WHERE cached AND NOT {beside.is_one('call')} GROUP BY call"
    ).fetchall()
    return {
        "runs": runs,
        "calls": len(usages),
        "completions": completions,
        "programs": ran,
        "oldest": oldest,
        "newest": newest,
        "models": [{"model": name, **counts} for name, counts in sorted(models.items())],
        "saved": {
            "calls": sum(times for _, times in hits),
            "tokens": sum(usages.get(call, 0) * times for call, times in hits),
        },
    }


def _model(db: sqlite3.Connection, call: str) -> str:
    """The model of a call of which an older promptkit did not note it."""
    row = db.execute("SELECT value FROM completions WHERE call = ? LIMIT 1", (call,)).fetchone()
    return values.to_completion(values.unpack(row[0])).model if row else "unknown"
