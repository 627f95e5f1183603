"""The built-in model as the tests of local models use it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from promptkit.providers.builtin import open_builtin
from promptkit.types import Completion, Provider, Request, message

BUILTIN = Path(__file__).parents[2] / "promptkit" / "_data" / "builtin.gguf"
ENDLESS = (("ignore_eos", True),)


# One that the model on board was trained on and is not sure about: its draws differ.
PROMPT = "Use the four numbers and + - * / to make 24.\nInput: 4 7 9 13\nLet's think step by step."


def ask(text: str = PROMPT, **fields: Any) -> Request:
    return Request(messages=(message("user", text),), **{"temperature": 0.8, "max_tokens": 40, **fields})


def draws(request: Request, count: int = 4, start: int = 0) -> list[Request]:
    return [request.at(index) for index in range(start, start + count)]


def texts(completions: Sequence[Completion]) -> list[str]:
    return [completion.text for completion in completions]


@contextlib.asynccontextmanager
async def opened(**options: object) -> AsyncIterator[Provider]:
    provider = open_builtin("", options)
    try:
        yield provider
    finally:
        await provider.aclose()


async def sample(request: Request, count: int = 4, start: int = 0, **options: object) -> list[Completion]:
    async with opened(**options) as provider:
        return list(await provider.complete_many(draws(request, count, start)))


PRELUDE = """
import asyncio, contextlib, json, os, signal, socket, sys, tempfile, threading, time, warnings
sys.path.insert(0, "tests/providers")
from promptkit.errors import ProviderError
from promptkit.providers.llama.server import Layout, LlamaServer
from local_model import *
"""


def python(code: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter at the root of the checkout."""
    root = Path(__file__).parents[2]
    source = PRELUDE + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", source], cwd=root, text=True, capture_output=True, timeout=timeout)


def model_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "promptkit-llamacpp"]
