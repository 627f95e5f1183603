"""`promptkit run flipped`: a dialogue typed at a terminal, killed and gone on with, or answered from a file."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from spoken import command, is_error, on_terminal, recorded

from promptkit.journal import Answered, Journal

REPLIES = """
replies:
  - {when: the finished result, say: "Take the night train [bold]to Lyon."}
  - {when: "nobody else", say: "On which day does it begin?"}
  - {when: "500", say: "Who comes\\u001b[31m with you, \\u4e00\\u8d77?"}
  - {say: "What may it cost at most?"}
"""
RUN = ("run", "flipped", "Plan a weekend trip.", "-m", "scripted:trip.yaml", "--questions", "3")
PLAN = "Take the night train [bold]to Lyon."
pty_only = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> None:
    (tmp_path / "trip.yaml").write_text(REPLIES)


def answered(home: Path) -> list[Answered]:
    """What the newest run was answered."""
    with Journal.open(home / "journal.db") as journal:
        return journal.answers(journal.runs(1)[0].id)


def document(home: Path, *words: str) -> dict[str, Any]:
    said = command(home, *words, "--json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def answers(home: Path, text: str) -> str:
    (home / "answers.yaml").write_text(text)
    return "answers.yaml"


@pty_only
@pytest.mark.parametrize("columns", [40, 80])
def test_a_dialogue_in_a_terminal(columns: int, tmp_path: Path) -> None:
    from typed import Terminal

    with Terminal(tmp_path, *RUN, columns=columns) as term:
        term.until("is kept.\n")
        term.until("\nWhat may it cost at most?\n> ")
        term.type("500 euros, 一起")
        term.until("500 euros, 一起\n")
        drawn = term.until("with you, 一起?\n> ")
        assert "\x1b[2K" not in drawn.partition("flipped")[0]  # the next frame takes back nothing that was typed
        term.type("nobody else")
        term.until("On which day does it begin?\n> ")
        term.type("May 4")
        assert term.end() == 0
    assert term.shown.endswith(f"{PLAN}\n")
    assert "\x1b[31m" not in term.shown
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-?]*[@-~]", "", term.shown))
    assert max(map(cell_len, lines)) <= columns
    assert [each.answer for each in answered(tmp_path)] == ["500 euros, 一起", "nobody else", "May 4"]
    (row,) = recorded(tmp_path)
    assert (row.status, row.calls) == ("done", 4)


@pty_only
def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    from typed import Terminal

    with Terminal(tmp_path, *RUN, "--plain") as term:
        term.until("at most?\n> ")
        term.type("500 euros")
        term.until("一起?\n> ")
        term.process.send_signal(signal.SIGKILL)
        term.process.wait()
    assert [each.answer for each in answered(tmp_path)] == ["500 euros"]
    with Terminal(tmp_path, "resume", "last") as term:
        shown = term.until("一起?\n> ")
        assert "What may it cost at most?\n> 500 euros" in shown  # what was said stands there, and is not asked
        assert shown.count("> ") == 2
        term.type("nobody else")
        term.until("begin?\n> ")
        term.type("done")
        assert term.end() == 0
    said = [each.answer for each in answered(tmp_path)]
    assert said == ["500 euros", "nobody else", "done"]
    with Journal.open(tmp_path / "journal.db") as journal:
        used = journal.calls(journal.runs(1)[0].id)
    assert [cached for _, _, cached in used] == [True, True, False, False]


@pty_only
def test_ctrl_c_stops_and_says_how_to_go_on(tmp_path: Path) -> None:
    from typed import Terminal

    with Terminal(tmp_path, *RUN) as term:
        term.until("at most?\n> ")
        term.type("500 euros")
        term.until("一起?\n> ")
        term.interrupt("promptkit resume ")
        assert term.end() == 130
    (row,) = recorded(tmp_path)
    assert row.status == "cancelled"
    assert f"promptkit resume {row.id}" in term.shown
    assert "Traceback" not in term.shown
    assert command(tmp_path, "replay", row.id).code == 130  # a replay ends as the run did
    said = command(tmp_path, "resume", row.id, "--answers", answers(tmp_path, "who: nobody else\nday: May"))
    assert (said.code, said.out) == (0, f"{PLAN}\n")
    assert [each.answer for each in answered(tmp_path)] == ["500 euros", "nobody else", "May"]


@pty_only
def test_ctrl_d_ends_the_questions(tmp_path: Path) -> None:
    from typed import Terminal

    with Terminal(tmp_path, *RUN, "-q") as term:
        term.until("at most?\n> ")
        term.type("500 euros")
        term.until("一起?\n> ")
        term.keys("\x04")
        assert term.end() == 0
    assert term.shown.endswith(f"{PLAN}\n")
    assert [each.answer for each in answered(tmp_path)] == ["500 euros", None]


@pty_only
def test_the_answer_alone_goes_to_a_pipe(tmp_path: Path) -> None:
    said = on_terminal(tmp_path, *RUN, typed="500\nnobody else\nMay\n")
    assert (said.code, said.out) == (0, f"{PLAN}\n")
    assert said.err.count("What may it cost at most?\r\n> ") == 1


@pty_only
def test_control_bytes_are_no_part_of_an_answer(tmp_path: Path) -> None:
    said = on_terminal(tmp_path, *RUN, "--questions", "1", typed="5\x16\x1b[31m00\x16\x07 euros\n")
    assert said.code == 0
    assert [each.answer for each in answered(tmp_path)] == ["500 euros"]


def test_without_a_terminal_and_without_answers_nothing_is_asked(tmp_path: Path) -> None:
    hints = is_error(command(tmp_path, *RUN), 2)
    assert "--answers FILE" in hints[0]
    assert recorded(tmp_path) == []
    assert command(tmp_path, "run", "sc", "Why?", "-m", "scripted:trip.yaml", "--of", "flipped").code == 2
    assert command(tmp_path, *RUN, "--dry-run").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "- 500 euros\n- nobody else\n- 2026-05-04\n",
        '["500 euros", "nobody else", "2026-05-04"]',
        "day: 2026-05-04\n1: 500 euros\nWHO .*you: nobody else\n",
    ],
)
def test_headless_from_a_file(text: str, tmp_path: Path) -> None:
    found = document(tmp_path, *RUN, "--answers", answers(tmp_path, text))
    assert found["answer"] == PLAN
    assert [said for _, said in found["detail"]["flipped"]["asked"]] == ["500 euros", "nobody else", "2026-05-04"]


def test_what_a_file_answers_is_shown_line_by_line(tmp_path: Path) -> None:
    said = command(tmp_path, *RUN, "--plain", "--answers", answers(tmp_path, "- 500\n- nobody \\x07else\n- done\n"))
    assert said.out == f"{PLAN}\n"
    shown = [line.partition("  ")[2] for line in said.err.splitlines() if "asked: " in line]
    assert shown[0] == "asked: What may it cost at most? · answered: 500"
    assert shown[1].startswith("asked: Who comes with you, 一起? · answered: nobody")
    command(tmp_path, "compare", "Plan.", "-s", "flipped,cot", "-m", "scripted:trip.yaml", "--answers", "answers.yaml")
    assert [(row.strategy, row.status) for row in recorded(tmp_path)[:2]] == [("cot", "done"), ("flipped", "done")]


def test_an_answer_that_lacks_is_named_and_the_run_goes_on_when_it_is_there(tmp_path: Path) -> None:
    said = command(tmp_path, *RUN, "--answers", answers(tmp_path, "- 500 euros\n"), "--plain")
    hints = is_error(said, 3)
    assert re.search(r"error: no answer to question 2: Who comes", said.err)
    assert hints[0].endswith("answers.yaml, in its place: - your answer")
    (row,) = recorded(tmp_path)
    assert hints[-1] == f"what was done is kept: promptkit resume {row.id}"
    assert command(tmp_path, "replay", row.id).code == 3
    answers(tmp_path, "- something else\n- nobody else\n- May\n")
    found = document(tmp_path, "resume", row.id)  # it knows where they are written
    assert [answer for _, answer in found["detail"]["flipped"]["asked"]] == ["500 euros", "nobody else", "May"]
    assert found["usage"]["cached_calls"] == 2


def test_a_replay_asks_nobody_and_calls_nothing(tmp_path: Path) -> None:
    document(tmp_path, *RUN, "--answers", answers(tmp_path, "- 500\n- nobody else\n- May\n"))
    for file in ("answers.yaml", "trip.yaml"):
        (tmp_path / file).unlink()
    found = document(tmp_path, "replay", "last")
    assert (found["answer"], found["usage"]["cached_calls"]) == (PLAN, 4)
    record = document(tmp_path, "runs", "show", "last")
    assert [each["answer"] for each in record["answers"]] == ["500", "nobody else", "May"]
    shown = command(tmp_path, "runs", "show", "last")
    assert "asked: What may it cost at most? · answered: 500" in shown.out
    command(tmp_path, "runs", "export", "last", "-o", "run.jsonl")
    other = {"PROMPTKIT_JOURNAL": str(tmp_path / "other.db")}
    assert command(tmp_path, "runs", "import", "run.jsonl", **other).code == 0
    assert command(tmp_path, "replay", "last", **other).out == f"{PLAN}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "answers.yaml:1: holds no list"),
        ("just words", "answers.yaml:1: holds no list"),
        ("- [a]\n", "answers.yaml:1: not a text"),
        ("- a\n- {b: c}\n", "answers.yaml:2: not a text"),
        ("a: b\n\na: c\n", "answers.yaml:3: a is answered twice"),
        ("'(': b\n", "answers.yaml:1: '(' is no regular expression"),
        ("- 'a\n", "answers.yaml:2: "),
    ],
)
def test_a_file_that_answers_nothing(text: str, told: str, tmp_path: Path) -> None:
    said = command(tmp_path, *RUN, "--answers", answers(tmp_path, text))
    is_error(said, 2)
    assert told in said.err
    assert recorded(tmp_path) == []


def test_answers_that_nobody_asks_for_are_told(tmp_path: Path) -> None:
    said = command(tmp_path, "run", "cot", "Why?", "-m", "scripted:trip.yaml", "--answers", answers(tmp_path, "- a"))
    assert said.code == 0
    assert "cot asks nothing: the answers are not used" in said.err
    is_error(command(tmp_path, *RUN, "--answers", "nowhere.yaml"), 2)


def test_what_if_takes_the_answers_that_are_there(tmp_path: Path) -> None:
    document(tmp_path, *RUN, "--answers", answers(tmp_path, "- 500\n- nobody else\n- May\n"))
    said = command(tmp_path, "what-if", "last", "--set", "questions=2")
    assert said.code == 5  # a shorter dialogue is written anew: that call is missing
    assert "Traceback" not in said.err
