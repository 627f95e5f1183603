"""stdout holds the answer and nothing else; whatever a model says, a terminal is told only text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spoken import OFFERS, PROGRAM, QUESTION, command, environment, on_terminal

STRATEGIES = ["direct", "cot", "sc", "tot"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX terminal or shell")

EVIL = (
    "[bold red]x[/] [link=http://evil.example]here[/link] \x1b[31mred\x1b[0m "
    "\x1b]8;;http://evil.example\x1b\\there\x1b]8;;\x1b\\ "
    "\x1b[2J\x1b]0;owned\x07 \x9b31m \x00\x08\x7f \u202eright to left\u202c 🎉👩‍👩‍👧 漢字かな é"
)
POISON = ("\x1b[31m", "\x1b[2J", "\x1b]", "\x9b", "\x07", "\x00", "\x08", "\x7f", "\u202e")


@pytest.fixture
def evil(tmp_path: Path) -> str:
    """A model whose every reply is full of what a terminal would act on."""
    endings = {
        "Write only the next step": EVIL,
        "Decide which choice": f"{EVIL}\nThe best choice is 1",
        "Draw the conclusion": f"{EVIL}\nAnswer: {EVIL}",
        "think step by step": f"{EVIL}\nAnswer: {EVIL}",
    }
    replies = [{"when": when, "say": say} for when, say in endings.items()]
    (tmp_path / "evil.json").write_text(json.dumps({"replies": [*replies, {"say": EVIL}]}))
    return "scripted:evil.json"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_answer_is_all_there_is_on_stdout(strategy: str, tmp_path: Path) -> None:
    for more in ([], ["--plain"], ["-q"], ["--events"]):
        said = command(tmp_path, "run", strategy, QUESTION, "-m", OFFERS, *more)
        assert (said.code, said.out) == (0, "The second offer\n")
    said = command(tmp_path, "run", strategy, QUESTION, "-m", OFFERS, "--json")
    assert len(said.out.splitlines()) == 1
    assert json.loads(said.out)["schema"] == "promptkit.run/1"


def test_quiet_is_silent(tmp_path: Path) -> None:
    assert command(tmp_path, "run", "tot", QUESTION, "-m", OFFERS, "-q").err == ""
    assert command(tmp_path, "run", "tot", QUESTION, "-m", OFFERS, "-q", "--json").err == ""
    assert "-m llamacpp:" in command(tmp_path, "run", "cot", QUESTION, "-q").err  # a warning is not chatter


def test_events_are_json_lines_on_stderr(tmp_path: Path) -> None:
    said = command(tmp_path, "run", "sc", QUESTION, "-m", OFFERS, "--events", "--json")
    kinds = [json.loads(line)["type"] for line in said.err.splitlines()]
    assert {"RunStarted", "CallEnded", "VotesCounted", "RunEnded"} <= set(kinds)
    json.loads(said.out)


def test_a_capped_run_still_names_the_resume_command_after_its_events(tmp_path: Path) -> None:
    *events, last = command(
        tmp_path, "run", "sc", QUESTION, "-m", OFFERS, "--events", "--max-calls", "2"
    ).err.splitlines()
    assert all("type" in json.loads(line) for line in events)
    assert last.startswith("resume it: promptkit resume r")


@posix
@pytest.mark.parametrize(
    ("columns", "rows", "env"),
    [(80, 24, {}), (40, 12, {}), (20, 8, {}), (80, 24, {"NO_COLOR": "1"}), (80, 24, {"TERM": "dumb"})],
)
def test_on_a_terminal_the_answer_alone_goes_down_the_pipe(
    columns: int, rows: int, env: dict[str, Any], tmp_path: Path
) -> None:
    said = on_terminal(tmp_path, "run", "tot", QUESTION, "-m", OFFERS, columns=columns, rows=rows, **env)
    assert (said.code, said.out) == (0, "The second offer\n")
    assert "Traceback" not in said.err
    if env:
        assert not re.search(r"\x1b\[[0-9;]*[A-HJK]|\x1b\[3[0-9]", said.err)  # neither cursor nor colour


@posix
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_model_cannot_talk_to_the_terminal(strategy: str, evil: str, tmp_path: Path) -> None:
    for more in ([], ["--json"], ["--plain"]):
        said = on_terminal(tmp_path, "run", strategy, f"What now? {EVIL}".replace("\x00", ""), "-m", evil, *more)
        assert said.code == 0, said.err
        assert "x[/]" in said.out  # markup is text
        assert [piece for piece in POISON if piece in said.out and more != ["--json"]] == []
        # Colours are rich's own; nothing else of what was said may come through.
        assert [piece for piece in POISON[1:] if piece in said.err] == []
        assert "owned" not in said.err or "\x1b]0;" not in said.err


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_model_cannot_talk_through_a_pipe_either(strategy: str, evil: str, tmp_path: Path) -> None:
    question = f"What now? {EVIL}".replace("\x00", "")
    for more in ([], ["--json"], ["--plain"], ["--events"]):
        said = command(tmp_path, "run", strategy, question, "-m", evil, *more)
        assert said.code == 0, said.err
        assert "\x1b" not in said.out + said.err
        assert [piece for piece in POISON if piece in said.err and more != ["--events"]] == []
    for words in (["runs", "list"], ["runs", "show", "last"], ["runs", "show", "last", "--tree"]):
        told = command(tmp_path, *words)
        assert [piece for piece in POISON if piece in told.out + told.err] == []
    assert command(tmp_path, "runs", "show", "last", "--call", "1").code == 0


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("more", [[], ["--json"], ["--events"], ["--plain"]])
def test_any_encoding_can_be_written(encoding: str, more: list[str], evil: str, tmp_path: Path) -> None:
    words = ["run", "tot", "Was nun? 漢字 🎉", "-m", evil, *more]
    env = environment(tmp_path, PYTHONUTF8="0", PYTHONIOENCODING=encoding)
    done = subprocess.run([*PROGRAM, *words], cwd=tmp_path, env=env, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    assert b"Error" not in done.stderr
    if more == ["--json"]:
        assert "漢字" in json.loads(done.stdout.decode(encoding))["answer"]
    else:
        assert "x[/]" in done.stdout.decode(encoding)


@posix
@pytest.mark.parametrize("tail", ["| head -0", ">&-", "2>&-", "2>/dev/full"])
def test_a_stream_that_is_gone_is_no_crash(tail: str, tmp_path: Path) -> None:
    line = " ".join([*PROGRAM, "run", "sc", "q", "-m", OFFERS, tail])
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


@posix
def test_an_answer_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    line = " ".join([*PROGRAM, "run", "direct", "q", "-q", "-m", OFFERS, ">/dev/full"])
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: stdout cannot be written")
    assert hint.startswith("  promptkit replay last")


@posix
def test_an_error_is_broken_at_words_and_a_command_is_not(tmp_path: Path) -> None:
    told = on_terminal(tmp_path, "run", "cot", QUESTION, "-m", "openai-compatible:a-model-with-a-name", columns=50)
    lines = told.err.replace("\r", "").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("error: "))
    said = "error: openai-compatible:a-model-with-a-name: where the server is, is not said"
    hints = next(number for number, line in enumerate(lines) if line.startswith("  "))
    assert " ".join(lines[at:hints]) == said
    assert all(len(line) <= 50 for line in lines[at:hints])
    assert "  or: export OPENAI_COMPATIBLE_BASE_URL=http://127.0.0.1:8080/v1" in lines  # copied as one line
    piped = command(tmp_path, "run", "cot", QUESTION, "-m", "openai-compatible:a-model-with-a-name")
    assert said in piped.err.splitlines()
