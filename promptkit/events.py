"""The one stream everything is shown, stored and bridged from.

Code under a run calls `emit(...)` and opens `span(...)`; sinks installed with `watch(...)` receive a `Record`
for each. Sinks observe: nothing here decides anything.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.redaction import redacted
from promptkit.types import Completion, Request, Status, Usage, plain


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began; `params` are the strategy's fields."""

    run: str
    strategy: str
    model: str
    question: str
    pack: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended; `cost_usd` is None when the price is unknown."""

    answer: str | None
    status: Status
    usage: Usage
    cost_usd: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class SpanStarted:
    """A named part of the run began; the record's span is its path."""


@dataclass(frozen=True, slots=True)
class SpanEnded:
    """It ended, by an error if `error` is set."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text as a model writes it. Shown, never stored."""

    draw: tuple[int, ...]
    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A completion was asked for."""

    key: str
    draw: tuple[int, ...]
    request: Request | None = field(default=None, compare=False, repr=False)  # for who watches; never stored


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A completion came; `cached` when the journal or a call of this run already had it."""

    key: str
    draw: tuple[int, ...]
    cached: bool
    input_tokens: int
    output_tokens: int
    seconds: float
    finish: str = "stop"
    error: str = ""
    completion: Completion | None = field(default=None, compare=False, repr=False)  # for who watches; never stored


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed and will be made again after `wait` seconds."""

    attempt: int
    wait: float
    error: str


@dataclass(frozen=True, slots=True)
class SampleRead:
    """A reply was read; `answer` is None when no answer could be read, `layer` says which reader fired."""

    index: int
    answer: str | None
    layer: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A judge's verdict, one of `options`; None where `how` is unreadable. `text` is what it was read from."""

    options: tuple[str, ...]
    verdict: str | None
    how: str  # read | grammar | schema | logprobs | reask | unreadable
    text: str


@dataclass(frozen=True, slots=True)
class VotesCounted:
    """The tally after `seen` of `n` samples; `counts` is best first, by `weights` where votes do not weigh the same."""

    counts: tuple[tuple[str, int], ...]
    seen: int
    n: int
    unread: int
    failed: int
    decided: bool
    aside: int = 0  # readable, and kept out by the rule of the vote
    weights: tuple[tuple[str, float], ...] = ()  # what decides, best first; empty: the counts do
    ended: bool = False  # a stopping rule ended it before all samples were in


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """A thought joined the tree; `node` is its path of child indexes, the root is ()."""

    node: tuple[int, ...]
    thought: str
    state: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class NodeValued:
    """A thought was valued; `verdicts` are the readings behind the score, None where unreadable."""

    node: tuple[int, ...]
    score: float
    verdicts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class NodeMerged:
    """A thought led to a state that is already in the tree."""

    node: tuple[int, ...]
    into: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodePruned:
    """A thought was dropped; `reason` is illegal, dead end, score or tie."""

    node: tuple[int, ...]
    reason: str
    thought: str = ""


@dataclass(frozen=True, slots=True)
class NodeSelected:
    """A thought was kept at its rank (0 is best)."""

    node: tuple[int, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class LevelDone:
    """A search level ended; `tied` candidates had exactly the score of the last one kept."""

    level: int
    depth: int
    kept: int
    seen: int
    tied: int


@dataclass(frozen=True, slots=True)
class Best:
    """The best answer so far, readable as a final answer; None takes back the one before it: a lead is shared now."""

    answer: str | None
    score: float | None = None
    text: str = ""
    verified: bool = False
    node: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know; `hint` is what to type."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Substituted:
    """The model lacks what a strategy `wanted`, and the run goes on with `by`; said once a run."""

    wanted: str
    by: str


@dataclass(frozen=True, slots=True)
class ChatChanged:
    """What a conversation is from here on: its first `kept` messages, who the model is to be, and which model."""

    kept: int
    persona: str
    model: str
    options: dict[str, Any]  # of the model


@dataclass(frozen=True, slots=True)
class BudgetHit:
    """A cap was reached; nothing more is sent."""

    cap: str
    used: float
    limit: float
    reserved: float = 0  # the part of `used` that is held for calls whose outcome nobody knows
    unknown: int = 0  # how many such calls there are


@dataclass(frozen=True, slots=True)
class Stopped:
    """A strategy stopped before its full effort, and why."""

    reason: str


Event = (
    RunStarted
    | RunEnded
    | SpanStarted
    | SpanEnded
    | Delta
    | CallStarted
    | CallEnded
    | Retrying
    | SampleRead
    | Decided
    | VotesCounted
    | NodeAdded
    | NodeValued
    | NodeMerged
    | NodePruned
    | NodeSelected
    | LevelDone
    | Best
    | Warned
    | Substituted
    | ChatChanged
    | BudgetHit
    | Stopped
)


@dataclass(frozen=True, slots=True)
class Record:
    """An event as sinks receive it: numbered, timed, placed, and with what the run has spent until then."""

    seq: int
    at: float  # seconds since the epoch
    span: str  # path of the span it happened in; "" is outside any
    spent: Usage  # live: what this run really sent
    event: Event

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object; `type` is the event's name."""
        return {
            "seq": self.seq,
            "at": round(self.at, 4),
            "span": self.span,
            "spent": plain(self.spent),
            "type": type(self.event).__name__,
            **plain(self.event),
        }


Sink = Callable[[Record], None]

# What may quote an error of somebody else's, and with it a key.
_QUOTING: dict[type, tuple[str, ...]] = {
    SpanEnded: ("error",),
    CallEnded: ("error",),
    Retrying: ("error",),
    SampleRead: ("error",),
    Warned: ("message", "hint"),
    Stopped: ("reason",),
}


@dataclass(slots=True)
class _Stream:
    sinks: tuple[Sink, ...]
    meter: Callable[[], Usage] = Usage
    deltas: bool = False  # whether any of them wants text as it is written
    numbers: Iterator[int] = field(default_factory=itertools.count)
    once: set[Event] = field(default_factory=set)  # what was said and is not said again


_stream: ContextVar[_Stream | None] = ContextVar("promptkit_stream", default=None)
_span: ContextVar[str] = ContextVar("promptkit_span", default="")


def emit(event: Event) -> None:
    """Hand an event to every sink of the surrounding watch(); without one, do nothing."""
    stream = _stream.get()
    if stream is None or not stream.sinks:
        return
    if quoted := {name: text for name in _QUOTING.get(type(event), ()) if (text := getattr(event, name))}:
        changes: dict[str, Any] = {name: redacted(text) for name, text in quoted.items()}
        event = replace(event, **changes)
    record = Record(next(stream.numbers), time.time(), _span.get(), stream.meter(), event)
    for sink in stream.sinks:
        try:
            sink(record)
        except Exception as error:  # who watches a run cannot end it
            stream.sinks = tuple(other for other in stream.sinks if other is not sink)
            emit(Warned(f"a sink failed and was dropped: {type(error).__name__}: {error}"))


def emit_once(event: Event) -> None:
    """emit() for what is worth saying once in a run."""
    stream = _stream.get()
    if stream is not None and event not in stream.once:
        stream.once.add(event)
        emit(event)


def streamed() -> bool:
    """Whether anybody wants text as it is written; a sink with `deltas = False` does not."""
    stream = _stream.get()
    return stream is not None and stream.deltas


@contextmanager
def watch(*sinks: Sink, meter: Callable[[], Usage] | None = None) -> Iterator[None]:
    """Send the events of the block to these sinks too; `meter` tells what has been spent so far."""
    outer = _stream.get()
    stream = _Stream(
        (*(outer.sinks if outer else ()), *sinks),
        meter or (outer.meter if outer else Usage),
        bool(outer and outer.deltas) or any(getattr(sink, "deltas", True) for sink in sinks),
        outer.numbers if outer else itertools.count(),
        outer.once if outer and meter is None else set(),  # a run of its own says it for itself
    )
    token = _stream.set(stream)
    try:
        yield
    finally:
        _stream.reset(token)


@contextmanager
def span(name: str) -> Iterator[str]:
    """Place the block's events under `name`; the path it yields is the same on every rerun."""
    outer = _span.get()
    path = f"{outer}/{name}" if outer else name
    token = _span.set(path)
    emit(SpanStarted())
    error = ""
    try:
        yield path
    except BaseException as stopped:
        error = type(stopped).__name__
        raise
    finally:
        emit(SpanEnded(error))
        _span.reset(token)


def metered_by(meter: Callable[[], Usage]) -> bool:
    """Whether what is spent here is told by that meter: no run further inside has its own."""
    stream = _stream.get()
    return stream is not None and stream.meter == meter


def current_span() -> str:
    """The path of the surrounding span; "" outside any."""
    return _span.get()
