"""A number that nobody meant does no harm: it is announced at once, a cap holds, and a signal ends the run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spoken import begin, command, end, environment, recorded, until

MILLION = "1000000"
VOTE = ("run", "sc", "q?", "-m", "scripted:model.yaml", "--n", MILLION)


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text('replies: [{say: ["Answer: A", "Answer: B"]}]')


def test_a_cap_on_calls_ends_a_vote_of_a_million(tmp_path: Path) -> None:
    said = command(tmp_path, *VOTE, "--max-calls", "3", "--json")
    assert said.code == 5
    assert json.loads(said.out)["usage"]["calls"] == 3


@pytest.mark.parametrize(
    ("n", "first"), [(MILLION, 500_001), ("100000000", 50_000_001), ("10", 6)], ids=["million", "more", "ten"]
)
def test_a_dry_run_counts_without_asking(n: str, first: int, tmp_path: Path) -> None:
    said = command(tmp_path, "run", "sc", "q?", "-m", "scripted:model.yaml", "--n", n, "--dry-run", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    assert [each["draws"] for each in found["prompts"]] == [first]
    assert found["samples"] == {"least": first, "expected": None, "most": int(n)}


def test_a_dry_run_counts_strategies_inside_a_strategy_too(tmp_path: Path) -> None:
    words = ("--n", "20000", "--of", "direct(temperature=1.0)", "--dry-run", "--json")
    said = command(tmp_path, "run", "sc", "q?", "-m", "scripted:model.yaml", *words)
    assert [each["draws"] for each in json.loads(said.out)["prompts"]] == [10_001]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a POSIX system")
@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2], ids=["int", "term", "2"])
def test_a_signal_ends_a_vote_of_a_million(signals: list[signal.Signals], tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text('delay: 0.05\nreplies: [{say: ["Answer: A", "Answer: B"]}]')
    process = begin(tmp_path, *VOTE)
    until(tmp_path, 1)
    said = end(process, *signals)
    assert said.code in (130, -signal.SIGINT)
    assert "Traceback" not in said.err
    assert "a sink failed" not in said.err
    if len(signals) == 1:
        assert [row.status for row in recorded(tmp_path)] == ["cancelled"]


LOST = """
import sys, time
from promptkit import sync

sync._GRACE = 0.2

async def lost():
    print("lost", flush=True)
    while True:  # a computation that never gives the loop its turn
        time.sleep(0.01)

try:
    sync.run(lost())
except KeyboardInterrupt:
    print("left behind", flush=True)
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a POSIX system")
def test_what_computes_without_a_pause_is_left_behind(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + LOST
    env = environment(tmp_path)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        assert process.stdout.readline() == "lost\n"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "left behind\n")
