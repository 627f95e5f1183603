"""A strategy measured on the questions of a task, with several seeds; and what sets two of them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from promptkit.bench.section import Bench
from promptkit.bench.shares import compared
from promptkit.bench.task import Task
from promptkit.types import Outcome, Strategy


@dataclass(frozen=True, slots=True)
class Measured:
    """What a strategy got right, and what it took; means over questions and seeds."""

    label: str
    right: tuple[float, ...]  # of each question, the part of the seeds that got it right
    calls: float
    tokens: float  # output; nominal: as if no call had been in the journal


async def measured(
    bench: Bench, task: Task, label: str, strategy: str | Strategy, seeds: Sequence[int], **how: Any
) -> Measured:
    """A strategy on all questions of a task, once a seed."""
    rounds: list[list[Outcome]] = []
    for at, seed in enumerate(seeds, start=1):
        bench.say(f"{task.section}: {label}" + (f", seed {at} of {len(seeds)}" if len(seeds) > 1 else ""))
        rounds.append(await bench.solve(strategy, task.asked, pack=task.pack, seed=seed, **how))
    everything = [outcome for outcomes in rounds for outcome in outcomes]
    return Measured(
        label,
        right=tuple(
            fmean(task.right(question, outcome) for outcome in outcomes)
            for question, *outcomes in zip(task.asked, *rounds, strict=True)
        ),
        calls=fmean(outcome.usage.calls for outcome in everything),
        tokens=fmean(outcome.usage.output_tokens for outcome in everything),
    )


def apart(one: Measured, other: Measured) -> str:
    """A sentence: by how many points one is ahead of the other on the same questions, with interval and p."""
    return compared(f"{one.label} − {other.label}", one.right, other.right)
