"""The stream itself: who watches, where in a run it happens, and what was spent until then."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.events.kinds import QUOTING, Event, SpanEnded, SpanStarted, Warned
from promptkit.redaction import redacted
from promptkit.types import Usage, plain


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
    if quoted := {name: text for name in QUOTING.get(type(event), ()) if (text := getattr(event, name))}:
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
def span(name: str, strategy: str = "") -> Iterator[str]:
    """Place the block's events under `name`; the path it yields is the same on every rerun."""
    outer = _span.get()
    path = f"{outer}/{name}" if outer else name
    token = _span.set(path)
    emit(SpanStarted(strategy))
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
