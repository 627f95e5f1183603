"""Settings: where each comes from, what is refused, and what they do."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from spoken import Said, command, environment, is_error

from promptkit import api, settings
from promptkit.journal import Journal, NewRun
from promptkit.providers.scripted import Scripted


def shown(home: Path, **env: str) -> dict[str, Any]:
    return {
        each["setting"]: each for each in json.loads(command(home, "config", "show", "--json", **env).out)["settings"]
    }


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('model = "ollama:user"\nconcurrency = 2\n[journal]\nkeep_days = 90\n')
    (tmp_path / "promptkit.toml").write_text('model = "ollama:project"\n[journal]\nmax_size = "2MB"\n')
    found = shown(tmp_path, PROMPTKIT_CONCURRENCY="5")
    assert (found["model"]["value"], found["model"]["origin"]) == ("ollama:project", str(tmp_path / "promptkit.toml"))
    assert (found["concurrency"]["value"], found["concurrency"]["origin"]) == (5, "PROMPTKIT_CONCURRENCY")
    assert found["journal.keep_days"]["value"] == 90
    assert found["journal.keep_days"]["origin"] == str(tmp_path / "config.toml")
    assert found["journal.max_size"]["value"] == 2_000_000
    shown_sizes = [line.split()[-1] for line in command(tmp_path, "config", "show").out.splitlines() if "size" in line]
    assert shown_sizes == ["2MB"]
    table = command(tmp_path, "config", "show", "--origin").out
    assert str(tmp_path / "promptkit.toml") in table
    assert "PROMPTKIT_JOURNAL_KEEP_DAYS" in table


def test_the_defaults_keep_everything(tmp_path: Path) -> None:
    lines = command(tmp_path, "config", "show").out.splitlines()
    assert lines[0].split() == ["setting", "value"]
    told = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in lines[1:]}
    assert (told["model"], told["concurrency"]) == ("builtin", "8")
    assert told["journal.keep_days"] == told["journal.max_size"] == "keep everything"
    assert told["journal.path"] == str(tmp_path / "journal.db")
    assert list(told) == list(settings.SETTINGS)


def test_the_file_to_write_into(tmp_path: Path) -> None:
    assert command(tmp_path, "config", "path").out == f"{tmp_path / 'config.toml'}\n"
    (tmp_path / "promptkit.toml").touch()
    assert command(tmp_path, "config", "path").out == f"{tmp_path / 'promptkit.toml'}\n"
    assert command(tmp_path, "config", "path", "--user").out == f"{tmp_path / 'config.toml'}\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("modle = 'x'", "no setting 'modle'", "did you mean model?"),
        ("[journal]\nkeep_day = 3", "no setting 'journal.keep_day'", "did you mean journal.keep_days?"),
        ("journal = 'x.db'", "no setting 'journal'", "[journal]"),
        ("concurrency = 'many'", "concurrency must be a whole number above 0, not 'many'", "e.g. concurrency = 4"),
        ("concurrency = true", "concurrency must be a whole number above 0, not True", "e.g. concurrency = 4"),
        ("model = 3", "model must be text in quotes, not 3", 'e.g. model = "ollama:qwen3:8b"'),
        ("[journal]\nmax_size = 'big'", "a size above 0, such as 500MB or 1GB", 'e.g. max_size = "1GB"'),
        ("[journal]\nkeep_days = -1", "days above 0", "e.g. keep_days = 90"),
    ],
)
@pytest.mark.parametrize("words", [("config", "show"), ("run", "cot", "which?", "-q")])
def test_what_cannot_be_a_setting(tmp_path: Path, text: str, message: str, hint: str, words: tuple[str, ...]) -> None:
    (tmp_path / "promptkit.toml").write_text(text)
    said: Said = command(tmp_path, *words, PROMPTKIT_JOURNAL="")
    assert hint in is_error(said, 2)
    assert f"{tmp_path / 'promptkit.toml'}: " in said.err
    assert message in said.err


@pytest.mark.parametrize(
    ("reads", "value", "wanted"),
    [
        (settings.size, "1GB", 10**9),
        (settings.size, "1 GiB", 2**30),
        (settings.size, "1.5m", 1_500_000),
        (settings.size, 500, 500),
        (settings.days, "30d", 30),
        (settings.days, "12h", 0.5),
        (settings.days, "2w", 14),
        (settings.days, 7, 7),
        (settings.whole, 8, 8),
    ],
)
def test_spellings(reads: Any, value: Any, wanted: float) -> None:
    assert reads(value) == wanted


@pytest.mark.parametrize("spelling", ["1GB", "1GiB", "500MB", "1536MiB", "2KB", "7 bytes"])
def test_a_size_is_shown_as_it_is_written(spelling: str) -> None:
    assert settings.sized(settings.size(spelling.removesuffix("ytes"))) == spelling


def test_a_file_in_a_settings_file_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "s.yaml").write_text("replies: [{say: x}]")
    (tmp_path / "project" / "promptkit.toml").write_text('model = "scripted:../s.yaml"')
    monkeypatch.chdir(tmp_path / "project")
    assert settings.default_model() == f"scripted:{tmp_path / 's.yaml'}"
    home = tmp_path / "project"
    assert f"scripted:{tmp_path / 's.yaml'}" in command(home, "config", "show").out
    assert f"default: scripted:{tmp_path / 's.yaml'}  (" in command(home, "models").out


def test_the_journal_may_be_named_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "promptkit.toml").write_text("[journal]\npath = 'kept/runs.db'\n")
    monkeypatch.chdir(tmp_path / "sub")
    assert settings.journal_path() == tmp_path / "kept" / "runs.db", "beside the file that names it"
    monkeypatch.setenv("PROMPTKIT_JOURNAL", "memory")
    assert settings.journal_path() is None
    monkeypatch.setenv("PROMPTKIT_JOURNAL", "here.db")
    assert settings.journal_path() == Path("here.db")


def test_a_project_has_a_journal_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "promptkit.toml").touch()
    env = environment(tmp_path, PROMPTKIT_JOURNAL="")
    assert env["PROMPTKIT_JOURNAL"] == ""
    body = json.loads(command(tmp_path, "config", "show", "--json", PROMPTKIT_JOURNAL="").out)
    assert body["journal"] == str(tmp_path / ".promptkit" / "journal.db")


@pytest.mark.parametrize("given", ["the journal in force", "another"])
def test_what_is_old_goes_when_a_run_ends(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "promptkit.toml").write_text("[journal]\nkeep_days = 30\n")
    monkeypatch.chdir(tmp_path)
    here = settings.journal_path()
    assert here
    ours = given == "the journal in force"
    with Journal.open(here if ours else tmp_path / "archive.db") as journal:
        old = NewRun(id="r", strategy="s", params={}, model="m", question="q", options={}, started=time.time())
        asyncio.run(journal.start_run(old))
        asyncio.run(journal.end_run("r", "done", {}))
        journal._writer.submit(lambda db: db.execute("UPDATE runs SET ended = 1, started = 1").rowcount).result()
        outcome = api.run("direct", "which?", model=Scripted(lambda _: "Answer: 1"), journal=journal)
        left = [row.id for row in journal.runs()]
        assert left == [outcome.run] if ours else left == [outcome.run, "r"]
