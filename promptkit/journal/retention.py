"""What the journal lets go of: old runs, and completions that no kept run needs. A live run loses nothing."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from promptkit.journal import lease, runs

DAY = 86_400.0
CHORE = "retention"  # when it was last done, in `chores`


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept. Nothing given: every run, and what they need."""

    days: float | None = None  # runs that ended longer ago go
    runs: int | None = None  # so many of the newest stay
    bytes: int | None = None  # the oldest go until the journal takes no more

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.days, self.runs, self.bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What went; `bytes` is the room that is free again inside the file."""

    runs: tuple[str, ...] = ()
    completions: int = 0
    bytes: int = 0


class Undone(Exception):
    """Carries what would have gone out of a transaction that is rolled back."""

    def __init__(self, freed: Freed) -> None:
        super().__init__(freed)
        self.freed = freed


def prune(db: sqlite3.Connection, keep: Keep, *, dry: bool = False) -> Freed:
    """What went; with `dry`, nothing goes and Undone tells what would have gone."""
    before, now = used(db), time.time()
    rows = db.execute("SELECT id, coalesce(ended, started), started, owner FROM runs ORDER BY started DESC, rowid DESC")
    every = rows.fetchall()
    living = [started for _, _, started, owner in every if lease.alive(owner)]
    oldest_first = [
        (number, id, ended) for number, (id, ended, _, owner) in enumerate(every) if not lease.alive(owner)
    ][::-1]
    # What is being bought belongs to a run that has not noted its use yet.
    horizon = min(living, default=now)
    gone: list[str] = []
    for number, id, ended in oldest_first:
        old = keep.days is not None and ended < now - keep.days * DAY
        surplus = keep.runs is not None and number >= keep.runs
        if old or surplus:
            runs.erase(db, id)
            gone.append(id)
    completions = _orphans(db, horizon)
    for number, id, _ in oldest_first:
        if keep.bytes is None or used(db) <= keep.bytes:
            break
        if id not in gone and number:  # the newest always stays: somebody has just seen it
            runs.erase(db, id)
            gone.append(id)
            completions += _orphans(db, horizon)
    freed = Freed(runs=tuple(gone), completions=completions, bytes=max(0, before - used(db)))
    if dry:
        raise Undone(freed)
    return freed


def due(db: sqlite3.Connection) -> bool:
    """Whether a day has passed since it was last done; if so, it counts as done now."""
    row = db.execute("SELECT at FROM chores WHERE name = ?", (CHORE,)).fetchone()
    now = time.time()
    if row and now - DAY < row[0] <= now:
        return False
    db.execute("INSERT OR REPLACE INTO chores (name, at) VALUES (?, ?)", (CHORE, now))
    return True


def used(db: sqlite3.Connection) -> int:
    """The bytes in use; what is free inside the file is not."""
    (pages,), (free,), (size,) = (
        db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _orphans(db: sqlite3.Connection, horizon: float) -> int:
    """Delete the completions of calls that no run used; returns how many. Spare draws of a used call stay."""
    needed = "SELECT call FROM completions JOIN uses ON uses.key = completions.key"
    gone = db.execute(f"DELETE FROM completions WHERE at < ? AND call NOT IN ({needed})", (horizon,)).rowcount
    if gone:
        db.execute("DELETE FROM calls WHERE NOT EXISTS (SELECT 1 FROM completions WHERE call = calls.id)")
    return gone
