"""`promptkit learn`: lists, asks in a terminal, takes --answers elsewhere, and lets go in peace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from spoken import is_error, on_terminal
from typed import Terminal

from promptkit import lessons
from promptkit.cli import complete
from promptkit.cli.front import start

terminal = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminal")


@pytest.fixture
def solutions() -> list[str]:
    """Of the exercise about examples with seed 1: one call for the model."""
    return [question.solution for question in lessons.exercise("examples", 1, journal="memory").questions]


def wrong(solution: str) -> str:
    return "b" if solution == "a" else "a"


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert start(["learn", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_it_lists_the_exercises(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["learn"]) == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ["exercise", *lessons.LESSONS]
    assert "promptkit learn vote" in shown.err
    told = document(capsys)
    assert [each["name"] for each in told["exercises"]] == list(lessons.LESSONS)
    assert complete.lessons("t") == [(name, about) for name, about in lessons.LESSONS.items() if name[0] == "t"]


def test_answers_are_marked_and_counted(capsys: pytest.CaptureFixture[str], solutions: list[str]) -> None:
    given = [solutions[0], wrong(solutions[1]), solutions[2]]
    assert start(["learn", "examples", "--seed", "1", "--answers", ",".join(given)]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert [line for line in lines if line.startswith("> ")] == [f"> {each}" for each in given]
    assert [line.partition(":")[0] for line in lines if line.startswith(("Right", "No"))] == [
        "Right",
        f"No, {solutions[1]}",
        "Right",
    ]
    assert lines[-1] == "2 of 3 right"
    assert "promptkit learn examples --seed 2" in shown.err


def test_without_a_terminal_and_answers_the_questions_are_shown_and_nothing_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start(["learn", "examples", "--seed", "1"]) == 2
    shown = capsys.readouterr()
    assert "1. Which example alone" in shown.out
    assert "Right" not in shown.out
    assert "promptkit learn examples --seed 1 --answers a,a,a" in shown.err
    told = document(capsys, "examples", "--seed", "1", code=2)
    assert told["score"] is None
    assert {name for each in told["questions"] for name in each} == {"shown", "text", "choices", "wanted"}


def test_the_document_has_what_was_right(capsys: pytest.CaptureFixture[str], solutions: list[str]) -> None:
    told = document(capsys, "examples", "--seed", "1", "--answers", ",".join([*solutions[:2], wrong(solutions[2])]))
    assert (told["schema"], told["exercise"], told["seed"]) == ("promptkit.learn/1", "examples", 1)
    assert told["score"] == {"right": 2, "of": 3}
    assert [each["right"] for each in told["questions"]] == solutions
    assert [each["correct"] for each in told["questions"]] == [True, True, False]
    assert all(each["why"] for each in told["questions"])
    assert start(["runs", "show", told["runs"][-1]]) == 0


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["learn", "vot"], "no exercise 'vot'"),
        (["learn", "examples", "--answers", "a"], "1 answer for 3 questions"),
        (["learn", "examples", "--answers", "a,b,x"], "'x' is not one letter of a-b"),
        (["learn", "examples", "--answers", "ab,b,a"], "'ab' is not one letter of a-c"),
        (["learn", "examples", "--answers", ""], "1 answer for 3 questions"),
        (["learn", "--answers", "a"], "--answers belongs to an exercise"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_a_hint(
    capsys: pytest.CaptureFixture[str], words: list[str], fault: str
) -> None:
    assert start(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {fault}")
    assert "\n  " in said.err


@terminal
def test_it_asks_in_a_terminal_until_an_answer_can_be_read(tmp_path: Path, solutions: list[str]) -> None:
    with Terminal(tmp_path, "learn", "examples", "--seed", "1", columns=40) as typing:
        typing.until("Which example alone")
        typing.until("> ")
        for strange in ("", "x", "日本"):
            typing.type(strange)
            typing.until("one letter of a-c; Ctrl-D leaves")
            typing.until("> ")
        typing.type(f" {solutions[0].upper()} ")
        typing.until("Right: ")
        typing.until("> ")
        typing.type(wrong(solutions[1]))
        typing.until(f"No, {solutions[1]}: ")
        typing.until("> ")
        typing.type(solutions[2])
        typing.until("2 of 3 right")
        assert typing.end() == 0
    told = [line for line in typing.shown.splitlines() if not line.lstrip().startswith(("promptkit ", ">"))]
    assert max(map(cell_len, told)) <= 40
    assert "\x1b[" not in typing.shown


@terminal
@pytest.mark.parametrize(("leave", "code"), [("ctrl-d", 0), ("ctrl-c", 130)])
def test_it_lets_go_with_the_score_so_far(tmp_path: Path, solutions: list[str], leave: str, code: int) -> None:
    with Terminal(tmp_path, "learn", "examples", "--seed", "1") as typing:
        typing.until("> ")
        typing.type(solutions[0])
        typing.until("All three are shown")
        typing.until("> ")
        if leave == "ctrl-d":
            typing.keys("\x04")
            typing.until("1 of 1 right so far")
        else:
            typing.interrupt("1 of 1 right so far")
        assert typing.end() == code
    assert "Traceback" not in typing.shown


@terminal
def test_stdout_elsewhere_is_no_terminal_to_ask_at(tmp_path: Path) -> None:
    said = on_terminal(tmp_path, "learn", "examples", "--seed", "1")
    assert said.code == 2
    assert "1. Which example alone" in said.out
    assert "--answers a,a,a" in said.err


@terminal
def test_an_unknown_exercise_in_a_terminal_is_said_at_once(tmp_path: Path) -> None:
    said = on_terminal(tmp_path, "learn", "tre")
    assert "did you mean tree?" in is_error(said, 2)


def test_a_seed_below_0_is_refused_with_what_it_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["learn", "vote", "--seed", "-1"]) == 2
    assert "must be at least 0" in capsys.readouterr().err
