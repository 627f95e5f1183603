"""What cannot be a journal is refused in one line, left as it is, with the command that gets on."""

from __future__ import annotations

import asyncio
import io
import os
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from promptkit.errors import JournalUnusable
from promptkit.journal import Journal, NewRun
from promptkit.types import Completion, Usage


def refused(path: Path) -> JournalUnusable:
    """The refusal to open the path, which must leave it alone."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalUnusable) as info:
        Journal.open(path)
    if before is not None:
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert "\n" not in info.value.message
    assert str(path) in info.value.message
    assert "PROMPTKIT_JOURNAL=" in info.value.hint
    return info.value


def filled(path: Path, count: int = 1) -> None:
    with Journal.open(path) as journal:
        done = [(f"key{n}", Completion(text=f"text {n} " + "ab" * 700, model="m")) for n in range(count)]
        asyncio.run(journal.store("call", done, Usage()))


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
    finally:
        connection.close()


def move_aside(error: JournalUnusable) -> str:
    prefix = "move it aside: "
    return next(line for line in error.hint.splitlines() if line.startswith(prefix)).removeprefix(prefix)


def test_missing_folders_are_made_private(tmp_path: Path) -> None:
    Journal.open(tmp_path / "a" / "b" / "journal.db").close()
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert sys.platform == "win32" or folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    assert "is a folder" in refused(tmp_path / "journal.db").message


def test_a_file_in_place_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalUnusable, match="cannot be made"):
        Journal.open(tmp_path / "file" / "sub" / "journal.db")
    with pytest.raises(JournalUnusable):
        Journal.open(tmp_path / "file" / "journal.db")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_place_nobody_can_write() -> None:
    refused(Path("/proc/promptkit/journal.db"))
    refused(Path("/proc/journal.db"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write read-only files")
def test_a_read_only_journal(tmp_path: Path) -> None:
    filled(tmp_path / "journal.db")
    (tmp_path / "journal.db").chmod(0o400)
    assert "is read-only" in refused(tmp_path / "journal.db").message


@pytest.mark.parametrize("content", [b"x", b"Dear journal,\n" * 1000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    assert "is not a database" in refused(path).message


def test_a_newer_journal(tmp_path: Path) -> None:
    filled(tmp_path / "journal.db")
    execute(tmp_path / "journal.db", "PRAGMA user_version = 99")
    assert "written by a newer promptkit (version 99" in refused(tmp_path / "journal.db").message


def test_another_programs_database(tmp_path: Path) -> None:
    execute(tmp_path / "journal.db", "CREATE TABLE theirs (x)")
    assert "another program's database" in refused(tmp_path / "journal.db").message
    execute(tmp_path / "journal.db", "PRAGMA application_id = 42")
    assert "another program's database" in refused(tmp_path / "journal.db").message


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    filled(tmp_path / "journal.db")


@pytest.mark.skipif(sys.platform == "win32", reason="the command is for a POSIX shell")
def test_the_hint_is_the_command_that_gets_on(tmp_path: Path) -> None:
    path = tmp_path / "it's my journal.db"
    path.write_bytes(b"no database")
    command = move_aside(refused(path))
    assert shlex.split(command) == ["mv", str(path), f"{path}.bad"]
    subprocess.run(command, shell=True, check=True)
    filled(path)
    assert Path(f"{path}.bad").read_bytes() == b"no database"


def corrupt(path: Path) -> None:
    """Overwrite everything after the first page."""
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def new_run(journal: Journal) -> None:
    asyncio.run(
        journal.start_run(NewRun(id="r", strategy="s", params={}, model="m", question="q", options={}, started=0))
    )


TOUCHING: list[Callable[[Journal], object]] = [
    lambda journal: journal.get("key1"),
    lambda journal: journal.runs(),
    lambda journal: journal.spent("r"),
    lambda journal: journal.export("r", io.StringIO()),
    lambda journal: asyncio.run(journal.claim(["key1"], "r")),
    lambda journal: asyncio.run(journal.wait("key1")),
    lambda journal: asyncio.run(journal.store("c", [("key1", Completion(text="", model=""))], Usage())),
    new_run,
]


@pytest.mark.parametrize("touch", TOUCHING)
def test_corruption_met_later_is_told_the_same_way(tmp_path: Path, touch: Callable[[Journal], object]) -> None:
    path = tmp_path / "journal.db"
    filled(path, 200)
    corrupt(path)
    with Journal.open(path) as journal:
        with pytest.raises(JournalUnusable, match="is corrupted") as info:
            touch(journal)
        assert "\n" not in info.value.message
        assert move_aside(info.value).startswith(("mv ", "move "))


@pytest.mark.parametrize("value", ["'{'", "x'28b52ffd00'", "'[]'", "'{\"model\":1}'"])
def test_a_damaged_value_is_told_the_same_way(tmp_path: Path, value: str) -> None:
    filled(tmp_path / "journal.db")
    execute(tmp_path / "journal.db", f"UPDATE completions SET value = {value}")
    with Journal.open(tmp_path / "journal.db") as journal, pytest.raises(JournalUnusable, match="is corrupted"):
        journal.get("key0")


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    text = os.urandom(50_000).hex()

    stored: list[str] = []

    async def fill(journal: Journal) -> None:
        for number in range(1000):
            await journal.store(f"c{number}", [(f"key{number}", Completion(text=text, model="m"))], Usage())
            stored.append(f"key{number}")

    async def waited(journal: Journal) -> None:
        """A buyer who cannot store holds nobody up."""
        assert await journal.claim(["a"], "r") == {"a"}
        waiting = asyncio.create_task(journal.wait("a"))
        await asyncio.sleep(0.01)
        with pytest.raises(JournalUnusable):
            await journal.store("c", [("a", Completion(text=text, model="m"))], Usage())
        assert await asyncio.wait_for(waiting, 5) is None

    with Journal.open(tmp_path / "journal.db") as journal:
        journal._writer.submit(lambda db: db.execute("PRAGMA max_page_count = 100").fetchall()).result()
        with pytest.raises(JournalUnusable, match="the disk is full"):
            asyncio.run(fill(journal))
        asyncio.run(waited(journal))
    with Journal.open(tmp_path / "journal.db") as journal:
        assert stored
        assert all(journal.get(key) for key in stored)
        assert journal.get(f"key{len(stored)}") is None


def test_a_journal_deleted_meanwhile_is_not_made_anew_by_a_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(JournalUnusable):
            journal.get("a")
        assert not path.exists()
