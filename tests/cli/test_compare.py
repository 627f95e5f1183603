"""`promptkit compare`: strategies side by side on one question, each a run of its own."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from spoken import OFFERS, QUESTION, begin, end, on_terminal, recorded, until

from promptkit.cli.app import start
from promptkit.cli.compare import row
from promptkit.types import Outcome

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    return tmp_path


def scripted(home: Path, text: str) -> str:
    (home / "replies.yaml").write_text(text)
    return f"scripted:{home / 'replies.yaml'}"


def document(capsys: Capture, code: int, *words: str) -> dict[str, Any]:
    assert start(["compare", *words, "--json"]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def test_strategies_stand_side_by_side(home: Path, capsys: Capture) -> None:
    words = ["compare", QUESTION, "-m", OFFERS, "-s", "cot,sc(n=3, temperature=1)", "-s", "direct"]
    assert start(words) == 0
    said = capsys.readouterr()
    head, *rows = [line.split("  ") for line in said.out.splitlines()]
    assert [
        cell.strip() for cell in head if cell
    ] == "strategy checked votes calls tokens cost seconds run answer".split()
    assert [row[0] for row in rows] == ["cot", "sc(n=3, temperature=1)", "direct"]
    assert said.err.splitlines() == ["1/3  cot …", "2/3  sc(n=3, temperature=1) …", "3/3  direct …"]
    runs = recorded(home)
    assert [row.strategy for row in runs] == ["direct", "sc", "cot"]
    assert runs[1].params["n"] == 3
    assert all(row.id in said.out for row in runs)


def test_json_has_each_run_as_run_has_it(home: Path, capsys: Capture) -> None:
    body = document(capsys, 0, QUESTION, "-m", OFFERS, "-s", "cot,sc(n=3)")
    assert (body["schema"], body["question"], body["exit"]) == ("promptkit.compare/1", QUESTION, 0)
    assert [each["spec"] for each in body["runs"]] == ["cot", "sc(n=3)"]
    assert {each["schema"] for each in body["runs"]} == {"promptkit.run/1"}
    assert body["runs"][1]["votes"]
    assert [each["run"] for each in body["runs"]] == [row.id for row in reversed(recorded(home))]


def test_what_two_strategies_share_is_asked_once(home: Path, capsys: Capture) -> None:
    body = document(capsys, 0, QUESTION, "-m", OFFERS, "-s", "sc(n=3),sc(n=3, quorum=0.4)")
    first, second = (each["usage"] for each in body["runs"])
    assert (first["cached_calls"], second["cached_calls"]) == (0, second["calls"])


def test_bad_input_costs_nothing(home: Path, capsys: Capture) -> None:
    for words, said in (
        ([QUESTION], "compare wants strategies"),
        ([QUESTION, "-s", "cot,nobody"], "no strategy 'nobody'"),
        ([QUESTION, "-s", "cot,sc(n=1"], "a bracket or a quote is not closed"),
        ([QUESTION, "-s", "cot,sc(m=1)"], "sc has no parameter 'm'"),
        (["  ", "-s", "cot"], "the question is empty"),
    ):
        assert start(["compare", *words, "-m", OFFERS]) == 2
        assert said in capsys.readouterr().err
    assert recorded(home) == []


def test_one_that_fails_does_not_end_the_others(home: Path, capsys: Capture) -> None:
    model = scripted(home, "replies: [{when: step by step, say: 'Answer: 42'}]")
    body = document(capsys, 1, "What?", "-m", model, "-s", "cot,direct,sc(n=2)")
    assert [each["status"] for each in body["runs"]] == ["done", "error", "done"]
    assert "has no reply for this prompt" in body["runs"][1]["detail"]["error"]


def test_a_cap_holds_for_each(home: Path, capsys: Capture) -> None:
    body = document(capsys, 5, QUESTION, "-m", OFFERS, "-s", "cot,sc(n=9)", "--max-calls", "3")
    assert [(each["status"], each["usage"]["calls"]) for each in body["runs"]] == [("done", 1), ("budget", 3)]
    body = document(capsys, 0, QUESTION, "-m", OFFERS, "-s", "cot,sc(n=9)", "--max-calls", "3", "--fit")
    assert [each["status"] for each in body["runs"]] == ["done", "done"]


def test_no_answer_at_all_is_undecided(home: Path, capsys: Capture) -> None:
    model = scripted(home, "replies: [{say: ['Answer: 1', 'Answer: 2']}]")
    assert start(["compare", "What?", "-m", model, "-s", "sc(n=2)"]) == 3
    assert "(undecided)" in capsys.readouterr().out


def test_ctrl_c_keeps_what_is_done(home: Path) -> None:
    rules = "[{when: step by step, say: ['Answer: 42', 'Answer: 43']}, {say: '42'}]"
    model = scripted(home, f"replies: {rules}\ndelay: 0.3\n")
    process = begin(home, "compare", "What?", "-m", model, "-s", "direct,sc(n=40),cot", "--concurrency", "1", "--json")
    until(home, 1)  # of the second run
    said = end(process, signal.SIGINT)
    assert said.code == 130
    body = json.loads(said.out)
    assert (body["runs"][0]["spec"], body["runs"][0]["status"]) == ("direct", "done")
    assert {each["status"] for each in body["runs"][1:]} <= {"cancelled"}
    assert "promptkit resume" in said.err or len(body["runs"]) == 1


def test_a_narrow_terminal_shows_every_answer(home: Path) -> None:
    said = on_terminal(home, "compare", QUESTION, "-m", OFFERS, "-s", "cot,sc(n=3)", columns=50, all_on_it=True)
    assert said.code == 0
    assert "The second offer" in said.err
    shown = re.sub(r"\x1b\[[\d;]*m|\r", "", said.err)
    assert max(len(line) for line in shown.splitlines()) <= 50


def test_the_votes_are_those_for_the_answer() -> None:
    """Where votes weigh, the answer may have fewer than another one."""
    votes = (("7", 2), ("8", 3))
    assert row("sc", Outcome(answer="7", detail={"votes": votes}))[2] == "2 of 5"
    assert row("sc", Outcome(answer=None, detail={"votes": votes}))[2] == "3 of 5"


def test_a_strategy_that_is_named_twice_is_compared_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["compare", QUESTION, "-m", OFFERS, "-s", "cot,direct,cot()", "--json"]) == 0
    said = capsys.readouterr()
    assert [run["strategy"] for run in json.loads(said.out)["runs"]] == ["cot", "direct"]
    assert "cot() is named twice" in said.err
