"""A thousand calls over a bad connection: what is lost, paid twice or misreported, for each adapter.

python -m benchmarks.faults [--calls 1000] [--seeds 1 2] [--only openai]

10 % 429 (`Retry-After: 1`), 5 % 500, 2 % resets, 1 % stalls, 1 % cut or garbled bodies, by the whole stack with its
journal. "Lost" got no reply; "twice" are ids that the server answered more than once; "misreported" are wrong texts,
wrong usage, or attempts that the server and the journal count differently.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promptkit as pk
from benchmarks.server import INPUT, OUTPUT, serving, stats
from promptkit.errors import PromptkitError
from promptkit.events import Retrying
from promptkit.providers.langchain import from_langchain
from promptkit.sampling import ask_all
from promptkit.types import Model, Outcome, Problem, Request, message

ADAPTERS = ("openai", "groq", "openai-compatible", "ollama", "langchain")
FAULTS = "429:0.1,500:0.05,reset:0.02,stall:0.01,cut:0.005,garbled:0.005"
PEERS = """
Measured by others' means: the kit of /bench, 2026-11-21, faults without stalls (10/5/2 %), two seeds, 1,000 calls each.
| peer | lost | | peer | lost |
|---|---|---|---|---|
| openai SDK, langchain, litellm, llm, pydantic-ai | 3 and 10 | | dspy | 0 and 3 |
| promptfoo | 43 and 57 | | inspect | 0 and 0 |
With malformed and truncated bodies (2 % each, one seed): openai, langchain, litellm, pydantic-ai lost 20, promptfoo 47,
dspy 0; inspect ended its eval with 50 of 1,000 usable.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """Asks for every tag once, and says which came back as they should."""

    calls: int

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """Ids whose reply came, and those whose reply is not theirs."""
        ids = range(1, self.calls + 1)
        requests = [Request(messages=(message("user", f"Repeat id:{id}"),), max_tokens=16) for id in ids]
        samples = await ask_all(model, requests, where="tagged", quorum=None, losing=PromptkitError)
        came = [id for id, got in zip(ids, samples, strict=True) if got.completion]
        wrong = [id for id, got in zip(ids, samples, strict=True) if got.completion and not _right(got.completion, id)]
        why = sorted({type(got.error).__name__ for got in samples if got.error})
        return Outcome(answer=json.dumps({"came": came, "wrong": wrong, "why": why}))


def _right(reply: pk.Completion, id: int) -> bool:
    usage = (reply.usage.input_tokens, reply.usage.output_tokens)
    return reply.text.endswith(f" id:{id}") and usage == (INPUT, OUTPUT)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    lost: int
    why: list[str]
    wrong: int  # texts or usage
    told: dict[str, Any]  # by the server
    attempts: int  # by the journal
    unsettled: int
    answered_unheard: int  # the server wrote it all, the client says that it failed
    unanswered_heard: int  # the reverse
    again: int  # requests that a second run of the same calls sent
    tried: dict[str, int]  # what attempts that were made again failed with, as the client saw it
    seconds: float


def named(kind: str, address: str, timeout: float) -> dict[str, Any]:
    """The model as pk.run() takes it: where its server is, and how long it waits for a word."""
    if kind == "langchain":
        from benchmarks.langchain_chat import SdkChat

        chat = SdkChat(base_url=f"{address}/v1", timeout=timeout)
        return {"model": from_langchain(chat, name="langchain:sdk:m", identity=address)}
    where = {"host": address} if kind == "ollama" else {"base_url": address + ("" if kind == "groq" else "/v1")}
    return {"model": f"{kind}:m", "model_options": {**where, "timeout": timeout}}


async def put_through(kind: str, address: str, calls: int, *, patience: float, concurrency: int = 64) -> Result:
    """Make the calls, and once more what the journal then does not have."""
    how: dict[str, Any] = {**named(kind, address, patience), "concurrency": concurrency}
    began, tried = time.monotonic(), Counter[str]()

    def hear(record: pk.Record) -> None:
        if isinstance(record.event, Retrying):
            tried[re.sub(r"http\S+", "the server", record.event.error)] += 1

    with tempfile.TemporaryDirectory() as folder, pk.open_journal(Path(folder) / "journal.db") as journal:
        outcome = await pk.arun(Tagged(calls=calls), "tags", journal=journal, sinks=[hear], **how)
        seconds = time.monotonic() - began
        told, spent = await asyncio.to_thread(stats, address), journal.spent(outcome.run)
        said = json.loads(outcome.answer or "{}")
        lost = calls - len(said["came"])
        again = 0
        if not lost:
            second = await pk.arun(Tagged(calls=calls), "tags", journal=journal, **how)
            again = journal.spent(second.run).calls
    heard, written = set(said["came"]), set(told["delivered"])
    return Result(
        lost,
        said["why"],
        len(said["wrong"]),
        told,
        spent.calls,
        spent.unsettled,
        len(written - heard),
        len(heard - written),
        again,
        dict(tried),
        seconds,
    )


def main() -> None:
    """Print the table, and the peers' figures below it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--timeout", type=float, default=5.0)
    parser.add_argument("--only", choices=ADAPTERS)
    said = parser.parse_args()
    why = list[str]()
    print("| adapter | seed | lost | twice | wrong | server's attempts | journal's | most for one | a second run | s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for kind in [said.only] if said.only else ADAPTERS:
        for seed in said.seeds:
            with serving("--faults", FAULTS, "--seed", str(seed)) as address:
                got = asyncio.run(put_through(kind, address, said.calls, patience=said.timeout))
            wrong = got.wrong + got.answered_unheard + got.unanswered_heard + got.unsettled
            row = [kind, seed, got.lost, got.told["answered_twice"], wrong, got.told["requests"], got.attempts]
            print("|", *(f"{cell} |" for cell in [*row, got.told["most_attempts"], got.again, f"{got.seconds:.1f}"]))
            if (missed := got.attempts - got.told["requests"]) > 0:
                failed = ", ".join(f"{count} {said}" for said, count in sorted(got.tried.items()))
                why.append(f"{kind}, seed {seed}: {missed} attempts never came to the server. Tried again: {failed};")
                why.append(f"  broken by the server: {json.dumps(got.told['broken'])}")
    print(*why, PEERS, sep="\n")


if __name__ == "__main__":
    main()
