"""A run that is stopped says what it found, how to go on, and loses nothing."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from spoken import begin, command, end, recorded, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of a POSIX system")

SLOW = """
delay: 0.2
replies:
  - {when: Write only the next step, say: [one step, another step, a third step, a fourth step]}
  - {when: Decide which choice, say: The best choice is 1}
  - {when: Draw the conclusion, say: "Answer: the second"}
  - when: think step by step
    say: ["Answer: the second", "Answer: the second", "Answer: the third", "Answer: the second"]
  - {say: the second}
"""
RESUME = re.compile(r"promptkit resume (r[0-9a-f]+)")


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> str:
    (tmp_path / "slow.yaml").write_text(SLOW)
    return "scripted:slow.yaml"


def resumed(home: Path, err: str, answer: str) -> None:
    """The command that was named completes the run and pays only what was missing."""
    (run,) = set(RESUME.findall(err))
    said = command(home, "resume", run, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["answer"] == answer
    assert 0 < found["usage"]["cached_calls"] < found["usage"]["calls"]
    (row,) = recorded(home)
    assert (row.id, row.status) == (run, "done")


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM]], ids=["ctrl-c", "terminated"])
def test_a_vote_prints_the_best_so_far(signals: list[signal.Signals], tmp_path: Path, model: str) -> None:
    process = begin(tmp_path, "run", "sc", "q?", "-m", model, "--n", "12", "--concurrency", "1")
    until(tmp_path, 3)
    began = time.monotonic()
    said = end(process, *signals)
    assert time.monotonic() - began < 2
    assert (said.code, said.out) == (130, "the second\n")
    assert "Traceback" not in said.err
    resumed(tmp_path, said.err, "the second")


def test_a_vote_that_is_stopped_at_a_tie_prints_no_answer(tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text('delay: 0.6\nreplies: [{say: ["Answer: A", "Answer: B", "Answer: A"]}]')
    process = begin(tmp_path, "run", "sc", "q?", "-m", "scripted:torn.yaml", "--n", "9", "--concurrency", "1")
    until(tmp_path, 2)
    said = end(process, signal.SIGINT)
    assert (said.code, said.out) == (130, "")
    assert "cancelled · A and B are tied, there is no answer yet" in said.err


def test_a_token_cap_leaves_room_for_what_a_local_model_was_stopped_at(tmp_path: Path, model: str) -> None:
    words = ("--n", "7", "--concurrency", "1", "--max-tokens", "4000")
    process = begin(tmp_path, "run", "sc", "captest", "-m", model, *words)
    until(tmp_path, 1)
    assert end(process, signal.SIGINT).code == 130
    assert command(tmp_path, "resume", "last").code == 0


def test_a_search_without_an_answer_yet_prints_none(tmp_path: Path, model: str) -> None:
    process = begin(tmp_path, "run", "tot", "q?", "-m", model, "--concurrency", "2", "-q")
    until(tmp_path, 2)
    said = end(process, signal.SIGINT)
    assert (said.code, said.out) == (130, "")
    assert said.err.splitlines() == [f"resume it: promptkit resume {recorded(tmp_path)[0].id}"]  # also with -q
    resumed(tmp_path, said.err, "the second")


def test_json_of_an_interrupted_run_is_one_object(tmp_path: Path, model: str) -> None:
    process = begin(tmp_path, "run", "sc", "q?", "-m", model, "--n", "12", "--concurrency", "1", "--json", "--events")
    until(tmp_path, 3)
    said = end(process, signal.SIGINT)
    assert said.code == 130
    found = json.loads(said.out)
    assert (found["status"], found["answer"]) == ("cancelled", "the second")
    assert found["usage"]["calls"] >= 3
    *events, _ = said.err.splitlines()
    assert all("type" in json.loads(line) for line in events)


@pytest.mark.parametrize("times", [2, 3])
def test_an_impatient_user_sees_no_traceback(times: int, tmp_path: Path, model: str) -> None:
    process = begin(tmp_path, "run", "sc", "q?", "-m", model, "--n", "12", "--concurrency", "2")
    until(tmp_path, 2)
    said = end(process, *[signal.SIGINT] * times)
    assert said.code in (130, -signal.SIGINT)  # the last one may find python packing up
    assert "Traceback" not in said.err
    assert command(tmp_path, "resume", "last").code == 0


@pytest.mark.parametrize("after", [0.05, 0.15, 0.25, 0.35])
def test_an_early_ctrl_c_leaves_nothing_half_made(after: float, tmp_path: Path, model: str) -> None:
    process = begin(tmp_path, "run", "sc", "q?", "-m", model, "--n", "3")
    time.sleep(after)
    said = end(process, signal.SIGINT)
    assert said.code in (130, -signal.SIGINT)
    assert said.code == -signal.SIGINT or "Traceback" not in said.err
    assert said.out in ("", "the second\n")  # on a fast machine it is not that early
    for row in recorded(tmp_path):
        assert row.status == "cancelled"


def test_a_deadline_prints_the_best_so_far(tmp_path: Path, model: str) -> None:
    said = command(tmp_path, "run", "sc", "q?", "-m", model, "--concurrency", "1", "--timeout", "0.5")
    assert (said.code, said.out) == (5, "the second\n")
    resume = RESUME.findall(said.err)[0]
    assert command(tmp_path, "resume", resume, "--timeout", "20").code == 0


def test_a_cap_on_calls_prints_the_best_so_far(tmp_path: Path, model: str) -> None:
    said = command(tmp_path, "run", "sc", "q?", "-m", model, "--max-calls", "3")
    assert (said.code, said.out) == (5, "the second\n")
    run = RESUME.findall(said.err)[0]
    refused = command(tmp_path, "resume", run)  # the cap is over the run and its resumes
    assert refused.code == 2
    assert f"promptkit resume {run} --max-calls 6" in refused.err
    said = command(tmp_path, "resume", run, "--max-calls", "20", "--json")
    assert (said.code, json.loads(said.out)["status"]) == (0, "done")


def test_a_run_that_is_running_is_not_resumed(tmp_path: Path, model: str) -> None:
    process = begin(tmp_path, "run", "sc", "q?", "-m", model, "--n", "12", "--concurrency", "1")
    until(tmp_path, 1)
    said = command(tmp_path, "resume", "last")
    assert said.code == 2
    assert "error: " in said.err
    assert end(process, signal.SIGINT).code == 130
