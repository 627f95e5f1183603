"""The Game of 24: what each strategy answers right on puzzles that neither training nor tuning has seen."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from statistics import fmean
from typing import Any

from promptkit.bench.measured import Measured, apart, measured
from promptkit.bench.section import Bench, Section, Table
from promptkit.bench.shares import RIGHT, share
from promptkit.worlds.game24_puzzles import Split, puzzles

PACK = "game24"
LADDER: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("direct", "direct", {}),
    ("cot", "cot", {}),
    ("sc n=10", "sc", {"n": 10}),
    ("sc n=20", "sc", {"n": 20}),
    ("tot b=1", "tot", {"b": 1}),
    ("tot b=5", "tot", {"b": 5}),
)
COMPARED = (
    ("tot b=5", "tot b=1"),
    ("tot b=1", "sc n=20"),
    ("tot b=1", "cot"),
    ("sc n=20", "cot"),
    ("sc n=10", "cot"),
    ("cot", "direct"),
)
FITTED = 20  # validation puzzles on which n is chosen
MOST = 640  # samples of a vote, at most


async def measure(bench: Bench) -> Section:
    """The ladder from one greedy answer to a tree search, then a vote that may write as much as the search."""
    asked = chosen("test", bench.items)

    async def rung(label: str, strategy: str, how: dict[str, Any], seeds: Sequence[int] = bench.seeds) -> Measured:
        return await measured(bench, label, strategy, asked, part="game24", pack=PACK, seeds=seeds, **how)

    ladder = {label: await rung(label, strategy, how) for label, strategy, how in LADDER}
    n, fitted = await equal_n(bench)
    equal = await rung(f"sc n={n} (equal tokens)", "sc", {"n": n}, bench.seeds[:1])  # the dearest row by far
    rows = tuple((m.label, *share(m.right), m.calls, m.tokens, m.seconds) for m in (*ladder.values(), equal))
    return Section(
        "game24",
        "Game of 24: strategies",
        (Table("Test puzzles solved", ("strategy", *RIGHT, "calls", "tokens out", "seconds"), rows),),
        (
            f"{len(asked)} puzzles of the test split, {seeds_told(bench)}. One answer a puzzle counts, checked by exact"
            " arithmetic; undecided is wrong. Intervals are 95 %, over puzzles.",
            "Calls and tokens are nominal, as if each strategy were alone; seconds are wall clock a puzzle, several at"
            " once, and what an earlier row has asked comes from the journal.",
            f"n={n} is the vote whose mean output tokens come nearest those of tot b=5 on {fitted} validation puzzles; "
            "that row has the first seed alone.",
            *(apart(ladder[one], ladder[other]) for one, other in COMPARED),
            apart(ladder["tot b=5"], equal),
        ),
    )


def chosen(split: Split, n: int) -> list[str]:
    """n puzzles of a split, always the same, as a prompt writes them."""
    found = list(puzzles(split))
    random.Random(24).shuffle(found)
    return [" ".join(map(str, puzzle)) for puzzle in found[:n]]


def seeds_told(bench: Bench) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{len(bench.seeds)} seed{'s' if len(bench.seeds) > 1 else ''}"


async def equal_n(bench: Bench) -> tuple[int, int]:
    """The n of a vote that writes as many tokens as tot b=5, and on how many validation puzzles that was found."""
    asked, seed = chosen("validation", min(FITTED, bench.items)), bench.seeds[0]

    async def tokens(strategy: str, **how: Any) -> float:
        outcomes = await bench.solve(strategy, asked, pack=PACK, seed=seed, **how)
        return fmean(outcome.usage.output_tokens for outcome in outcomes)

    bench.say(f"game24: tokens of tot b=5 on {len(asked)} validation puzzles")
    allowed = await tokens("tot", b=5)
    bench.say("game24: the vote that writes as many")
    return await nearest_n(lambda n: tokens("sc", n=n), allowed), len(asked)


async def nearest_n(tokens: Callable[[int], Awaitable[float]], allowed: float) -> int:
    """The n from 1 to MOST whose tokens come nearest, to a few per cent; they never fall as n grows."""
    spent: dict[int, float] = {}

    async def of(n: int) -> float:
        if n not in spent:
            spent[n] = await tokens(n)
        return spent[n]

    low, high = 1, 20
    while await of(high) < allowed and high < MOST:
        low, high = high, high * 2
    while high - low > max(1, low // 32):
        middle = (low + high) // 2
        low, high = (middle, high) if await of(middle) < allowed else (low, middle)
    await of(low)
    return min((low, high), key=lambda n: abs(spent[n] - allowed))
