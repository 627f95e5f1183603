"""Every test is alone: it sees none of the user's settings and leaves no model open."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptkit import api, redaction
from promptkit.journal import Journal
from promptkit.runtime import retried
from promptkit.runtime.open import close_providers


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PROMPTKIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setattr(redaction, "_read", frozenset())  # a key that one test reads may be a word that another expects


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    yield
    asyncio.run(close_providers())
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
