"""Running a test's program on a rung, or skipping the test where there is none, with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from promptkit.sandbox import Limits, Ran, available, run

on_both_rungs = pytest.mark.parametrize("rung", ["bubblewrap", "landlock"])


def must_be_here(rung: str) -> None:
    """Skip where the rung cannot be had whole."""
    if why := available().problems.get(rung):
        pytest.skip(f"no {rung} here: {why}")


def ran(program: str | Sequence[str], rung: str, workspace: Path, limits: Limits | None = None, **more: Any) -> Ran:
    """What became of the program on that rung."""
    must_be_here(rung)
    return asyncio.run(run(program, workspace=workspace, rung=rung, limits=limits or Limits(seconds=60), **more))
