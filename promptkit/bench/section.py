"""What the parts of a benchmark share: the model under test, runs side by side, and the tables they end in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit import api
from promptkit.journal import Journal
from promptkit.types import Outcome, Provider, Strategy

Cell = str | int | float | None
AT_ONCE = 6  # questions under way together: enough to keep every core at work


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; a share is a float from 0 to 1 in a column whose name ends in %."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A share from 0 to 1 with its 95 % interval, at what it cost."""

    label: str
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Shares against a cost, which is drawn on a logarithmic scale: points by name, and one line."""

    title: str
    x: str
    y: str
    points: tuple[Point, ...]
    line: tuple[Point, ...]
    line_label: str


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a benchmark: tables, then what they show, claim by claim."""

    name: str
    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()  # how it was measured; comparisons with their intervals and p-values
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """A model under test. Calls are kept in `journal`, so that what two parts share is asked once."""

    model: Provider
    journal: Journal
    items: int  # questions of each part, at most
    seeds: Sequence[int] = (0,)
    say: Callable[[str], None] = field(default=lambda line: None)  # progress, a line at a time
    partly: Callable[[Table, int], None] = field(default=lambda table, rows: None)  # as far as it is; rows in the end

    async def solve(
        self,
        strategy: str | Strategy,
        questions: Sequence[str],
        *,
        pack: str,
        seed: int = 0,
        each: Sequence[Mapping[str, Any]] = (),
        **how: Any,
    ) -> list[Outcome]:
        """An outcome for each question, in order; `each` adds parameters for one question each."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(at: int, question: str) -> Outcome:
            own = each[at] if each else {}
            async with gate:
                return await api.arun(
                    strategy, question, pack=pack, model=self.model, seed=seed, journal=self.journal, **how, **own
                )

        return list(await asyncio.gather(*(one(at, question) for at, question in enumerate(questions))))
