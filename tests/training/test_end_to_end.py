"""From lessons to a file that llama.cpp runs, in small; needs the training group, so `make model`'s environment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from promptkit.providers.llamacpp import open_llamacpp
from promptkit.types import Request, message

pytest.importorskip("torch", reason="the training group is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]


def train(folder: Path, target: Path, tokens: float) -> str:
    small = ["--lessons", "1e5", "--width", "64", "--layers", "2", "--jobs", "1"]
    words = ["--folder", folder, "--target", target, "--tokens", tokens, *small]
    done = subprocess.run(
        [sys.executable, "-m", "training", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_small_model_is_trained_gone_on_with_and_run(tmp_path: Path) -> None:
    target = tmp_path / "small.gguf"
    assert "done" in train(tmp_path / "work", target, 60_000)
    first = target.read_bytes()
    assert "'tokens': 1" in train(tmp_path / "work", target, 120_000)  # it went on from its checkpoint
    assert target.read_bytes() != first

    async def said() -> str:
        model = open_llamacpp(str(target), {"context": "1024"})
        try:
            asked = message("user", "Input: 4 5 6 10\nPossible next steps:")
            return (await model.complete(Request(messages=(asked,), temperature=0.0, max_tokens=8))).text
        finally:
            await model.aclose()

    assert asyncio.run(said())
