"""Every test is alone: it sees none of the user's settings and leaves no model open."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import promptkit.runtime.open as opening
from promptkit import api, redaction
from promptkit.journal import Journal
from promptkit.runtime import retried

# Hundreds of processes are started, and two workers read every test: what one has compiled the next need not.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for each test; within one, for pytest looks through all of its own to number the next."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def _alone(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    home = next(_homes)
    home.mkdir()
    for name in list(os.environ):
        if name.startswith("PROMPTKIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PROMPTKIT_HOME", str(home))
    monkeypatch.setattr(redaction, "_read", frozenset())  # a key that one test reads may be a word that another expects


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    if opening._open:  # for most tests a loop would take longer than the test
        asyncio.run(opening.close_providers())
    api._close_journals()  # each test has one of its own: their files would add up


@pytest.fixture
def journal() -> Iterator[Journal]:
    with Journal.open(None) as opened:
        yield opened


@pytest.fixture
def journal_file(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db") as opened:
        yield opened


@pytest.fixture
def instant_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retried, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(retried, "LONGEST_WAIT", 0.0)
