"""The thin face: one question through one strategy, live, streamed, resumed or replayed."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from promptkit import exchange, places, prompts, registry, sync
from promptkit.errors import BadInput, RunMissing
from promptkit.events import Record, Sink
from promptkit.journal import Journal, RunRow
from promptkit.runtime.budgeted import Limits
from promptkit.runtime.open import Remembered, as_provider, open_provider
from promptkit.runtime.plan import Mode, Plan, RunOptions, fresh_branch, new_run_id
from promptkit.runtime.run import execute
from promptkit.settings import setting
from promptkit.types import Capabilities, Message, Model, Outcome, Problem, Provider, Strategy, Text

_journals: dict[Path | None, Journal] = {}
_lock = threading.Lock()


def plan(
    strategy: str | Strategy,
    question: str,
    *,
    model: str | Model | None = None,
    model_options: Mapping[str, object] | None = None,
    pack: str = prompts.DEFAULT_PACK,
    reader: str | None = None,
    history: Sequence[Message] = (),
    vars: Mapping[str, str] | None = None,
    seed: int = 0,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    timeout: float | None = None,
    concurrency: int | None = None,
    fresh: bool = False,
    journal: str | Path | Journal | None = None,
    **params: Any,
) -> Plan:
    """A run ready to start. `params` are the strategy's fields; errors name what to type instead."""
    if not question.strip():
        raise BadInput("the question is empty", hint='promptkit run cot "your question", or - to read it from stdin')
    name, chosen = _strategy(strategy, params)
    prompts.pack(pack)
    concurrency = concurrency if concurrency is not None else setting("concurrency")
    if concurrency < 1:
        raise BadInput(f"--concurrency must be at least 1, not {concurrency}", hint="e.g. --concurrency 8")
    limits = Limits(max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost, timeout=timeout)
    problem = Problem(text=question, pack=pack, reader=reader, history=tuple(history), vars=dict(vars or {}))
    exchange.check(problem)
    if hasattr(chosen, "resolved"):  # the run remembers what was in force, also when a pack's defaults change later
        chosen = chosen.resolved(problem)
    provider = _provider(model, model_options)
    opened = _journal(journal)
    return Plan(
        run=new_run_id(),
        name=name,
        strategy=chosen,
        problem=problem,
        provider=provider,
        journal=opened,
        options=RunOptions(seed=seed, limits=limits, concurrency=concurrency, fresh=fresh_branch() if fresh else 0),
        model_options=model_options or {},
    )


def plan_again(
    run: str,
    mode: Mode,
    *,
    model: Model | None = None,
    journal: str | Path | Journal | None = None,
    **changes: Any,
) -> Plan:
    """A recorded run, ready to be resumed or replayed. `model` is for models made in Python, `changes` are new caps."""
    opened = _journal(journal)
    row = find_run(run, opened)
    stored = row.options
    name, strategy = _strategy(row.strategy, row.params)
    limits = {**stored["limits"], **{cap: value for cap, value in changes.items() if value is not None}}
    provider: Provider
    if mode == "replay":
        provider = Remembered(row.model, stored["identity"], capabilities_from(stored["capabilities"]))
    else:
        provider = _provider(model or row.model, stored.get("model_options"))
    return Plan(
        run=row.id,
        name=name,
        strategy=strategy,
        problem=problem_from(stored["problem"]),
        provider=provider,
        journal=opened,
        options=RunOptions(
            seed=row.seed,
            limits=Limits(**limits),
            concurrency=stored["concurrency"],
            fresh=stored["fresh"],
        ),
        mode=mode,
        model_options=stored.get("model_options") or {},
        cut_as="cancelled" if mode == "replay" and row.status == "cancelled" else "budget",
    )


async def arun(strategy: str | Strategy, question: str, *, sinks: Sequence[Sink] = (), **how: Any) -> Outcome:
    """The outcome of a strategy on a question; see plan() for what can be given."""
    return await execute(plan(strategy, question, **how), sinks)


def run(strategy: str | Strategy, question: str, *, sinks: Sequence[Sink] = (), **how: Any) -> Outcome:
    """arun() from code without an event loop, or inside one: it never touches yours."""
    return sync.run(arun(strategy, question, sinks=sinks, **how))


async def stream(strategy: str | Strategy, question: str, **how: Any) -> AsyncIterator[Record]:
    """The run's events as they happen; leaving the loop cancels the run."""
    queue: asyncio.Queue[Record | None] = asyncio.Queue()
    task = asyncio.create_task(arun(strategy, question, sinks=[queue.put_nowait], **how))
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (record := await queue.get()) is not None:
            yield record
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def aresume(run: str, *, sinks: Sequence[Sink] = (), **changes: Any) -> Outcome:
    """Continue a run where it stopped: no completed call is made again; see plan_again() for what can be given."""
    return await execute(plan_again(run, "resume", **changes), sinks)


async def areplay(run: str, *, sinks: Sequence[Sink] = (), journal: str | Path | Journal | None = None) -> Outcome:
    """The run once more from the journal alone: no call is made, nothing is written."""
    return await execute(plan_again(run, "replay", journal=journal), sinks)


def resume(run: str, **how: Any) -> Outcome:
    """aresume() from code without an event loop."""
    return sync.run(aresume(run, **how))


def replay(run: str, **how: Any) -> Outcome:
    """areplay() from code without an event loop."""
    return sync.run(areplay(run, **how))


def runs(limit: int | None = None, *, journal: str | Path | Journal | None = None) -> list[RunRow]:
    """Recorded runs, newest first."""
    return _journal(journal).runs(limit)


def find_run(run: str, journal: str | Path | Journal | None = None) -> RunRow:
    """The run of that id, of a unique beginning of it, or the `last` one; RunMissing when there is none."""
    opened = _journal(journal)
    if run != "last":
        return opened.run(run)
    if newest := opened.runs(1):
        return newest[0]
    raise RunMissing("there is no run yet", hint='promptkit run tot -P game24 "1 8 11 13"')


def open_journal(journal: str | Path | Journal | None = None) -> Journal:
    """The journal in force, or the one named; one a process, closed at exit. "memory" keeps nothing on disk."""
    return _journal(journal)


def _strategy(strategy: str | Strategy, params: Mapping[str, Any]) -> tuple[str, Strategy]:
    if not isinstance(strategy, str):
        if params:
            raise BadInput(f"give {', '.join(params)} to the strategy object itself")
        return getattr(strategy, "name", type(strategy).__name__), strategy
    kind = registry.load("strategy", strategy)
    known = [f.name for f in fields(kind)]
    for name in params:
        if name not in known:
            raise BadInput(f"{strategy} has no parameter {name!r}", hint=f"it has: {', '.join(known)}")
    chosen: Strategy = kind(**params)
    return strategy, chosen


def _provider(model: str | Model | None, options: Mapping[str, object] | None) -> Provider:
    if model is None or isinstance(model, str):
        return open_provider(model or setting("model"), options)
    return as_provider(model)


def _journal(where: str | Path | Journal | None) -> Journal:
    if isinstance(where, Journal):
        return where
    path = None if where == "memory" else Path(where) if where else places.journal()
    with _lock:
        if path not in _journals:
            if not _journals:
                atexit.register(_close_journals)
            _journals[path] = Journal.open(path)
        return _journals[path]


def _close_journals() -> None:
    with _lock:
        for journal in _journals.values():
            journal.close()
        _journals.clear()


def problem_from(stored: Mapping[str, Any]) -> Problem:
    """The problem of a recorded run."""
    history = tuple(
        Message(turn["role"], tuple(Text(part["text"]) for part in turn["content"])) for turn in stored["history"]
    )
    return Problem(
        text=stored["text"], pack=stored["pack"], reader=stored["reader"], history=history, vars=stored["vars"]
    )


def capabilities_from(stored: Mapping[str, Any]) -> Capabilities:
    """The capabilities a model had when a run was recorded."""
    known = {f.name for f in fields(Capabilities)}
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
    return Capabilities(**given)
