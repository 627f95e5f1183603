"""stdin is read for `-`, or when there is no question; never because it is there."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest
from spoken import OFFERS, QUESTION, begin, command, end, is_error, on_terminal, recorded

posix = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX terminal or signal")


@pytest.mark.parametrize("words", [["-"], []])
def test_a_pipe_is_read_when_it_is_the_question(words: list[str], tmp_path: Path) -> None:
    said = command(tmp_path, "run", "direct", *words, "-m", OFFERS, stdin=f"\ufeff{QUESTION}\n多言語\n")
    assert (said.code, said.out) == (0, "The second offer\n")
    assert recorded(tmp_path)[0].question.split("\n")[:2] == [QUESTION, "多言語"]


def test_an_open_pipe_is_not_waited_for_when_a_question_is_given(tmp_path: Path) -> None:
    process = begin(tmp_path, "run", "direct", QUESTION, "-m", OFFERS, "-q")
    said = end(process)  # it ends although nobody closes its stdin
    assert (said.code, said.out, said.err) == (0, "The second offer\n", "")


@posix
def test_a_pipe_that_says_nothing_is_mentioned(tmp_path: Path) -> None:
    process = begin(tmp_path, "run", "direct", "-m", OFFERS)
    time.sleep(4)
    said = end(process, signal.SIGINT)
    assert (said.code, said.out) == (130, "")
    first, *_ = said.err.splitlines()
    assert "stdin" in first
    assert "Ctrl-C" in first
    assert "Traceback" not in said.err
    assert recorded(tmp_path) == []


@pytest.mark.parametrize("typed", ["", "\n", " \t\n "])
def test_nothing_on_stdin_is_no_question(typed: str, tmp_path: Path) -> None:
    hints = is_error(command(tmp_path, "run", "few-shot", "-m", OFFERS, stdin=typed), 2)
    assert "promptkit run few-shot " in hints[0]
    assert recorded(tmp_path) == []


@posix
def test_no_question_on_a_terminal_does_not_wait(tmp_path: Path) -> None:
    said = on_terminal(tmp_path, "run", "direct", "-m", OFFERS)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: no question given\r\n  promptkit run direct ")
