"""Running a test's program on a rung, or skipping the test where there is none, with the reason."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from promptkit.sandbox import Limits, Ran, available, run

ROOT = Path(__file__).parents[2]
SOMEBODY = 65_533  # an ordinary user, of whom the system need not know

on_both_rungs = pytest.mark.parametrize("rung", ["bubblewrap", "landlock"])
# Root's programs and a user's go different ways to the same walls: root tries both ways.
as_both = pytest.mark.parametrize("who", ["whoever this is", "an ordinary user"])


def must_be_here(rung: str) -> None:
    """Skip where the rung cannot be had whole."""
    if why := available().problems.get(rung):
        pytest.skip(f"no {rung} here: {why}")


def must_count(rung: str) -> None:
    """Fail before a fork bomb is lit where the kernel was not seen to count; skip where there is no such rung."""
    must_be_here(rung)
    found = available()
    chosen = found.bubblewrap if rung == "bubblewrap" else found.landlock
    assert chosen is not None
    assert "counted processes" in chosen.held


def ran(program: str | Sequence[str], rung: str, workspace: Path, limits: Limits | None = None, **more: Any) -> Ran:
    """What became of the program on that rung."""
    must_be_here(rung)
    return asyncio.run(run(program, workspace=workspace, rung=rung, limits=limits or Limits(seconds=60), **more))


def said_by(who: str, script: str, *words: str, held: int = 0) -> str:
    """What a caller's script prints, run by this user or by root as an ordinary one; `held` is left open to it."""
    if who == "whoever this is":
        done = _started(sys.executable, script, words, held)
    elif os.getuid() != 0:
        pytest.skip("this is an ordinary user already")
    else:
        done = _started(_pythons_of_everybody(), script, words, held, user=SOMEBODY, group=SOMEBODY, extra_groups=[])
    assert done.returncode == 0, done.stderr
    return done.stdout


def _started(
    python: str, script: str, words: Sequence[str], held: int = 0, **who: Any
) -> subprocess.CompletedProcess[str]:
    told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    secret = {"SANDBOX_TEST_API_KEY": "a key"}
    return subprocess.run(
        [python, "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=told | secret,
        pass_fds=[held] if held else [],
        **who,
    )


@functools.cache
def _pythons_of_everybody() -> str:
    """A Python that any user can start, or a skip: root's own may lie where nobody else can look."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            tried = _started(
                python, "import promptkit.sandbox.running", (), user=SOMEBODY, group=SOMEBODY, extra_groups=[]
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return python
    pytest.skip("no Python 3.11 that an ordinary user can start, or a checkout that one cannot read")
