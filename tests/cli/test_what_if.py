"""`promptkit what-if`: a recorded run with other parameters, from the journal alone."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from promptkit import api
from promptkit.cli.app import start
from promptkit.strategies.prompting.direct import Direct
from promptkit.types import message

Capture = pytest.CaptureFixture[str]
REPLIES = "replies: [{say: ['Answer: 1', 'Answer: 2', 'Answer: 2', 'Answer: 1', 'Answer: 1', 'Answer: 1']}]"


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    (tmp_path / "replies.yaml").write_text(REPLIES)
    return f"scripted:{tmp_path / 'replies.yaml'}"


def ran(model: str, strategy: Any = "sc", **how: Any) -> str:
    return api.run(strategy, "How many?", model=model, **how).run


def facts(run: str) -> Any:
    """All that the journal has of a run, and how many runs there are."""
    journal = api.open_journal()
    return journal.run(run), journal.events(run), journal.calls(run), journal.spent(run), len(journal.runs())


def document(capsys: Capture, code: int, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert start(["what-if", *words, "--json"]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def test_what_the_journal_has_is_answered_and_nothing_is_written(model: str, capsys: Capture) -> None:
    run = ran(model, n=6)
    before = facts(run)
    assert start(["what-if", run, "--set", "n=3"]) == 0
    said = capsys.readouterr()
    assert said.out == "2\n"
    assert said.err.splitlines() == ["n 6 -> 3", "from 3 samples of the journal; the run answered: 1"]
    assert facts(run) == before


def test_what_is_missing_is_counted_and_the_command_draws_it(model: str, capsys: Capture) -> None:
    run = ran(model, n=3)
    body = document(capsys, 5, run, "--set", "n=6")
    assert (body["schema"], body["status"], body["changes"]) == ("promptkit.what-if/1", "missing", ["n 3 -> 6"])
    assert body["recorded"] == {"answer": "2", "status": "done"}
    assert body["missing"] == 1  # of the first round that wants more
    before = len(api.open_journal().runs())
    assert start(["what-if", run, "--set", "n=6"]) == 5
    said = capsys.readouterr()
    assert said.out == ""
    assert "at least 1 sample of it is not in the journal; the best until there: 2" in said.err
    assert body["command"] in said.err
    assert len(api.open_journal().runs()) == before
    assert start([*shlex.split(body["command"])[1:], "-q"]) == 0
    assert capsys.readouterr().out == "1\n"
    assert document(capsys, 0, run, "--set", "n=6")["missing"] == 0


def test_a_vote_and_a_rule_have_flags_of_their_own(model: str, capsys: Capture) -> None:
    run = ran(model, n=6)
    body = document(capsys, 0, run, "--vote", "complexity", "--stop", "none")
    assert body["changes"] == ["vote majority -> complexity"]


def test_a_parameter_of_a_strategy_inside(model: str, capsys: Capture) -> None:
    run = ran(model, n=3, of="persona(who=cook, of=cot(temperature=1))")
    body = document(capsys, 5, run, "--set", "of.of.temperature=0.5")
    assert body["changes"] == ["of.of.temperature 1 -> 0.5"]
    assert body["missing"] >= 1
    assert "--of 'persona(who=cook, of=cot(temperature=0.5))'" in body["command"]
    assert document(capsys, 0, run, "--set", "n=2", "--set", "of.who=cook")["changes"] == ["n 3 -> 2"]


def test_a_change_that_changes_nothing(model: str, capsys: Capture) -> None:
    run = ran(model, n=6)
    assert start(["what-if", run, "--set", "n=6"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "nothing is changed by that",
        "from 6 samples of the journal; as the run did",
    ]


def test_undecided_is_said(model: str, capsys: Capture) -> None:
    run = ran(model, n=6)
    assert start(["what-if", run, "--set", "n=2"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "undecided, from 2 samples of the journal; the run answered: 1" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "what-if wants a change"),
        (["--set", "n"], "--set wants name=value, not 'n'"),
        (["--set", "m=1"], "sc has no parameter 'm'"),
        (["--set", "n=many"], "n must be a whole number, not 'many'"),
        (["--set", "n=0"], "--n must be at least 1, not 0"),
        (["--set", "n.k=1"], "n is no strategy inside sc"),
        (["--set", "of=nobody"], "no strategy 'nobody'"),
    ],
)
def test_bad_changes(model: str, capsys: Capture, words: list[str], said: str) -> None:
    run = ran(model, n=2)
    assert start(["what-if", run, *words]) == 2
    assert said in capsys.readouterr().err


def test_the_command_leaves_out_what_the_pack_gives(capsys: Capture) -> None:
    run = api.run("tot", "1 4 9 11", pack="game24", max_calls=1).run
    body = document(capsys, 5, run, "--set", "b=2")
    assert body["command"] == "promptkit run tot --b 2 -m builtin -P game24 '1 4 9 11'"


def test_a_run_that_no_command_line_gives(model: str, capsys: Capture) -> None:
    run = ran(model, "direct", history=[message("user", "Hello"), message("assistant", "Hi")])
    assert document(capsys, 5, run, "--set", "temperature=1")["command"] is None
    assert start(["what-if", run, "--set", "temperature=1"]) == 5
    assert "from Python" in capsys.readouterr().err


def test_no_such_run(capsys: Capture) -> None:
    assert start(["what-if", "r12345678", "--set", "n=1"]) == 2
    assert "no run" in capsys.readouterr().err


def test_options_and_seed_are_in_the_command(model: str, capsys: Capture) -> None:
    run = ran(model, Direct(), seed=3, reader="number")
    body = document(capsys, 5, run, "--set", "temperature=0.5")
    assert body["command"] == f"promptkit run direct --temperature 0.5 -m {model} --reader number --seed 3 'How many?'"


def test_a_question_that_begins_with_a_dash_is_no_option(model: str, capsys: Capture) -> None:
    run = api.run("sc", "-1 + 3?", model=model, n=2).run
    command = document(capsys, 5, run, "--set", "n=3")["command"]
    assert command.endswith(" -- '-1 + 3?'")
    words = shlex.split(command)[1:]
    assert start([*words[:2], "-q", *words[2:]]) == 0
    assert capsys.readouterr().out == "2\n"


def test_what_cannot_be_counted_so_is_refused_without_a_run_to_resume(model: str, capsys: Capture) -> None:
    run = ran(model, n=3)
    capsys.readouterr()
    assert start(["what-if", run, "--vote", "choice-shuffle"]) == 2
    said = capsys.readouterr().err
    assert "needs a question with options" in said
    assert "resume" not in said
