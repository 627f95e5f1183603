"""The Game of 24: what each strategy answers right on puzzles that neither training nor tuning has seen."""

from __future__ import annotations

import random

from promptkit.bench.ladder import Rung, climb
from promptkit.bench.section import Bench, Section
from promptkit.bench.task import Task, checked
from promptkit.render.amounts import many
from promptkit.worlds.game24_puzzles import Split, puzzles

PACK = "game24"
BUDGET = Rung("tot b=5", "tot", {"b": 5})
RUNGS = (
    Rung("direct", "direct"),
    Rung("few-shot", "few-shot"),
    Rung("cot", "cot"),
    Rung("sc n=10", "sc", {"n": 10}),
    Rung("sc n=20", "sc", {"n": 20}),
    Rung("sc", "sc", size="n"),
    Rung("best-of-n n=100", "best-of-n", {"n": 100}),  # it ends at the first right one: a size would not bind
    Rung("tot b=1", "tot", {"b": 1}),
    BUDGET,
    Rung("tot b=5 adaptive", "tot", {"b": 5, "adaptive": True}),
    Rung("tot dfs", "tot", {"search": "dfs"}, size="nodes"),
    Rung("beam", "beam", size="b"),
    Rung("best-first", "best-first", size="expansions"),
    Rung("mcts", "mcts", size="iterations"),
)
COMPARED = (
    ("tot b=5", "tot b=1"),
    ("tot b=1", "sc n=20"),
    ("tot b=1", "cot"),
    ("sc n=20", "cot"),
    ("sc n=10", "cot"),
    ("cot", "direct"),
)
SOLVED = "Test puzzles solved"
FITTED = 20  # validation puzzles on which sizes are chosen


async def measure(bench: Bench) -> Section:
    """The ladder from one greedy answer to the searches, those of a size at the tokens of tot b=5."""
    task = Task(
        "game24",
        PACK,
        tuple(chosen("test", bench.items)),
        tuple(chosen("validation", min(FITTED, bench.items))),
        checked,
    )
    ladder = await climb(bench, task, RUNGS, BUDGET, SOLVED)
    return Section(
        "game24",
        "Game of 24: strategies",
        (ladder.table(SOLVED), ladder.votes("Votes over n chains")),
        (
            f"{many(len(task.asked), 'puzzle')} of the test split, {seeds_told(bench)}; votes of the second table have "
            "the first seed alone. One answer a puzzle counts, checked by exact arithmetic; undecided is wrong. "
            "best-of-n and the searches see a goal by program, as soon as there is one. Intervals are 95 %, over "
            "puzzles.",
            "Calls and tokens are nominal, as if each strategy were alone; draws are generated one at a time.",
            f"A size that a name ends in (sc n, best-of-n n, nodes, expansions …) is the one whose mean output tokens "
            f"come nearest the {ladder.budget:,.0f} of tot b=5 on {many(len(task.fitting), 'validation puzzle')}; so "
            "is the vote beside each row, at that row's tokens.",
            *(ladder.ahead(*pair) for pair in COMPARED),
            ladder.saved("tot b=5 adaptive", "tot b=5"),
        ),
        (ladder.chart("Game of 24"),),
    )


def chosen(split: Split, n: int) -> list[str]:
    """n puzzles of a split, always the same, as a prompt writes them."""
    found = list(puzzles(split))
    random.Random(24).shuffle(found)
    return [" ".join(map(str, puzzle)) for puzzle in found[:n]]


def seeds_told(bench: Bench) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{len(bench.seeds)} seed{'s' if len(bench.seeds) > 1 else ''}"
