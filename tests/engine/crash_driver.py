"""Runs that are killed, and their resumes: each in a process forked from this one, which opens no journal itself.

python crash_driver.py FOLDER CASE…   prints one JSON line a case. A case is `call:K` (killed inside the K-th call)
or `after:K+SECONDS` (that long after the K-th call began); the run that is not killed is `never`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from players import dice, prompt_of, reply
from watching import facts, tree

from promptkit import answers, api, sampling  # everything a run loads, before the first fork
from promptkit.journal import Journal, key
from promptkit.prompts import pack
from promptkit.providers.scripted import Scripted
from promptkit.strategies.search import tot
from promptkit.types import Request
from promptkit.worlds import game24

assert all((answers, sampling, tot, game24)), "loaded before the first fork"

QUESTION = "1 2 3 4"
HOW: dict[str, Any] = {"pack": "game24", "b": 2, "n_evaluate": 1, "concurrency": 4}


def model(log: Path, kill_at: int | None, delay: float) -> Scripted:
    """The player; it writes down every call before anything else, and may die in one."""
    made = 0
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def script(request: Request) -> str:
        nonlocal made
        made += 1
        line = json.dumps(key(request, "scripted:crash")) + "\n"
        os.write(out, line.encode())
        if made == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if delay:
            await asyncio.sleep(delay * (0.5 + dice("late", prompt_of(request), request.draw).random()))
        return reply(request)

    return Scripted(script, name="crash", identity="scripted:crash")


def forked(work: Callable[[], Any], result: Path | None = None, doom: Callable[[], None] | None = None) -> int:
    """Do the work in a process of its own, killed when `doom` returns; its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            said = work()
            if result:
                result.write_text(json.dumps(said))
            status = 0
        finally:
            os._exit(status)
    if doom is not None:
        doom()
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def start(folder: Path, kill_at: int | None, delay: float, **more: Any) -> dict[str, Any]:
    with Journal.open(folder / "journal.db") as journal:
        outcome = api.run(
            "tot", QUESTION, model=model(folder / "calls", kill_at, delay), journal=journal, **HOW, **more
        )
        return {"facts": facts(outcome), "tree": tree(journal.events(outcome.run))}


def resume(folder: Path) -> dict[str, Any]:
    with Journal.open(folder / "journal.db") as journal:
        (row,) = journal.runs()
        before = journal.spent(row.id)
        outcome = api.resume(row.id, model=model(folder / "calls", None, 0), journal=journal)
        return {
            "facts": facts(outcome),
            "tree": tree(journal.events(outcome.run)),
            "was": row.status,
            "spent": [before.calls, before.unsettled, before.reserved_tokens],
        }


def committed(folder: Path) -> list[str]:
    """The completions in the file as the dead process left it."""
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        try:
            return [name for (name,) in db.execute("SELECT key FROM completions")]
        except sqlite3.OperationalError:
            return []  # killed before there was a table


def calls(folder: Path) -> list[str]:
    log = folder / "calls"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def has_run(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        try:
            return bool(db.execute("SELECT 1 FROM runs").fetchone())
        except sqlite3.OperationalError:
            return False


def wait(folder: Path, many: int, seconds: float) -> None:
    """Return that long after so many calls have begun, or when they never will."""
    patience = time.monotonic() + 20
    while len(calls(folder)) < many and time.monotonic() < patience:
        time.sleep(0.0005)
    time.sleep(seconds)


def case(folder: Path, name: str) -> dict[str, Any]:
    """What became of one case."""
    folder.mkdir()
    kind, _, number = name.partition(":")
    result = folder / "result"
    if kind == "never":
        status = forked(lambda: start(folder, None, 0.0), result)
        return {"case": name, "status": status, "before": calls(folder), **json.loads(result.read_text())}
    if kind == "call":
        status = forked(lambda: start(folder, int(number), 0.0))
    else:
        many, _, seconds = number.partition("+")
        status = forked(lambda: start(folder, None, 0.004), doom=lambda: wait(folder, int(many), float(seconds)))
    before, kept = calls(folder), committed(folder)
    said: dict[str, Any] = {"case": name, "status": status, "before": before, "kept": kept}
    if not (folder / "journal.db").exists() or not has_run(folder):
        return said | {"started": False}
    said["resumed"] = forked(lambda: resume(folder), result)
    return said | {"started": True, "after": calls(folder)[len(before) :], **json.loads(result.read_text())}


def main() -> None:
    pack("game24").template("propose")
    root = Path(sys.argv[1])
    for number, name in enumerate(sys.argv[2:]):
        print(json.dumps(case(root / str(number), name)), flush=True)


if __name__ == "__main__":
    main()
