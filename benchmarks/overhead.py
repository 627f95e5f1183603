"""What a call costs this side of the wire: promptkit with its journal on, beside the bare SDK it uses.

python -m benchmarks.overhead [--calls 1000] [--repetitions 7] [--concurrency 64] [--only openai]

Every repetition is a process of its own and does one batch after a warm-up; the CPU seconds of the batch are counted
(user and system), not the wall. Repetitions are interleaved, and a ratio is formed within one, so that a busy machine
hits both sides alike. The server answers at once and is another process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.server import serving
from promptkit.types import Model, Outcome, Problem, Request, message

Call = Callable[[str], Awaitable[str]]
WARM = 64  # calls before the clock starts: connections are open, lazy imports done


def prompt(id: int) -> str:
    """A prompt that its reply can be known by."""
    return f"Answer with the single word OK and repeat this tag: id:{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """Asks many questions at once: the strategy of this measurement."""

    ids: list[int]

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The number of right replies."""
        from promptkit.sampling import ask_all

        requests = [Request(messages=(message("user", prompt(id)),), max_tokens=16) for id in self.ids]
        samples = await ask_all(model, requests, where="many")
        right = sum((got.text or "").endswith(f" id:{id}") for id, got in zip(self.ids, samples, strict=True))
        return Outcome(answer=str(right))


async def bare(side: str, address: str, ids: Sequence[int], concurrency: int, client: Any) -> int:
    """The number of right replies from an SDK as its documentation shows it."""
    gate = asyncio.Semaphore(concurrency)
    streamed = side.endswith("streamed")

    async def one(id: int) -> bool:
        async with gate:
            turns = [{"role": "user", "content": prompt(id)}]
            if side.startswith("ollama"):
                text = await ollama_text(client, turns, streamed)
            else:
                text = await chat_text(client, turns, streamed)
            return text.endswith(f" id:{id}")

    return sum(await asyncio.gather(*map(one, ids)))


async def chat_text(client: Any, turns: list[dict[str, str]], streamed: bool) -> str:
    """A reply by the SDK of OpenAI or Groq."""
    if not streamed:
        reply = await client.chat.completions.create(model="m", messages=turns, max_tokens=16)
        return str(reply.choices[0].message.content)
    text = ""
    async for chunk in await client.chat.completions.create(model="m", messages=turns, max_tokens=16, stream=True):
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    return text


async def ollama_text(client: Any, turns: list[dict[str, str]], streamed: bool) -> str:
    """A reply by Ollama's SDK."""
    if not streamed:
        return str((await client.chat("m", turns, options={"num_predict": 16})).message.content)
    text = ""
    async for chunk in await client.chat("m", turns, options={"num_predict": 16}, stream=True):
        text += chunk.message.content or ""
    return text


def sdk(side: str, address: str) -> Any:
    """The client of that SDK, with its defaults."""
    if side.startswith("openai"):
        from openai import AsyncOpenAI

        return AsyncOpenAI(base_url=f"{address}/v1", api_key="none")
    if side.startswith("groq"):
        from groq import AsyncGroq

        return AsyncGroq(base_url=address, api_key="none")
    from ollama import AsyncClient

    return AsyncClient(host=address)


def options(kind: str, address: str) -> dict[str, object]:
    """Where promptkit finds the server."""
    return {"host": address} if kind == "ollama" else {"base_url": address + ("/v1" if kind == "openai" else "")}


async def measured(side: str, address: str, calls: int, concurrency: int) -> float:
    """CPU milliseconds a call."""
    ids, warm = list(range(1, calls + 1)), list(range(10**6, 10**6 + WARM))
    if side.startswith("promptkit"):
        import promptkit as pk

        kind = side.split()[1]
        with tempfile.TemporaryDirectory() as home, pk.open_journal(Path(home) / "journal.db") as journal:

            async def batch(some: list[int]) -> int:
                outcome = await pk.arun(
                    Many(ids=some),
                    "many",
                    model=f"{kind}:m",
                    model_options=options(kind, address),
                    journal=journal,
                    concurrency=concurrency,
                )
                return int(outcome.answer or 0)

            return await clocked(batch, warm, ids)
    client = sdk(side, address)
    return await clocked(lambda some: bare(side, address, some, concurrency, client), warm, ids)


async def clocked(batch: Callable[[list[int]], Awaitable[int]], warm: list[int], ids: list[int]) -> float:
    """CPU milliseconds a call of the second batch; wrong replies end the measurement."""
    if await batch(warm) != len(warm):
        raise SystemExit("wrong replies")
    before = cpu()
    right = await batch(ids)
    spent = cpu() - before
    if right != len(ids):
        raise SystemExit(f"{len(ids) - right} wrong replies")
    return 1000 * spent / len(ids)


def cpu() -> float:
    """CPU seconds of this process so far, all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


SIDES = ("{} SDK", "{} SDK streamed", "promptkit {}")


def main() -> None:
    """Print a table for each SDK."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--only", choices=("openai", "groq", "ollama"))
    parser.add_argument("--side", help=argparse.SUPPRESS)  # one batch in this process
    parser.add_argument("--address", default="", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.side:
        print(json.dumps(asyncio.run(measured(said.side, said.address, said.calls, said.concurrency))))
        return
    print(f"{said.calls} calls, {said.concurrency} at a time, 0 ms: CPU ms a call, and its ratio to the bare SDK\n")
    print("| what | median ms | × SDK | × SDK streamed |\n|---|--:|--:|--:|")
    for kind in [said.only] if said.only else ("openai", "groq", "ollama"):
        sides = [side.format(kind) for side in SIDES]
        took: dict[str, list[float]] = {side: [] for side in sides}
        with serving() as address:
            for turn in range(said.repetitions):
                for side in sides if turn % 2 else reversed(sides):
                    took[side].append(batch_of(side, address, said))
        for side in sides:
            to_sdk, to_streamed = (ratio(took[side], took[other]) for other in sides[:2])
            print(f"| {side} | {statistics.median(took[side]):.2f} | {to_sdk:.2f} | {to_streamed:.2f} |", flush=True)


def ratio(some: list[float], others: list[float]) -> float:
    """The median of the ratios within each repetition."""
    return statistics.median(x / y for x, y in zip(some, others, strict=True))


def batch_of(side: str, address: str, said: argparse.Namespace) -> float:
    """One batch in a fresh process."""
    words = ["--side", side, "--address", address, "--calls", str(said.calls), "--concurrency", str(said.concurrency)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.overhead", *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return float(done.stdout)


if __name__ == "__main__":
    main()
