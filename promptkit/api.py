"""The thin face: one question through one strategy, live, streamed, resumed or replayed."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from promptkit import announced, attachments, checked, composition, exchange, outputs, prompts, registry, sync
from promptkit.attachments import Source
from promptkit.conversation import CHAT
from promptkit.errors import BadInput, CapabilityMissing, PromptkitError, RunMissing
from promptkit.events import Record, Sink, Warned
from promptkit.journal import Journal, RunRow
from promptkit.layering import stack
from promptkit.ranges import at_least
from promptkit.recorded import capabilities_from, problem_from
from promptkit.runtime import answering
from promptkit.runtime.budgeted import Limits, charged, refuse_spent
from promptkit.runtime.capable import refuse_effort
from promptkit.runtime.fallback import chain
from promptkit.runtime.open import LangChainChatModel, Remembered, as_provider, meant_for, open_provider
from promptkit.runtime.plan import Mode, Plan, RunOptions, fresh_branch, new_run_id
from promptkit.runtime.run import execute
from promptkit.runtime.unhurried import ended
from promptkit.settings import default_model, journal_path, setting
from promptkit.types import Effort, Message, Model, Outcome, Problem, Provider, Strategy

P = ParamSpec("P")
R = TypeVar("R")
# Several stand in for each other: the next when one cannot answer.
Models = str | Model | Sequence[str | Model | LangChainChatModel] | LangChainChatModel

RECORDING = "record"  # stands for the strategy of a run of pk.record()

_journals: dict[Path | None, Journal] = {}
_given: weakref.WeakSet[Journal] = weakref.WeakSet()  # those that callers opened themselves
_lock = threading.Lock()


@checked.arguments
def plan(
    strategy: str | Strategy,
    question: str,
    *,
    model: Models | None = None,
    model_options: Mapping[str, object] | None = None,
    pack: str = prompts.DEFAULT_PACK,
    reader: str | None = None,
    output: Any = None,  # a pydantic model, a dataclass, list[int] …, or a JSON Schema: what `value` will be
    attach: Source | Sequence[Source] = (),  # paths of texts and images, or the bytes of one
    history: Sequence[Message] = (),
    vars: Mapping[str, str] | None = None,
    persona: str | None = None,  # who answers: this one and the next five are layers around the strategy
    audience: str | None = None,  # who listens
    structured: str | None = None,  # the form of the text: "table:city,people", "json:schema.json" …
    pattern: str | Sequence[str] = (),  # blocks of prompts/tricks: "fact-check" …
    descriptive: bool = False,  # complete the question with stated assumptions
    reflect: bool = False,  # mend the answer where a review finds the mend better
    effort: Effort | None = None,  # how long a model that reasons may think
    seed: int = 0,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    timeout: float | None = None,
    fit: bool = False,  # make the strategy as small as max_calls asks for, where it can be made smaller
    concurrency: int | None = None,
    fresh: bool = False,
    journal: str | Path | Journal | None = None,
    sinks: Sequence[Sink] = (),  # functions that are handed every event as it happens
    answers: Any = None,  # to what the strategy asks you: a function such as input, a list, a mapping, a file
    **params: Any,
) -> Plan:
    """A run ready to start. `params` are the strategy's fields; errors name what to type instead."""
    if not isinstance(question, str):
        raise BadInput(f"the question is a {type(question).__name__}, not text")
    if not question.strip():
        raise BadInput("the question is empty", hint="say what is asked, in text that is not blank")
    asked = {"persona": persona, "audience": audience, "structured": structured, "pattern": pattern}
    layers, own = stack.parted(strategy, {**asked, "descriptive": descriptive, "reflect": reflect})
    name, chosen = _strategy(strategy, {**params, **own})
    if layers:
        chosen = stack.layered(chosen, layers)
        name = registry.name_of("strategy", chosen)
    for each in composition.nested(chosen):
        exchange.check_decoding(getattr(each, "temperature", None), getattr(each, "reply_tokens", None))
    prompts.pack(pack)
    concurrency = concurrency if concurrency is not None else setting("concurrency")
    at_least(1, 8, concurrency=concurrency)
    limits = Limits(max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost, timeout=timeout)
    form = outputs.form(output) if output is not None else None
    problem = Problem(text=question, pack=pack, reader=reader, history=tuple(history), vars=dict(vars or {}))
    problem = replace(problem, output_schema=form, parts=attachments.attached(attach), effort=effort)
    exchange.check(problem)
    chosen = composition.resolved(chosen, problem)  # the run remembers what was in force, whatever a pack says later
    chosen, told = _fitted(chosen, problem, max_calls) if fit else (chosen, ())
    provider = _provider(model, model_options)
    if attachments.images(problem.parts) and not provider.capabilities.images:
        raise CapabilityMissing(f"{provider.id} takes no images", hint="a model that sees: -m openai:gpt-4.1-mini")
    refuse_effort(effort, provider)
    opened = _journal(journal)
    return Plan(
        run=new_run_id(),
        name=name,
        strategy=chosen,
        problem=problem,
        provider=provider,
        journal=opened,
        options=RunOptions(
            seed=seed, limits=limits, concurrency=concurrency, fresh=fresh_branch() if fresh else 0, **_patience()
        ),
        model_options=model_options or {},
        sinks=tuple(sinks),
        told=told,
        answers=answering.source(answers),
    )


def _fitted(chosen: Strategy, problem: Problem, calls: int | None) -> tuple[Strategy, tuple[Warned, ...]]:
    """The strategy as large as so many calls let it be, and what that changed."""
    if calls is None:
        raise BadInput("--fit makes a strategy small enough for --max-calls, and there is none", hint="--max-calls 20")
    smaller = announced.within(chosen, problem, calls)
    if smaller is None:
        told = f"it cannot be made small enough for --max-calls {calls}: it goes on until the cap"
        told += "; calls that the journal answers do not count"
        return chosen, (Warned(told),)
    changes = ", ".join(announced.changed(chosen, smaller))
    return smaller, (Warned(f"{changes}: what --max-calls {calls} lets through"),) if changes else ()


@checked.arguments
def plan_resume(
    run: str,
    *,
    model: Models | None = None,
    output: Any = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    timeout: float | None = None,
    journal: str | Path | Journal | None = None,
    sinks: Sequence[Sink] = (),
    answers: Any = None,
) -> Plan:
    """A recorded run, ready to go on under its own caps or new ones.

    `model` and `output` are for what was made in Python: a recorded output is known by its JSON Schema alone.
    """
    opened = _journal(journal)
    row = _runnable(find_run(run, opened))
    provider = _provider(model or row.model, row.options.get("model_options"))
    caps = {"max_calls": max_calls, "max_tokens": max_tokens, "max_cost": max_cost, "timeout": timeout}
    limits = Limits(**{**row.options["limits"], **{cap: value for cap, value in caps.items() if value is not None}})
    if row.status not in ("done", "undecided"):  # such a run gives its answer again, for nothing
        refuse_spent(limits, charged(opened.spent(row.id), provider.capabilities), row.id)
    answered = answering.remembered(answers, row.options.get("answers"))
    again = _again(row, opened, provider, output, sinks, "resume")
    return replace(again, options=_options(row, limits), answers=answered)


@checked.arguments
def plan_replay(
    run: str, *, output: Any = None, journal: str | Path | Journal | None = None, sinks: Sequence[Sink] = ()
) -> Plan:
    """A recorded run, ready to be shown again from the journal alone."""
    opened = _journal(journal)
    row = _runnable(find_run(run, opened))
    known = row.options.get("models") or [{**row.options, "id": row.model}]
    provider = chain([Remembered(m["id"], m["identity"], capabilities_from(m["capabilities"])) for m in known])
    return _again(row, opened, provider, output, sinks, "replay")


def _runnable(row: RunRow) -> RunRow:
    """The run itself; BadInput when it is one of pk.record(), which is its caller's code."""
    if row.strategy == RECORDING:
        hint = f"run its code again: the journal answers\npromptkit runs show {row.id}"
        raise BadInput(f"run {row.id} is a recording of other code", hint=hint)
    return row


def _again(row: RunRow, opened: Journal, provider: Provider, output: Any, sinks: Sequence[Sink], mode: Mode) -> Plan:
    stored = row.options
    if row.strategy == CHAT:
        again = f"promptkit chat --resume {row.id}\npromptkit runs show {row.id}"
        raise BadInput(f"run {row.id} is a conversation: there is nothing to {mode}", hint=again)
    name, strategy = _strategy(row.strategy, row.params, recorded=True)
    return Plan(
        run=row.id,
        name=name,
        strategy=strategy,
        problem=_formed_again(problem_from(stored["problem"], opened), output),
        provider=provider,
        journal=opened,
        options=_options(row, Limits(**stored["limits"])),
        mode=mode,
        model_options=stored.get("model_options") or {},
        cut_as="cancelled" if mode == "replay" and row.status == "cancelled" else "budget",
        sinks=tuple(sinks),
    )


def _options(row: RunRow, limits: Limits) -> RunOptions:
    stored = row.options
    width, fresh = stored["concurrency"], stored["fresh"]
    return RunOptions(seed=row.seed, limits=limits, concurrency=width, fresh=fresh, **_patience())


def _patience() -> dict[str, Any]:
    """How often and how long calls are tried again, as it is set now: it changes no answer."""
    return {name: setting(f"retry.{name}") for name in ("attempts", "deadline")}


def _taking(given: Callable[P, Plan]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Let a function declare what the plan it makes takes, for editors and for help(): the list is written once."""

    def declared(function: Callable[..., R]) -> Callable[P, R]:
        returned = inspect.signature(function).return_annotation
        function.__signature__ = inspect.signature(given).replace(return_annotation=returned)  # type: ignore[attr-defined]
        return cast(Callable[P, R], function)

    return declared


@_taking(plan)
async def arun(*what: Any, **how: Any) -> Outcome:
    """The outcome of a strategy on a question; the strategy's own fields can be given, too."""
    return await _outcome(plan(*what, **how))


@_taking(plan)
def run(*what: Any, **how: Any) -> Outcome:
    """arun() from code without an event loop, or inside one."""
    return _wait(plan(*what, **how))


@_taking(plan)
def stream(*what: Any, **how: Any) -> AsyncGenerator[Record, None]:
    """The run's events as they happen; leaving the loop cancels the run. What cannot be run is said at once."""
    return _streamed(plan(*what, **how))


async def _streamed(chosen: Plan) -> AsyncGenerator[Record, None]:
    queue: asyncio.Queue[Record | None] = asyncio.Queue()
    task = asyncio.create_task(_outcome(replace(chosen, sinks=(*chosen.sinks, queue.put_nowait))))
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (record := await queue.get()) is not None:
            yield record
        await task
    finally:
        task.cancel()
        await ended(task)


@_taking(plan_resume)
async def aresume(*what: Any, **how: Any) -> Outcome:
    """Continue a run where it stopped: no completed call is made again."""
    return await _outcome(plan_resume(*what, **how))


@_taking(plan_replay)
async def areplay(*what: Any, **how: Any) -> Outcome:
    """The run once more from the journal alone: no call is made, nothing is written."""
    return await _outcome(plan_replay(*what, **how))


@_taking(plan_resume)
def resume(*what: Any, **how: Any) -> Outcome:
    """aresume() from code without an event loop."""
    return _wait(plan_resume(*what, **how))


@_taking(plan_replay)
def replay(*what: Any, **how: Any) -> Outcome:
    """areplay() from code without an event loop."""
    return _wait(plan_replay(*what, **how))


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
    raise RunMissing("there is no run yet", hint='promptkit run tot -P game24 "1 4 9 11"')


def open_journal(journal: str | Path | Journal | None = None) -> Journal:
    """The journal in force, or the one named; one a process, closed at exit. "memory" keeps nothing on disk."""
    return _journal(journal)


async def _outcome(chosen: Plan) -> Outcome:
    """The plan's outcome, its value of the type that was asked for."""
    with _noting(chosen.run):
        outcome = await execute(chosen)
    form = chosen.problem.output_schema
    if outcome.answer is None or not isinstance(form, outputs.Form):
        return outcome
    return replace(outcome, value=form.value(outcome.answer))


def _wait(chosen: Plan) -> Outcome:
    desk = sync.Desk() if chosen.answers else None
    here = replace(chosen, answers=answering.called(chosen.answers, desk.call)) if desk else chosen
    with _noting(chosen.run):
        return sync.run(_outcome(here), desk)


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


def _strategy(strategy: str | Strategy, params: Mapping[str, Any], *, recorded: bool = False) -> tuple[str, Strategy]:
    """Its name and the strategy itself; what a journal `recorded` was checked when it was given."""
    if not isinstance(strategy, str):
        if params:
            raise BadInput(f"give {', '.join(params)} to the strategy object itself")
        return registry.name_of("strategy", strategy), composition.checked_object(strategy)
    if recorded:
        return strategy, composition.made(strategy, params, recorded=True)
    name, written = composition.read(strategy) if "(" in strategy else (strategy, {})
    if twice := next((each for each in params if each in written), None):
        raise BadInput(f"{twice} is given twice: in {strategy!r} and beside it", hint="leave one of the two out")
    options = [p.name for p in inspect.signature(plan).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return name, composition.made(name, {**written, **params}, options=options)


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
