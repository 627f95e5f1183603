"""A run that could start: everything is named, opened and checked, and nothing has been asked."""

from __future__ import annotations

import hashlib
import inspect
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from promptkit import composition
from promptkit.events import Sink, Warned
from promptkit.journal import Journal, NewRun
from promptkit.runtime.answering import Source
from promptkit.runtime.budgeted import Limits
from promptkit.runtime.fallback import Chain
from promptkit.runtime.retried import ATTEMPTS, DEADLINE
from promptkit.types import Blob, Problem, Provider, Status, Strategy, plain

Mode = Literal["new", "resume", "extend", "replay"]  # extend: what the run has stays, and more is added to it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is made; nothing here changes what a model would answer, except the seed and fresh draws."""

    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 8
    fresh: int = 0  # above 0: a branch of draws that no other run uses
    attempts: int = ATTEMPTS  # how often a call is tried
    deadline: float = DEADLINE  # seconds that its waits between tries may add up to


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run ready for execute()."""

    run: str
    name: str
    strategy: Strategy
    problem: Problem
    provider: Provider
    journal: Journal
    options: RunOptions
    mode: Mode = "new"
    model_options: Mapping[str, object] = field(default_factory=dict)
    cut_as: Status = "budget"  # how a run that was cut off ended; a replay ends as the run did
    sinks: tuple[Sink, ...] = ()  # who watches it
    told: tuple[Warned, ...] = ()  # what the run begins by saying
    answers: Source | None = None  # who answers what the strategy asks

    @property
    def asks(self) -> bool:
        """Whether the strategy, or one inside it, asks whoever made the run."""
        return any(getattr(each, "asks", False) for each in composition.nested(self.strategy))

    def attached(self) -> list[Blob]:
        """What the question and its history bring with them."""
        said = [part for turn in self.problem.history for part in turn.content if isinstance(part, Blob)]
        return [*self.problem.parts, *(part for part in said if part.data)]

    def row(self) -> NewRun:
        """What the journal remembers of it: enough to make the run again."""
        models = self.provider.models if isinstance(self.provider, Chain) else ()
        return NewRun(
            id=self.run,
            strategy=self.name,
            params=composition.remembered(self.strategy),
            model=self.provider.id,
            question=self.problem.text,
            pack=self.problem.pack,
            seed=self.options.seed,
            options={
                "model_options": dict(self.model_options),
                "problem": plain(self.problem),
                "limits": plain(self.options.limits),
                "concurrency": self.options.concurrency,
                "fresh": self.options.fresh,
                "identity": self.provider.identity,
                "capabilities": plain(self.provider.capabilities),
                **({"models": [_remembered(each) for each in models]} if models else {}),
                **({"answers": self.answers.file} if self.answers and self.answers.file else {}),
            },
            source=source_hash(self.strategy),
            started=time.time(),
        )


def _remembered(model: Provider) -> dict[str, object]:
    return {"id": model.id, "identity": model.identity, "capabilities": plain(model.capabilities)}


def new_run_id() -> str:
    """A short id, e.g. r7f3ac15d."""
    return "r" + secrets.token_hex(4)


def fresh_branch() -> int:
    """A number for draws that no other run uses."""
    return 1 + secrets.randbelow(2**31 - 1)


def source_hash(strategy: Strategy) -> str:
    """sha256 of the file the strategy is written in; "" where there is none (a notebook cell)."""
    try:
        return hashlib.sha256(Path(inspect.getfile(type(strategy))).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return ""
