"""`promptkit runs export-samples`: accepted samples as lines to train on, from the journal, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import promptkit as pk
from promptkit.cli.app import start
from promptkit.types import message

Capture = pytest.CaptureFixture[str]

SAID = ["Two and two.\nAnswer: 4", "Answer: 5", "It is four.\nAnswer: 4", "no idea at all", "Answer: 4.0"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    return tmp_path


def record(strategy: str = "sc", question: str = "What is 2 + 2?", **how: Any) -> str:
    """The id of a run now in the journal."""

    def script(request: pk.Request) -> str:
        return SAID[request.draw[0] % 5]

    how = {"n": 5, "reader": "number", **how}
    return pk.run(strategy, question, model=pk.Scripted(script, name="said"), **how).run


def exported(capsys: Capture, *words: str) -> list[dict[str, Any]]:
    """The lines a command prints."""
    assert start(["runs", "export-samples", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_samples_an_answer_stands_on_become_conversations(capsys: Capture) -> None:
    run = record(batch=5)
    lines = exported(capsys, run)
    assert [line["messages"][-1] for line in lines] == [
        {"role": "assistant", "content": text} for text in (SAID[0], SAID[2], SAID[4])
    ]
    assert all(line["messages"][0]["content"].startswith("What is 2 + 2?") for line in lines)
    assert all([turn["role"] for turn in line["messages"]] == ["user", "assistant"] for line in lines)


def test_pairs_are_two_replies_to_one_prompt(capsys: Capture) -> None:
    """What could not be read is on neither side."""
    (pair,) = exported(capsys, record(batch=5), "--format", "dpo")
    assert pair["prompt"][0]["role"] == "user"
    assert (pair["chosen"], pair["rejected"]) == (
        [{"role": "assistant", "content": SAID[0]}],
        [{"role": "assistant", "content": SAID[1]}],
    )


def test_what_a_reward_preferred(capsys: Capture) -> None:
    run = record("best-of-n", batch=5, reward=lambda question, answer: float(answer == "5"))
    (line,) = exported(capsys, run)
    assert line["messages"][-1]["content"] == SAID[1]
    pairs = exported(capsys, run, "--format", "dpo")
    assert {pair["rejected"][0]["content"] for pair in pairs} == {SAID[0], SAID[2], SAID[4]}


def test_answers_of_a_strategy_inside_are_replies_to_the_bare_question(capsys: Capture) -> None:
    lines = exported(capsys, record(of="cot", batch=5, n=5))
    assert [line["messages"][0] for line in lines] == [{"role": "user", "content": "What is 2 + 2?"}] * 3
    assert [line["messages"][-1]["content"] for line in lines] == [SAID[0], SAID[2], SAID[4]]


def test_runs_that_accepted_nothing_give_no_lines(capsys: Capture) -> None:
    tied = record(n=2, batch=2)
    plain = pk.run("cot", "What is 2 + 2?", model=pk.Scripted(lambda request: "Answer: 4", name="one")).run
    assert start(["runs", "export-samples", tied, plain]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "no accepted samples" in said.err
    assert len(exported(capsys, tied, record(batch=5, question="And 1 + 3?"))) == 3, "the others give theirs"


def test_a_wrong_answer_is_not_trained_on(capsys: Capture) -> None:
    model = pk.Scripted(lambda request: "Answer: 8 + 16", name="wrong")
    run = pk.run("sc", "1 1 4 8", pack="game24", model=model, n=3).run
    assert start(["runs", "export-samples", run]) == 2


def test_a_file_is_not_overwritten(home: Path, capsys: Capture) -> None:
    run = record(batch=5)
    assert start(["runs", "export-samples", run, "-o", "samples.jsonl"]) == 0
    assert "3 lines in samples.jsonl" in capsys.readouterr().err
    before = (home / "samples.jsonl").read_text(encoding="utf-8")
    assert start(["runs", "export-samples", run, "--format", "dpo", "-o", "samples.jsonl"]) == 2
    assert (home / "samples.jsonl").read_text(encoding="utf-8") == before
    assert start(["runs", "export-samples", run, "--format", "dpo", "-o", "samples.jsonl", "--force"]) == 0


def test_an_unknown_format_is_refused(capsys: Capture) -> None:
    assert start(["runs", "export-samples", record(batch=5), "--format", "csv"]) == 2
    assert "--format sft or --format dpo" in capsys.readouterr().err


def test_a_conversation_before_the_question_is_part_of_every_sample(capsys: Capture) -> None:
    """A chain was asked after it, and so was a strategy inside."""
    before = [message("user", "Hello"), message("assistant", "Hi")]
    for how in ({}, {"of": "cot"}):
        lines = exported(capsys, record(batch=5, history=before, **how))
        said = [[turn["content"] for turn in line["messages"][:2]] for line in lines]
        assert said == [["Hello", "Hi"]] * 3


def test_a_letter_stands_beside_the_options_it_was_chosen_from(capsys: Capture) -> None:
    """Each sample had the options in an order of its own, a strategy inside too."""

    def script(request: pk.Request) -> str:
        (line,) = (each for each in request.messages[-1].text.splitlines() if each.endswith(") Oslo"))
        return f"Answer: {line[0]}"

    city = "Which city?\nA) Rome\nB) Oslo\nC) Lima"
    run = pk.run("sc", city, model=pk.Scripted(script, name="city"), n=6, vote="choice-shuffle", of="cot").run
    lines = exported(capsys, run)
    asked = {line["messages"][0]["content"] for line in lines}
    assert len(asked) > 1
    for line in lines:
        question, answer = (turn["content"] for turn in line["messages"])
        assert f"{answer[-1]}) Oslo" in question
