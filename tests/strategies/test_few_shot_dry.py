"""`few-shot --dry-run`: what the run would warn of and refuse, before it costs anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]
QUESTION = "What is the capital of Spain?"


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    asked = ("What is the capital of France?", "Paris"), (QUESTION, "Madrid")
    lines = [json.dumps({"question": question, "answer": answer}) for question, answer in asked]
    (tmp_path / "shots.jsonl").write_text("\n".join(lines))
    (tmp_path / "m.yaml").write_text('replies: [{say: "Answer: Madrid"}]')


def run(*words: str) -> int:
    return start(
        ["run", "few-shot", QUESTION, "-m", "scripted:m.yaml", "--examples", "shots.jsonl", *words, "--dry-run"]
    )


def test_what_is_left_out_is_said(capsys: Capture) -> None:
    assert run() == 0
    assert "is left out" in capsys.readouterr().err
    assert run("--json") == 0
    (said,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "is left out" in said


def test_examples_without_room_are_said(capsys: Capture) -> None:
    assert run("--example-tokens", "1") == 0
    assert "0 of 1 examples fit into 1 token" in capsys.readouterr().err


def test_an_embedding_model_that_there_is_not_is_refused(capsys: Capture) -> None:
    assert run("--select", "similar", "--embed", "nope:x") == 2
    assert "nope" in capsys.readouterr().err


def test_a_bare_text_is_told_from_a_turn(capsys: Capture) -> None:
    shown = {}
    for form in ("document", "raw"):
        assert run("--form", form) == 0
        shown[form] = capsys.readouterr().out.partition("\n")
    assert shown["document"][0] == "[user]"
    assert shown["raw"][0] == "[raw text, no chat template]"
    assert shown["raw"][2] == shown["document"][2]
