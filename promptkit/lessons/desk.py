"""Where an exercise is made: the model, the journal, and chance, which a seed decides."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from promptkit import api
from promptkit.errors import BadInput
from promptkit.events import CallEnded, Event, Record, SampleRead
from promptkit.journal import Journal
from promptkit.types import Model, Outcome, Strategy

E = TypeVar("E", bound=Event)
C = TypeVar("C")

MODEL = "builtin"
TRIES = 5  # questions that are asked at most, until one makes an exercise worth its two minutes


@dataclass(frozen=True, slots=True)
class Chain:
    """A sample of a vote: what the model wrote, and the answer read from it."""

    text: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Ran:
    """A run: how it ended, and what happened in it."""

    question: str
    outcome: Outcome
    events: tuple[Event, ...]

    def of(self, kind: type[E]) -> Iterator[E]:
        """The events of a kind, in order."""
        return (event for event in self.events if isinstance(event, kind))

    @property
    def chains(self) -> list[Chain]:
        """The samples in their order, those that came."""
        texts = {call.draw[-1]: call.completion.text for call in self.of(CallEnded) if call.completion}
        read = {sample.index: sample.answer for sample in self.of(SampleRead)}
        return [Chain(texts[index], read[index]) for index in sorted(read) if index in texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Runs for an exercise, all of them recorded like any other."""

    name: str
    seed: int = 0
    model: str | Model = MODEL
    journal: str | Path | Journal | None = None
    runs: list[str] = field(default_factory=list, compare=False)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise BadInput(f"a seed is 0 or more, not {self.seed}", hint="e.g. --seed 7")

    def chance(self) -> random.Random:
        """A generator that the exercise and its seed alone decide."""
        return random.Random(f"promptkit learn {self.name} {self.seed}")

    def run(self, strategy: str | Strategy, question: str, *, pack: str = "general", **params: Any) -> Ran:
        """A run on the model of the desk; the user's own run of the same question takes its calls from the journal."""
        events: list[Event] = []

        def keep(record: Record) -> None:
            events.append(record.event)

        outcome = api.run(
            strategy, question, pack=pack, model=self.model, journal=self.journal, sinks=(keep,), **params
        )
        self.runs.append(outcome.run)
        return Ran(question, outcome, tuple(events))


def worthwhile(candidates: Iterable[C], good: Callable[[C], bool], tries: int = TRIES) -> C:
    """The first good candidate, or the last of so many: they are made one at a time."""
    for _, found in zip(range(tries), candidates, strict=False):
        if good(found):
            break
    return found
