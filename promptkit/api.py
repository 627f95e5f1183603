"""The thin face: one question through one strategy, live, streamed, resumed or replayed."""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from promptkit import attachments, exchange, outputs, prompts, registry, sync
from promptkit.attachments import Source
from promptkit.errors import BadInput, CapabilityMissing, PromptkitError, RunMissing
from promptkit.events import Record, Sink
from promptkit.journal import Journal, RunRow
from promptkit.runtime.budgeted import Limits, refuse_spent
from promptkit.runtime.fallback import chain
from promptkit.runtime.open import Remembered, as_provider, meant_for, open_provider
from promptkit.runtime.plan import Mode, Plan, RunOptions, fresh_branch, new_run_id
from promptkit.runtime.run import execute
from promptkit.runtime.unhurried import ended
from promptkit.settings import default_model, journal_path, setting
from promptkit.types import Blob, Capabilities, Message, Model, Outcome, Part, Problem, Provider, Strategy, Text

Models = str | Model | Sequence[str | Model]  # several stand in for each other: the next when one cannot answer

_journals: dict[Path | None, Journal] = {}
_given: weakref.WeakSet[Journal] = weakref.WeakSet()  # those that callers opened themselves
_lock = threading.Lock()


def plan(
    strategy: str | Strategy,
    question: str,
    *,
    model: Models | None = None,
    model_options: Mapping[str, object] | None = None,
    pack: str = prompts.DEFAULT_PACK,
    reader: str | None = None,
    output: Any = None,  # a pydantic model, a dataclass, list[int] …, or a JSON Schema: what `value` will be
    attach: Sequence[Source] = (),  # paths of texts and images, or the bytes of one
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
    if not isinstance(question, str):
        raise BadInput(f"the question is a {type(question).__name__}, not text")
    if not question.strip():
        raise BadInput("the question is empty", hint='promptkit run cot "your question", or - to read it from stdin')
    name, chosen = _strategy(strategy, params)
    prompts.pack(pack)
    concurrency = concurrency if concurrency is not None else setting("concurrency")
    if concurrency < 1:
        raise BadInput(f"--concurrency must be at least 1, not {concurrency}", hint="e.g. --concurrency 8")
    limits = Limits(max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost, timeout=timeout)
    form = outputs.form(output) if output is not None else None
    problem = Problem(text=question, pack=pack, reader=reader, history=tuple(history), vars=dict(vars or {}))
    problem = replace(problem, output_schema=form, parts=tuple(map(attachments.attach, attach)))
    exchange.check(problem)
    if hasattr(chosen, "resolved"):  # the run remembers what was in force, also when a pack's defaults change later
        chosen = chosen.resolved(problem)
    provider = _provider(model, model_options)
    if attachments.images(problem.parts) and not provider.capabilities.images:
        raise CapabilityMissing(f"{provider.id} takes no images", hint="a model that sees: -m openai:gpt-4.1-mini")
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
    model: Model | Sequence[str | Model] | None = None,
    output: Any = None,
    journal: str | Path | Journal | None = None,
    **changes: Any,
) -> Plan:
    """A recorded run, ready to be resumed or replayed. `changes` are new caps.

    `model` and `output` are for what was made in Python: a recorded output is known by its JSON Schema alone.
    """
    opened = _journal(journal)
    row = find_run(run, opened)
    stored = row.options
    name, strategy = _strategy(row.strategy, row.params)
    limits = {**stored["limits"], **{cap: value for cap, value in changes.items() if value is not None}}
    provider: Provider
    if mode == "replay":
        known = stored.get("models") or [{**stored, "id": row.model}]
        provider = chain([Remembered(m["id"], m["identity"], capabilities_from(m["capabilities"])) for m in known])
    else:
        provider = _provider(model or row.model, stored.get("model_options"))
        if row.status not in ("done", "undecided"):  # such a run gives its answer again, for nothing
            refuse_spent(Limits(**limits), opened.spent(row.id), row.id)
    return Plan(
        run=row.id,
        name=name,
        strategy=strategy,
        problem=_formed_again(problem_from(stored["problem"], opened), output),
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
    return await _outcome(plan(strategy, question, **how), sinks)


def run(strategy: str | Strategy, question: str, *, sinks: Sequence[Sink] = (), **how: Any) -> Outcome:
    """arun() from code without an event loop, or inside one; plan() has the list of what can be given."""
    return _wait(plan(strategy, question, **how), sinks)


async def stream(strategy: str | Strategy, question: str, **how: Any) -> AsyncGenerator[Record, None]:
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
        await ended(task)


async def aresume(run: str, *, sinks: Sequence[Sink] = (), **changes: Any) -> Outcome:
    """Continue a run where it stopped: no completed call is made again; see plan_again() for what can be given."""
    return await _outcome(plan_again(run, "resume", **changes), sinks)


async def areplay(
    run: str, *, sinks: Sequence[Sink] = (), output: Any = None, journal: str | Path | Journal | None = None
) -> Outcome:
    """The run once more from the journal alone: no call is made, nothing is written."""
    return await _outcome(plan_again(run, "replay", output=output, journal=journal), sinks)


def resume(run: str, *, sinks: Sequence[Sink] = (), **changes: Any) -> Outcome:
    """aresume() from code without an event loop."""
    return _wait(plan_again(run, "resume", **changes), sinks)


def replay(run: str, *, sinks: Sequence[Sink] = (), **how: Any) -> Outcome:
    """areplay() from code without an event loop."""
    return _wait(plan_again(run, "replay", **how), sinks)


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


async def _outcome(chosen: Plan, sinks: Sequence[Sink]) -> Outcome:
    """The plan's outcome, its value of the type that was asked for."""
    with _noting(chosen.run):
        outcome = await execute(chosen, sinks)
    form = chosen.problem.output_schema
    if outcome.answer is None or not isinstance(form, outputs.Form):
        return outcome
    return replace(outcome, value=form.value(outcome.answer))


def _wait(chosen: Plan, sinks: Sequence[Sink]) -> Outcome:
    with _noting(chosen.run):
        return sync.run(_outcome(chosen, sinks))


@contextmanager
def _noting(run: str) -> Iterator[None]:
    """Who interrupts a run is told how it goes on."""
    try:
        yield
    except (KeyboardInterrupt, asyncio.CancelledError) as stop:
        stop.add_note(f"what it had is kept; to go on: pk.resume({run!r})")
        raise


def _drawn(outcome: Outcome) -> str:
    from promptkit.render.html import card  # rich is loaded when something is drawn

    for journal in (*_journals.values(), *_given):
        with suppress(PromptkitError):
            return card(outcome, journal.events(journal.run(outcome.run).id))
    return card(outcome, ())


Outcome.drawn = _drawn


def _formed_again(problem: Problem, output: Any) -> Problem:
    if output is None:
        return problem
    form = outputs.form(output)
    if form != problem.output_schema:
        raise BadInput("that is not the output this run was asked for", hint="leave it out: the recorded one holds")
    return replace(problem, output_schema=form)


def _strategy(strategy: str | Strategy, params: Mapping[str, Any]) -> tuple[str, Strategy]:
    if not isinstance(strategy, str):
        if params:
            raise BadInput(f"give {', '.join(params)} to the strategy object itself")
        given: Any = strategy  # whatever a caller without a type checker may pass
        if isinstance(given, type) or not is_dataclass(given) or not callable(getattr(given, "solve", None)):
            what = f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"
            hint = "an instance of a frozen dataclass with `async def solve(self, problem, model)`"
            raise BadInput(f"not a strategy: {what}", hint=hint)
        return getattr(strategy, "name", type(strategy).__name__), strategy
    kind = registry.load("strategy", strategy)
    known = [f.name for f in fields(kind)]
    for name in params:
        if name not in known:
            raise BadInput(f"{strategy} has no parameter {name!r}", hint=f"it has: {', '.join(known)}")
    chosen: Strategy = kind(**params)
    return strategy, chosen


def _provider(model: Models | None, options: Mapping[str, object] | None) -> Provider:
    if model is None or isinstance(model, str):
        return open_provider(model or default_model(), options)
    if isinstance(model, Sequence):  # they stand in for each other, the favourite first
        named = options or {}
        return chain([open_provider(m, meant_for(m, named)) if isinstance(m, str) else as_provider(m) for m in model])
    return as_provider(model)


def _journal(where: str | Path | Journal | None) -> Journal:
    if isinstance(where, Journal):
        _given.add(where)
        return where
    path = None if where == "memory" else Path(where) if where else journal_path()
    with _lock:
        if path not in _journals:
            if not _journals:
                atexit.register(_close_journals)
            _journals[path] = Journal.open(path)
            if path and path.parent.name == ".promptkit" and not (path.parent / ".gitignore").exists():
                (path.parent / ".gitignore").write_text("*\n")  # a journal is not for version control
        return _journals[path]


def _close_journals() -> None:
    with _lock:
        for journal in _journals.values():
            journal.close()
        _journals.clear()


def problem_from(stored: Mapping[str, Any], journal: Journal | None = None) -> Problem:
    """The problem of a recorded run; the journal has the bytes of what was attached."""
    return Problem(
        text=stored["text"],
        parts=tuple(_blob(part, journal) for part in stored.get("parts", ())),
        pack=stored["pack"],
        reader=stored["reader"],
        history=tuple(
            Message(turn["role"], tuple(_part(part, journal) for part in turn["content"])) for turn in stored["history"]
        ),
        vars=stored["vars"],
        output_schema=outputs.stored(stored.get("output_schema")),
    )


def _part(stored: Mapping[str, Any], journal: Journal | None) -> Part:
    return Text(stored["text"]) if "text" in stored else _blob(stored, journal)


def _blob(stored: Mapping[str, Any], journal: Journal | None) -> Blob:
    blob = Blob(**{name: stored[name] for name in ("kind", "sha256", "media_type", "name")})
    return replace(blob, data=(journal.blob(blob.sha256) if journal else None) or b"")


def capabilities_from(stored: Mapping[str, Any]) -> Capabilities:
    """The capabilities a model had when a run was recorded."""
    known = {f.name for f in fields(Capabilities)}
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
    return Capabilities(**given)
