"""Which versions of which templates a run used; their texts are kept like what was attached to it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

from promptkit.events import PromptUsed
from promptkit.journal import blobs
from promptkit.journal.rows import Pinned
from promptkit.types import Blob

COLUMNS = ("id", "digest", "version", "origin", "lang", "files", "at")
_FOUND = f"SELECT run, {', '.join(COLUMNS)} FROM pins"


def keep(db: sqlite3.Connection, run: str, used: Sequence[PromptUsed]) -> None:
    """Pin templates to a run, with the text of every file they are made of; what is pinned already stays."""
    for each in used:
        texts = [(name, text.encode()) for name, text in each.files]
        files = [(name, hashlib.sha256(data).hexdigest()) for name, data in texts]
        blobs.keep(
            db,
            run,
            [Blob("file", sha, "text/markdown", data=data) for (_, sha), (_, data) in zip(files, texts, strict=True)],
        )
        insert(db, run, [(each.id, each.digest, each.version, each.origin, each.lang, json.dumps(files), time.time())])


def insert(db: sqlite3.Connection, run: str, rows: Iterable[Sequence[object]]) -> None:
    """Put rows of COLUMNS there as they are."""
    marks = ", ".join("?" * len(COLUMNS))
    db.executemany(
        f"INSERT OR IGNORE INTO pins (run, {', '.join(COLUMNS)}) VALUES (?, {marks})", [(run, *row) for row in rows]
    )


def of_run(db: sqlite3.Connection, run: str) -> list[Pinned]:
    """What a run used, by name."""
    return [_pinned(row) for row in db.execute(f"{_FOUND} WHERE run = ? ORDER BY id, at, digest", (run,))]


def of_prompt(db: sqlite3.Connection, id: str) -> list[Pinned]:
    """What runs used of a template, oldest first."""
    return [_pinned(row) for row in db.execute(f"{_FOUND} WHERE id = ? ORDER BY at, run, digest", (id,))]


def _pinned(row: tuple[str, str, str, int, str, str, str, float]) -> Pinned:
    run, id, digest, version, origin, lang, files, at = row
    made_of = tuple((str(name), str(sha)) for name, sha in json.loads(files))
    return Pinned(run=run, id=id, digest=digest, version=version, origin=origin, lang=lang, files=made_of, at=at)
