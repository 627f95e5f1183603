"""A strategy measured on questions that a program checks, with several seeds; and what sets two of them apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from promptkit.bench.section import Bench
from promptkit.bench.shares import compared
from promptkit.types import Outcome, Strategy


@dataclass(frozen=True, slots=True)
class Measured:
    """What a strategy got right, and what it took; means over questions and seeds."""

    label: str
    right: tuple[float, ...]  # of each question, the part of the seeds that got it right
    calls: float
    tokens: float  # output; nominal: as if no call had been in the journal
    seconds: float  # wall clock a question, with several questions under way


def right(outcome: Outcome) -> bool:
    """Whether the one answer it gave was checked and found right; undecided is wrong."""
    return outcome.detail.get("verified") is True


async def measured(
    bench: Bench,
    label: str,
    strategy: str | Strategy,
    questions: Sequence[str],
    *,
    part: str,
    pack: str,
    seeds: Sequence[int],
    **how: Any,
) -> Measured:
    """A strategy on all questions, once a seed; `part` is the section that says so."""
    rounds: list[list[Outcome]] = []
    started = time.monotonic()
    for at, seed in enumerate(seeds, start=1):
        bench.say(f"{part}: {label}" + (f", seed {at} of {len(seeds)}" if len(seeds) > 1 else ""))
        rounds.append(await bench.solve(strategy, questions, pack=pack, seed=seed, **how))
    everything = [outcome for outcomes in rounds for outcome in outcomes]
    return Measured(
        label,
        right=tuple(fmean(map(right, same)) for same in zip(*rounds, strict=True)),
        calls=fmean(outcome.usage.calls for outcome in everything),
        tokens=fmean(outcome.usage.output_tokens for outcome in everything),
        seconds=(time.monotonic() - started) / len(everything),
    )


def apart(one: Measured, other: Measured) -> str:
    """A sentence: by how many points one is ahead of the other on the same questions, with interval and p."""
    return compared(f"{one.label} − {other.label}", one.right, other.right)
