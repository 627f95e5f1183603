"""Layers on the command line: they stack over any strategy, in any order, and the exact messages can be seen."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from promptkit import api
from promptkit.cli import complete
from promptkit.cli.app import start
from promptkit.cli.front import plain_run

Capture = pytest.CaptureFixture[str]
TABLE = "| city | people |\n| --- | --- |\n| Lyon | 0.5 |"
REPLIES = """
replies:
  - when: nobody can be asked
    say: "length: short"
  - when: does not have the form
    say: "| city | people |\\n| --- | --- |\\n| Lyon | 0.5 |"
  - say: ["Answer: Lyon", "Answer: Paris", "Answer: Lyon", "Answer: Lyon", "Answer: Lyon"]
"""


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    (tmp_path / "replies.yaml").write_text(REPLIES)
    return f"scripted:{tmp_path / 'replies.yaml'}"


def document(capsys: Capture, *words: str) -> dict[str, Any]:
    assert start([*words, "--json"]) == 0
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def test_a_dry_run_shows_the_exact_messages(model: str, capsys: Capture) -> None:
    words = ["run", "cot", "Which city?", "--structured", "table:city,people", "--pattern", "fact-check", "-m", model]
    body = document(
        capsys, *words, "--pattern", "template:NAME", "--audience", "a child", "--persona", "a cook", "--dry-run"
    )
    (prompt,) = body["prompts"]
    system, user = prompt["messages"]
    assert system["text"].startswith("You are a cook. Answer as a cook would.\nAssume that whoever asks is a child.")
    parts = [
        "Which city?",
        "list the facts",
        "placeholders",
        "NAME",
        "Markdown table",
        "| city | people |",
        "step by step",
    ]
    places = [user["text"].index(part) for part in parts]
    assert places == sorted(places)
    assert body["samples"] == {"least": 1, "expected": None, "most": 4}


def test_the_text_in_its_form_goes_to_stdout_and_the_answer_beside_it(model: str, capsys: Capture) -> None:
    words = ["run", "cot", "Which city?", "-m", model, "--structured", "table:city,people"]
    assert start([*words, "-q"]) == 0
    assert capsys.readouterr().out == f"{TABLE}\n"
    body = document(capsys, *words)
    assert (body["answer"], body["detail"]["structured"]["text"]) == ("Lyon", TABLE)
    assert start(["replay", "last", "-q"]) == 0
    assert capsys.readouterr().out == f"{TABLE}\n"


def test_a_form_that_is_not_there_leaves_the_answer(model: str, capsys: Capture) -> None:
    assert start(["run", "cot", "Which city?", "-m", model, "--structured", "steps", "-q"]) == 0
    said = capsys.readouterr()
    assert said.out == "Lyon\n"
    assert "does not have the form steps" in said.err


def test_the_order_of_the_flags_does_not_matter(model: str, capsys: Capture) -> None:
    flags = (("--persona", "a cook"), ("--reflect",), ("--descriptive",), ("--pattern", "recipe"))
    shown = [
        document(capsys, "run", "direct", "Which city?", "-m", model, *chain(*order), "--dry-run")
        for order in (flags, tuple(reversed(flags)))
    ]
    assert shown[0] == shown[1]


def test_what_if_reaches_the_strategy_inside(model: str, capsys: Capture) -> None:
    words = ["run", "sc", "Which city?", "--n", "5", "-m", model, "--persona", "a cook", "--pattern", "recipe"]
    assert start([*words, "-q"]) == 0
    capsys.readouterr()
    body = document(capsys, "what-if", "last", "--set", "n=3")
    assert body["changes"] == ["of.of.n 5 -> 3"]
    assert (body["answer"], body["missing"]) == ("Lyon", 0)
    assert start(["what-if", "last", "--set", "who=a judge"]) == 5  # its calls were never made
    assert "of=sc(n=5))" in capsys.readouterr().err


def test_an_audience_is_a_parameter_of_persona_itself(model: str, capsys: Capture) -> None:
    assert start(["run", "persona", "Which city?", "--audience", "a child", "-m", model, "-q"]) == 0
    assert api.runs(1)[0].params["audience"] == "a child"
    assert api.runs(1)[0].params["of"]["strategy"] == "cot"


def test_strategies_are_compared_inside_the_same_layers(model: str, capsys: Capture) -> None:
    body = document(capsys, "compare", "Which city?", "-s", "cot,sc(n=3)", "--persona", "a cook", "-m", model)
    assert [run["strategy"] for run in body["runs"]] == ["persona", "persona"]
    assert [run["answer"] for run in body["runs"]] == ["Lyon", "Lyon"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--persona", " "], "--persona is empty"),
        (["--structured", "tabel:a"], "no form 'tabel'"),
        (["--structured", "title", "--structured", "steps"], "give --structured once"),
        (["--structured=title", "--structured=title"], "--structured is given twice"),
        (["--pattern", "fact-chek"], "did you mean fact-check?"),
        (["--pattern", "recipe", "-P", "game24"], "the puzzles of game24 go as they are"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_asked(
    flags: list[str], said: str, model: str, capsys: Capture
) -> None:
    assert start(["run", "cot", "4 5 6 10", "-m", model, *flags]) == 2
    assert said in capsys.readouterr().err
    assert api.runs() == []


def test_the_help_has_them_under_a_heading(capsys: Capture) -> None:
    for words in (["run", "cot", "--help"], ["compare", "--help"]):
        assert start(words) == 0
        options, _, layers = capsys.readouterr().out.partition("\nLayers:\n")
        assert "--seed" in options
        assert "--persona" not in options
        for flag in (
            "--persona WHO",
            "--audience WHO",
            "--structured FORM",
            "--pattern NAME",
            "--descriptive",
            "--reflect",
        ):
            assert flag in layers
    assert start(["run", "persona", "--help"]) == 0
    assert capsys.readouterr().out.count("--audience") == 1


def test_a_plain_line_with_layers_needs_no_library() -> None:
    understood = plain_run(["run", "cot", "Why?", "--pattern", "recipe", "--pattern", "fact-check", "--descriptive"])
    assert understood
    assert understood[2]["pattern"] == ["recipe", "fact-check"]
    assert understood[2]["descriptive"] is True
    assert understood[2]["persona"] is None


def test_a_shell_offers_forms_and_blocks() -> None:
    assert complete.forms("") == ["title", "steps", "sections", "table", "json", "markdown"]
    assert [name for name, about in complete.tricks("re") if about] == ["recipe", "reflection", "refusal-breaker"]
