"""kill -9 at any moment: the run goes on where it died, and nothing that was kept is bought again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def drive(folder: Path, cases: list[str]) -> list[dict[str, Any]]:
    """What became of the cases, in two processes."""

    def one(part: int) -> list[dict[str, Any]]:
        root = folder / f"part-{part}"
        root.mkdir()
        env = {**os.environ, "PROMPTKIT_HOME": str(root)}
        command = [sys.executable, str(HERE / "crash_driver.py"), str(root), *cases[part::2]]
        done = subprocess.run(command, capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    with ThreadPoolExecutor(2) as pool:
        return [said for part in pool.map(one, (0, 1) if len(cases) > 1 else (0,)) for said in part]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The run nobody killed."""
    (said,) = drive(tmp_path_factory.mktemp("whole"), ["never"])
    assert said["status"] == 0
    assert said["facts"]["verified"] is True
    assert len(said["tree"]) > 10
    assert len(set(said["before"])) == len(said["before"])
    return said


def went_on(said: dict[str, Any], whole: dict[str, Any]) -> None:
    """The resumed run is the run nobody killed, and bought only what was not kept."""
    assert said["resumed"] == 0, said["case"]
    assert said["facts"] == whole["facts"], said["case"]
    assert said["tree"] == whole["tree"], said["case"]
    assert not set(said["after"]) & set(said["kept"]), f"{said['case']}: bought again"
    assert set(said["kept"]) | set(said["after"]) == set(whole["before"]), said["case"]
    assert len(set(said["after"])) == len(said["after"]), said["case"]
    sent, unsettled, reserved = said["spent"]
    assert len(said["before"]) <= sent <= len(said["before"]) + 4, f"{said['case']}: the ledger does not know a call"
    assert unsettled >= 1, f"{said['case']}: the call that was killed is not in the ledger"
    assert reserved >= unsettled * 160, "an attempt of unknown outcome is charged its whole reservation"


def test_killed_in_every_single_call(tmp_path: Path, whole: dict[str, Any]) -> None:
    n = len(whole["before"])
    assert 12 <= n <= 60
    results = drive(tmp_path, [f"call:{k}" for k in range(1, n + 1)])
    for said in results:
        assert said["status"] == signal.SIGKILL
        assert said["started"]
        assert said["was"] == "interrupted"
        went_on(said, whole)
    saved = sum(len(said["kept"]) for said in results)
    print(f"{n} kills, {saved} completions kept, none bought again")
    assert max(len(said["kept"]) for said in results) > n // 2


@pytest.mark.parametrize("kills", [24, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_random_instants(kills: int, tmp_path: Path, whole: dict[str, Any]) -> None:
    rng = random.Random(20)
    n = len(whole["before"])
    results = drive(tmp_path, [f"after:{rng.randint(0, n)}+{rng.uniform(0, 0.02):.4f}" for _ in range(kills)])
    started = [said for said in results if said["started"]]
    for said in started:
        # A run that ended before it was killed is a case too: its resume buys nothing.
        if len(said["kept"]) == len(whole["before"]):
            assert said["after"] == []
        lost = set(said["before"]) - set(said["kept"])
        assert said["resumed"] == 0
        assert said["facts"] == whole["facts"], said["case"]
        assert said["tree"] == whole["tree"], said["case"]
        assert not set(said["after"]) & set(said["kept"]), f"{said['case']}: bought again"
        assert lost <= set(said["after"])
    lengths = sorted(len(said["kept"]) for said in started)
    print(f"{len(started)} of {len(results)} had started; completions kept: {lengths}")
    assert len(set(lengths)) >= 5, "the instants are spread over the run"
