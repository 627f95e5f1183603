"""Letting go: by age, by number, by size; what a kept or a live run needs stays. And files of an older promptkit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from pathlib import Path

import pytest

from promptkit.errors import JournalUnusable
from promptkit.journal import Journal, Keep, NewRun, blobs, schema
from promptkit.types import Blob, Completion, Usage

DAY = 86_400


def store(journal: Journal, *keys: str, text: str = "") -> None:
    done = [(key, Completion(text=text or key, model="m")) for key in keys]
    asyncio.run(journal.store(f"call of {keys}", done, Usage(calls=1, input_tokens=10, samples=len(keys))))


def run(journal: Journal, id: str, *keys: str, ago: float = 0, ended: bool = True) -> None:
    """A run of so many days ago that used these completions."""
    started = time.time() - ago * DAY
    asyncio.run(
        journal.start_run(NewRun(id=id, strategy="s", params={}, model="m", question="q", options={}, started=started))
    )
    for key in keys:
        journal.touch(id, key, "s", False)
    if ended:
        asyncio.run(journal.end_run(id, "done", {}))
        journal._writer.submit(
            lambda db: db.execute("UPDATE runs SET ended = ? WHERE id = ?", (started, id)).rowcount
        ).result()


def kept(journal: Journal) -> tuple[list[str], list[str]]:
    runs = sorted(row.id for row in journal.runs())
    return runs, [key for key in "abcdefgh" if journal.get(key)]


@pytest.fixture(params=["file", "memory"])
def three(request: pytest.FixtureRequest, tmp_path: Path) -> contextlib.AbstractContextManager[Journal]:
    """Runs of 40, 10 and 1 days ago that share b, and d that no run needs; c came in one call with a."""
    journal = Journal.open(tmp_path / "journal.db" if request.param == "file" else None)
    store(journal, "a", "c")
    store(journal, "b")
    store(journal, "d")
    store(journal, "e")
    run(journal, "old", "a", "b", ago=40)
    run(journal, "mid", "b", "e", ago=10)
    run(journal, "new", "b", ago=1)
    return contextlib.closing(journal)


@pytest.mark.parametrize(
    ("keep", "runs", "keys"),
    [
        (Keep(), "mid new old", "abce"),
        (Keep(days=30), "mid new", "be"),
        (Keep(days=5), "new", "b"),
        (Keep(days=0.5), "", ""),
        (Keep(runs=2), "mid new", "be"),
        (Keep(runs=1), "new", "b"),
        (Keep(runs=0), "", ""),
        (Keep(runs=2, days=5), "new", "b"),
        (Keep(bytes=10**9), "mid new old", "abce"),
        (Keep(bytes=1), "new", "b"),
    ],
)
def test_what_stays(three: contextlib.AbstractContextManager[Journal], keep: Keep, runs: str, keys: str) -> None:
    with three as journal:
        before = kept(journal)
        plan = journal.prune(keep, dry=True)
        assert kept(journal) == before, "a dry run removes nothing"
        freed = journal.prune(keep)
        assert freed == plan
        assert kept(journal) == (runs.split(), list(keys))
        assert set(freed.runs) == {"old", "mid", "new"} - set(runs.split())
        assert freed.completions == len(before[1]) - len(keys)
        assert journal.prune(keep).completions == 0
        for row in journal.runs():  # what stays is whole
            assert all(journal.get(key) for key, _, _ in journal.calls(row.id))


def test_a_live_run_loses_nothing(journal_file: Journal) -> None:
    store(journal_file, "a")
    run(journal_file, "dead", ago=50)
    run(journal_file, "live", ago=40, ended=False)  # has bought a, and has not noted its use yet
    freed = journal_file.prune(Keep(days=1, runs=0, bytes=1))
    assert freed.runs == ("dead",)
    assert kept(journal_file) == (["live"], ["a"])


def test_a_run_whose_process_is_gone_is_as_old_as_its_start(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        run(journal, "cut", ago=40, ended=False)
        journal._writer.submit(
            lambda db: db.execute("UPDATE runs SET owner = ?", ("gone/999999/1/x",)).rowcount
        ).result()
        assert journal.prune(Keep(days=30)).runs == ("cut",)


def test_the_oldest_go_until_it_fits_and_the_file_shrinks(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        for number in range(8):
            store(journal, "abcdefgh"[number], text=os.urandom(100_000).hex())
            run(journal, f"r{number}", "abcdefgh"[number], ago=20 - number)
        assert journal.stats()["bytes"] > 800_000
        journal.prune(Keep(bytes=500_000))
        journal.compact()
        assert 300_000 < journal.stats()["bytes"] <= 500_000
        runs, keys = kept(journal)
        assert runs == [f"r{number}" for number in range(8 - len(runs), 8)]
        assert keys == list("abcdefgh"[8 - len(runs) :])
        assert journal.holdings()["bytes"] <= 500_000


def test_it_is_done_once_a_day_and_nobody_waits_for_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        for name in ("first", "second"):
            run(journal, name, ago=40)
            journal.tidy(Keep(days=30))
            asyncio.run(journal.flush())
        assert [row.id for row in journal.runs()] == ["second"], "the second was due a day later"
        journal._writer.submit(lambda db: db.execute("UPDATE chores SET at = at - 90000").rowcount).result()
        journal.tidy(Keep(days=30))
        assert journal.runs() == []


def test_what_it_holds_and_saved(journal: Journal) -> None:
    store(journal, "a", "c")
    run(journal, "r", "a", "c")
    run(journal, "s")
    for _ in range(2):
        journal.touch("s", "a", "s", True)
    journal.touch("s", "c", "s", True)
    held = journal.holdings()
    assert (held["runs"], held["calls"], held["completions"]) == (2, 1, 2)
    assert held["saved"] == {"calls": 1, "tokens": 10}, "two samples of one call were one call"
    assert held["models"] == [{"model": "m", "calls": 1, "completions": 2, "input_tokens": 10, "output_tokens": 0}]


# the tables of version 1, as the first promptkit made them
VERSION_1 = """
CREATE TABLE calls (
    id TEXT PRIMARY KEY, request NOT NULL, samples INTEGER NOT NULL, usage TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE completions (key TEXT PRIMARY KEY, call TEXT NOT NULL, value NOT NULL, at REAL NOT NULL);
CREATE INDEX completions_call ON completions (call);
CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, run TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, call TEXT NOT NULL,
    reserved_tokens INTEGER NOT NULL, reserved_cost REAL, started REAL NOT NULL,
    settled REAL, input_tokens INTEGER, output_tokens INTEGER, cost REAL, samples INTEGER, error TEXT
);
CREATE INDEX attempts_run ON attempts (run);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, about NOT NULL, status TEXT NOT NULL, outcome, started REAL NOT NULL, ended REAL,
    attempt INTEGER NOT NULL, owner TEXT
);
CREATE INDEX runs_started ON runs (started);
CREATE TABLE events (id INTEGER PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL, record NOT NULL);
CREATE INDEX events_run ON events (run, attempt);
CREATE TABLE uses (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL,
    key TEXT NOT NULL, span TEXT NOT NULL, cached INTEGER NOT NULL
);
CREATE INDEX uses_run ON uses (run, attempt);
CREATE INDEX uses_key ON uses (key);
CREATE TABLE failures (
    run TEXT NOT NULL, key TEXT NOT NULL, error NOT NULL, PRIMARY KEY (run, key)
) WITHOUT ROWID;
INSERT INTO calls VALUES ('call', 'null', 1, '{"input_tokens":7,"samples":1}', 5.0);
INSERT INTO completions VALUES ('old', 'call', '{"text":"said long ago","model":"m"}', 5.0);
INSERT INTO runs VALUES ('r1', '{"strategy":"s","params":{},"model":"m","question":"q","pack":"general","seed":0,'
    || '"options":{},"source":""}', 'done', NULL, 5.0, 6.0, 1, NULL);
INSERT INTO uses VALUES (1, 'r1', 1, 'old', 's', 0);
PRAGMA application_id = 1886087788;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""


def first_version(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)


def tables(path: Path) -> list[tuple[str, list[str]]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [(name, [column[1] for column in db.execute(f"PRAGMA table_info({name})")]) for name in names]


def test_a_journal_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.db", tmp_path / "new.db"
    first_version(old)
    Journal.open(fresh).close()
    with Journal.open(old) as journal:
        stored = journal.get("old")
        assert stored is not None
        assert (stored.completion.text, stored.usage.input_tokens) == ("said long ago", 7)
        assert journal.run("r1").calls == 1
        assert [model["model"] for model in journal.holdings()["models"]] == ["m"]
        store(journal, "new")
    with Journal.open(old) as journal:
        assert journal.get("old")
        assert journal.get("new")
    assert tables(old) == tables(fresh)
    with contextlib.closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_two_who_open_it_at_once_bring_it_up_to_date_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    first_version(tmp_path / "j.db")
    with ThreadPoolExecutor(8) as pool:
        for opened in pool.map(lambda _: Journal.open(tmp_path / "j.db"), range(8)):
            assert opened.get("old")
            opened.close()


def test_an_older_promptkit_refuses_it_and_leaves_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.db"
    Journal.open(path).close()
    before = path.read_bytes()
    monkeypatch.setattr(schema, "VERSION", 1)
    with pytest.raises(JournalUnusable, match=r"written by a newer promptkit \(version 4, this one reads 1\)"):
        Journal.open(path)
    assert path.read_bytes() == before


def test_who_has_an_older_file_open_goes_on(tmp_path: Path) -> None:
    """An older promptkit writes the columns it knows by name."""
    first_version(tmp_path / "j.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as older:
        older.execute("SELECT count(*) FROM calls").fetchall()
        with Journal.open(tmp_path / "j.db") as journal:
            older.execute("INSERT INTO calls (id, request, samples, usage, at) VALUES ('c2', 'null', 1, '{}', 1.0)")
            older.execute('INSERT INTO completions VALUES (\'k2\', \'c2\', \'{"text":"x","model":"m"}\', 1.0)')
            assert journal.get("k2")


def test_a_run_that_goes_takes_its_texts_at_no_cost_of_the_others(tmp_path: Path) -> None:
    steps = [0]

    def work(db: sqlite3.Connection) -> int:
        for n in range(400):
            blobs.keep(db, f"r{n:03}", [Blob("file", f"{sha}", "", data=b"x") for sha in (f"own {n}", "everybody's")])

        def count() -> int:
            steps[0] += 100
            return 0

        db.set_progress_handler(count, 100)
        blobs.drop(db, "r000")
        db.set_progress_handler(None, 0)
        return int(db.execute("SELECT count(*) FROM blobs").fetchone()[0])

    with contextlib.closing(Journal.open(tmp_path / "journal.db")) as journal:
        assert journal._writer.submit(work).result() == 400
    assert steps[0] < 40_000  # of SQLite's machine; each text looked for among all runs takes a million
