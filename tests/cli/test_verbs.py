"""Every command has help that names its flags; verbs of other tools are answered with ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from spoken import OFFERS, QUESTION, begin, command, end, environment

from promptkit import __version__
from promptkit.cli.app import app, start

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PROMPTKIT_MODEL", raising=False)
    return tmp_path


def tree() -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands, with the words that name them."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while waiting:
        words, found = waiting.pop()
        yield words, found
        if hasattr(found, "list_commands"):
            context: Any = found.context_class(found, info_name="promptkit")
            waiting += [((*words, name), found.get_command(context, name)) for name in found.list_commands(context)]


COMMANDS = dict(tree())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_flag(words: tuple[str, ...], flag: str, capsys: Capture) -> None:
    assert start([*words, flag]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Usage: promptkit")
    for parameter in COMMANDS[words].params:
        for name in parameter.opts if parameter.param_type_name == "option" else ():
            assert re.search(rf"(?<![\w-]){name}(?![\w-])", out), f"{name} is missing"


def test_there_are_all_commands() -> None:
    assert {("run", "tot"), ("resume",), ("runs", "show"), ("prompts", "check"), ("doctor",)} <= set(COMMANDS)


@pytest.mark.parametrize("words", [[], ["runs"], ["prompts"]])
def test_bare_nouns_print_help(words: list[str], capsys: Capture) -> None:
    assert start(words) == 0
    assert capsys.readouterr().out.startswith("Usage: promptkit")


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "list"],
        ["runs", "show", "last"],
        ["runs", "show", "last", "--events"],
        ["runs", "show", "last", "--call", "1"],
        ["prompts", "list"],
        ["prompts", "show", "general"],
        ["prompts", "show", "general/cot"],
        ["prompts", "render", "general/cot", "-v", "question=why?"],
        ["strategies"],
        ["strategies", "tot"],
        ["models"],
        ["replay", "last"],
        ["resume", "last"],
    ],
    ids=" ".join,
)
def test_json_is_one_document_with_a_schema(words: list[str], capsys: Capture) -> None:
    assert start(["run", "direct", QUESTION, "-m", OFFERS, "-q"]) == 0
    capsys.readouterr()
    assert start([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"].startswith("promptkit.")


@pytest.mark.parametrize("strategy", ["direct", "cot", "sc", "tot"])
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_dry_run_calls_nothing_and_needs_no_journal(
    strategy: str, more: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (home / "a file").touch()
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(home / "a file" / "journal.db"))
    (home / "mute.yaml").write_text("replies: []")
    assert start(["run", strategy, QUESTION, "-m", "scripted:mute.yaml", "--dry-run", *more]) == 0
    out, err = capsys.readouterr()
    assert QUESTION in out
    if more:
        found = json.loads(out)
        assert found["samples"]["least"] >= 1
        assert QUESTION in found["prompts"][0]["messages"][0]["text"]
    else:
        assert "nothing was called" in err
    assert sorted(path.name for path in home.iterdir()) == ["a file", "mute.yaml"]


@pytest.mark.parametrize(
    ("verb", "ours"),
    [
        ("ask", "promptkit run direct"),
        ("eval", "promptkit run sc"),
        ("view", "promptkit runs show"),
        ("init", "promptkit.toml"),
        ("share", "promptkit runs export"),
        ("score", "promptkit run tot"),
        ("logs", "promptkit runs list"),
        ("tot", "promptkit run tot"),
        ("Which offer?", "promptkit run cot"),
        ("stratgies", "strategies"),
        ("frobnicate", "promptkit --help"),
    ],
)
def test_other_verbs_are_answered_with_ours(verb: str, ours: str, capsys: Capture) -> None:
    assert start([verb, "something"]) == 2
    out, err = capsys.readouterr()
    error, *hints = err.splitlines()
    assert out == ""
    assert error.startswith("error: ")
    assert ours in " ".join(hints)
    assert all(hint.startswith("  ") for hint in hints)


def test_every_hint_of_a_foreign_verb_is_a_command_that_exists() -> None:
    from promptkit.cli.usage import _OURS

    top = {words[0] for words in COMMANDS if words}
    assert not set(_OURS) & top
    for hint in _OURS.values():
        for named in re.findall(r"promptkit ([a-z]+)", hint):
            assert named in {*top, "runs", "has"}, hint


@pytest.mark.parametrize("words", [["-c", "from promptkit.cli import main; main()"], ["-m", "promptkit"], ["cli.py"]])
def test_every_door_leads_in(words: list[str], tmp_path: Path) -> None:
    for flag in ("--version", "-V"):
        done = subprocess.run(
            [sys.executable, *words, flag], cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, f"promptkit {__version__}\n", "")


def complete(home: Path, line: str) -> list[str]:
    words = line.split(" ")
    said = command(home, COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), _PROMPTKIT_COMPLETE="complete_bash")
    assert said.err == ""
    return said.out.split()


def test_completion_knows_verbs_strategies_and_flags(tmp_path: Path) -> None:
    assert "strategies" in complete(tmp_path, "promptkit ")
    assert complete(tmp_path, "promptkit run t") == ["tot"]
    assert "--n-evaluate" in complete(tmp_path, "promptkit run tot --n-")
    complete(tmp_path, "promptkit run nope ")  # nothing is said about what is not yet typed
    complete(tmp_path, "promptkit nope ")


def test_completion_can_be_shown(tmp_path: Path) -> None:
    said = end(begin(tmp_path, "--show-completion"))  # which looks at the processes above it for a shell
    assert said.code == 0, said
    assert "_PROMPTKIT_COMPLETE" in said.out
