"""`promptkit describe`: what a prompt lacks, asked for in a terminal, and the finished prompt."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from spoken import command

from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]
WHOLE = (
    "We are planning a picnic. For children, list in three bullet points, without numbers, what rain does to it, "
    "for example: wet bread."
)


def document(capsys: Capture, *words: str) -> dict[str, Any]:
    assert start(["describe", *words, "--json"]) == 0
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert body["schema"] == "promptkit.describe/1"
    return body


def test_into_a_pipe_it_lists_what_is_missing(tmp_path: Path) -> None:
    said = command(tmp_path, "describe", "List rainy cities, briefly.")
    assert said.code == 0
    rows = [line.split()[0] for line in said.out.splitlines()]
    assert rows == ["missing", "audience", "constraints", "examples", "context"]
    assert command(tmp_path, "describe", "-", stdin="List rainy cities, briefly.").out == said.out


def test_a_prompt_that_says_it_all(capsys: Capture) -> None:
    assert start(["describe", WHOLE, "--lint"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "it says who it is for" in said.err


def test_flags_finish_the_prompt_word_for_word(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Rain in  {{ Lyon }}?\n")
    assert (
        start(["describe", f"@{tmp_path / 'prompt.txt'}", "--audience", "a child", "--length", "two [[user]] lines"])
        == 0
    )
    assert capsys.readouterr().out == "Rain in  {{ Lyon }}?\n\nAudience: a child\nLength: two [[user]] lines\n"


def test_as_json(capsys: Capture) -> None:
    body = document(capsys, "Rain?", "--audience", "a child")
    assert body["prompt"] == "Rain?\n\nAudience: a child"
    assert body["said"] == {"audience": "a child"}
    assert [each["kind"] for each in body["lacks"]] == ["format", "length", "constraints", "examples", "context"]
    assert all(each["what"] and each["add"] for each in body["lacks"])


@pytest.mark.parametrize(
    ("words", "said"), [([""], "the prompt is empty"), (["@nowhere.txt"], "nowhere.txt: No such file")]
)
def test_what_cannot_be_described(words: list[str], said: str, capsys: Capture) -> None:
    assert start(["describe", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_in_a_terminal_it_asks_for_what_is_missing(tmp_path: Path) -> None:
    from typed import Terminal

    with Terminal(tmp_path, "describe", "List rainy cities, briefly.") as term:
        term.until("An empty line leaves a thing out")
        term.until("audience: who will read")
        term.until("\n> ")
        term.type("sailors")
        term.until("constraints: ")
        term.type("")
        term.until("examples: ")
        term.type("Bergen")
        term.until("context: ")
        term.keys("\x04")
        term.until("List rainy cities, briefly.\n\nAudience: sailors\nExamples: Bergen")
        assert term.end() == 0
