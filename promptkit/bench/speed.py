"""What the model costs on this machine, and whether its texts come again: size, loading, a search, fresh processes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import promptkit
from promptkit import api, prompts
from promptkit.bench.game24 import chosen
from promptkit.bench.patterns import patterns
from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.words import problems
from promptkit.journal import Journal
from promptkit.places import FILE_MODELS
from promptkit.types import Model, Request

LOADS = 5
SEARCHES = 20
OF_EACH = 6  # calls of each kind that are made again

_LOAD = """
import sys, time
from pathlib import Path
from promptkit.providers.llama.build import build, library
from promptkit.providers.llama.gguf_file import read_gguf
from promptkit.providers.llama.options import CONTEXT
from promptkit.providers.llama.server import Layout, LlamaServer
path = Path(sys.argv[1])
layout = Layout(context=min(read_gguf(path).context or CONTEXT, CONTEXT))
library(), build()
started = time.perf_counter()
server = LlamaServer(path, layout)
print(time.perf_counter() - started)
server.close()
"""
_TEXTS = """
import asyncio, sys
from promptkit.bench.speed import fresh
print(asyncio.run(fresh(sys.argv[1])))
"""


async def measure(bench: Bench) -> Section:
    """Bytes, seconds, and whether the same calls give the same texts in another order and another process."""
    rows: list[tuple[Cell, ...]] = []
    if path := weights(bench.model):
        rows += [("file, MB", path.stat().st_size / 1e6, None, None), *await _loads(bench, path)]
    rows.append(await _searches(bench))
    return Section(
        "speed",
        "Speed and reproducibility",
        (
            Table("On this machine", ("what", "median", "lowest", "highest"), tuple(rows)),
            Table("The same texts again", ("calls", "equal"), tuple(await _again(bench))),
        ),
        (
            f"Loading: {LOADS} fresh processes, one after the other; `loading` is the model alone, `process` all of a "
            "Python that imports promptkit, loads the model and ends.",
            "A search starts with an empty journal, and no other is under way.",
            f"{len(mixed())} calls through the templates of three packs, half of them greedy, half at T = 0.7. The "
            "second time they come in the opposite order, several at once; the texts are compared by their sha256.",
        ),
    )


def weights(model: Model) -> Path | None:
    """The file of a local model; None where there is none, or it is not known."""
    kind, _, rest = model.id.partition(":")
    if kind == "builtin":
        path = Path(promptkit.__file__).parent / "_data" / "builtin.gguf"
    elif kind == "llamacpp":
        path = Path(rest)
    else:
        return None
    return path if path.is_file() else None


# seconds ------------------------------------------------------------------------------------------------------


async def _loads(bench: Bench, path: Path) -> list[tuple[Cell, ...]]:
    alone, whole = [], []
    for at in range(1, LOADS + 1):
        bench.say(f"speed: loading {at} of {LOADS}")
        started = time.perf_counter()
        alone.append(float(await _said(_LOAD, str(path))))
        whole.append(time.perf_counter() - started)
    return [_seconds("loading, seconds", alone), _seconds("process, seconds", whole)]


async def _searches(bench: Bench) -> tuple[Cell, ...]:
    """Whole runs of tot with b = 5, each with a journal of its own."""
    puzzles = chosen("test", min(SEARCHES, bench.items) + 1)
    took = []
    for at, puzzle in enumerate(puzzles):
        with Journal.open(None) as empty:
            started = time.perf_counter()
            await api.arun("tot", puzzle, pack="game24", b=5, model=bench.model, journal=empty)
        if at:  # the first loads the model
            took.append(time.perf_counter() - started)
    bench.say(f"speed: {len(took)} searches")
    return _seconds("a tot b=5 answer, seconds", took)


def _seconds(what: str, took: Sequence[float]) -> tuple[Cell, ...]:
    return what, statistics.median(took), min(took), max(took)


# the same texts again -----------------------------------------------------------------------------------------


async def _again(bench: Bench) -> list[tuple[Cell, ...]]:
    """Whether the texts of the calls are those of the first time."""
    calls = mixed()
    first = await digest(bench.model, calls)
    backwards = await digest(bench.model, calls, backwards=True)
    rows: list[tuple[Cell, ...]] = [("in this process, backwards", _word(first == backwards))]
    if _opens_again(bench.model):
        bench.say("speed: the same calls in a fresh process")
        there = json.loads(await _said(_TEXTS, bench.model.id))
        same = _word(there["texts"] == first) if there["identity"] == bench.model.identity else "opened otherwise"
        rows.append(("in a fresh process", same))
    return rows


def mixed() -> list[Request]:
    """Calls of several packs, every other one greedy; always the same ones."""
    asked = [
        *(("game24", "cot", {"question": puzzle}) for puzzle in chosen("test", OF_EACH)),
        *(("game24", "propose", {"state": puzzle}) for puzzle in chosen("test", OF_EACH)),
        *(("words", "cot", {"question": problem.question}) for problem in problems("hard", OF_EACH)),
        *(("words", "solve", {"question": problem.question}) for problem in problems("easy", OF_EACH)),
        *(("patterns", "solve", {"question": pattern.question}) for pattern in patterns(OF_EACH)),
    ]
    requests = []
    for at, (pack, template, inputs) in enumerate(asked):
        request = prompts.find(pack, template).request(inputs, temperature=0.7 * (at % 2))
        requests.append(request.at(at % 3) if at % 2 else request)
    return requests


async def digest(model: Model, calls: Sequence[Request], *, backwards: bool = False) -> str:
    """The sha256 of what a model says to all calls, asked for at once; backwards, the last one is sent first."""
    sent = calls[::-1] if backwards else calls
    said = [completion.text for completion in await asyncio.gather(*(model.complete(call) for call in sent))]
    return hashlib.sha256(json.dumps(said[::-1] if backwards else said).encode()).hexdigest()


async def fresh(name: str) -> str:
    """The digest of the calls in this process, and what makes the model's texts its own, as JSON."""
    from promptkit.runtime.open import close_providers, open_provider

    model = open_provider(name)
    try:
        return json.dumps({"identity": model.identity, "texts": await digest(model, mixed())})
    finally:
        await close_providers()


def _opens_again(model: Model) -> bool:
    """Whether another process can open it by its name, without a key and without a server."""
    kind, _, rest = model.id.partition(":")
    return kind == "builtin" or (kind in FILE_MODELS and Path(rest).is_file())


def _word(equal: bool) -> str:
    return "yes" if equal else "no"


async def _said(code: str, *arguments: str) -> str:
    """What a fresh Python prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"a fresh process ended with {process.returncode}: {err.decode(errors='replace')[-500:]}")
    return out.decode()
