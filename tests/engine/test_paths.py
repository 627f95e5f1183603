"""Paths of every kind: drive letters, spaces, other scripts; and a wait that Ctrl-C can end where waits are short."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import promptkit as pk
from promptkit import sync
from promptkit.runtime.open import open_provider

REPLIES = "replies: [{say: a reply}]"


@pytest.mark.parametrize("name", ["two words.yaml", "réponses 回答.yaml", "it's.yaml", "a#b%20c.yaml"])
def test_a_file_of_replies_may_be_called_anything(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "my folder é"
    folder.mkdir()
    (folder / name).write_text(REPLIES, "utf-8")
    journal = folder / "journal ü.db"
    outcome = pk.run("direct", "?", model=f"scripted:{folder / name}", reader="text", journal=journal)
    assert outcome.answer == "a reply"
    assert journal.is_file()


@pytest.mark.parametrize("name", [r"C:\replies\y.yaml", "C:/replies/y.yaml", "a:b:c.yaml"])
def test_only_the_first_colon_of_a_models_name_splits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def opened(rest: str, options: object) -> Silent:
        asked.append(rest)
        return Silent()

    monkeypatch.setattr("promptkit.registry.load", lambda kind, provider: opened)
    monkeypatch.setattr("promptkit.registry.plugin", lambda kind, provider: None)
    monkeypatch.chdir(tmp_path)
    open_provider(f"scripted:{name}")
    assert asked == [str(Path(name).absolute())]
    assert asked[0].endswith(str(Path(name)))


class Silent:
    async def aclose(self) -> None: ...


def test_short_waits_give_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows tells of Ctrl-C between waits, so there a long one is made of short ones."""
    monkeypatch.setattr(sync, "_BREATH", 0.005)

    async def late(seconds: float) -> str:
        await asyncio.sleep(seconds)
        if seconds > 0.03:
            raise TimeoutError("of the work itself")
        return "done"

    assert sync.run(late(0.02)) == "done"
    with pytest.raises(TimeoutError, match="of the work itself"):
        sync.run(late(0.04))
