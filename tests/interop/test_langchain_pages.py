"""The page about LangChain and its example do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "langchain.md").read_text("utf-8")


def run(*words: str, home: Path) -> str:
    env = {**os.environ, "PROMPTKIT_HOME": str(home)}
    command = [sys.executable, "-W", "error", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_blocks_run_one_after_the_other(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    said = run("-c", "\n".join(blocks), home=tmp_path).splitlines()
    assert len(blocks) == 5
    assert said[0] == "11 + 1 * 4 + 9"
    assert "error: ZeroDivisionError: division by zero" in said
    assert said[-2:] == ["It is 5. 1", "It is 5. 0"]


def test_the_example_shows_every_sample_and_is_free_the_second_time(tmp_path: Path) -> None:
    first = run("examples/langchain_chain.py", "1 4 9 11", home=tmp_path).splitlines()
    again = run("examples/langchain_chain.py", "1 4 9 11", home=tmp_path).splitlines()
    samples = [line for line in again if line.startswith("    ")]
    assert 2 <= len(samples) <= 5
    assert all(line.endswith("(free)") for line in samples)
    assert [line.removesuffix(" (free)") for line in again] == [line.removesuffix(" (free)") for line in first]
