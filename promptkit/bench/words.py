"""Word problems the model was not trained on: reasoning, voting and worked examples against the bare answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean
from typing import Any

from promptkit.bench.draws import Draws
from promptkit.bench.ladder import Rung, climb
from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import RIGHT, compared, share
from promptkit.bench.task import Task
from promptkit.render.amounts import many
from promptkit.types import Outcome
from promptkit.worlds.words import Level, Split, WordProblem, draw

PACK = "words"
SAMPLES = 10  # chains a vote is taken over
TEMPERATURE = 0.7
SHOTS = (1, 2, 4)
LEVELS: dict[Level, str] = {
    "easy": "Easy: 2 or 3 steps, results up to 300",
    "middle": "Middle: 4 steps, results up to 999, distractors",
    "hard": "Hard: 4 to 7 steps, results up to 5,000, distractors",
}
BUDGET = Rung("tot b=2", "tot", {"b": 2})
RUNGS = (
    Rung("direct", "direct"),
    Rung("few-shot chains", "few-shot", {"rationale": True}),
    Rung("cot", "cot"),
    Rung(f"sc n={SAMPLES}", "sc", {"n": SAMPLES}),
    Rung("sc", "sc", size="n"),
    Rung("best-of-n, judged", "best-of-n", {"by": "judge"}, size="n"),
    BUDGET,
    Rung("tot dfs", "tot", {"search": "dfs"}, size="nodes"),
    Rung("beam", "beam", size="b"),
    Rung("best-first", "best-first", size="expansions"),
    Rung("mcts", "mcts", size="iterations"),
)
FITTED = 20  # validation problems on which sizes are chosen
LADDER: Level = "middle"
CLIMBED = f"The ladder, level {LADDER}"
COLUMNS = ("strategy", *RIGHT, "undecided %", "samples", "tokens out")


@cache
def problems(level: Level, n: int, split: Split = "test") -> tuple[WordProblem, ...]:
    """n different problems of a split, always the same ones."""
    rng, found = random.Random(f"words {level}"), dict[str, WordProblem]()
    while len(found) < n:
        drawn = draw(rng, level=level, split=split)
        found.setdefault(drawn.key, drawn)
    return tuple(found.values())


async def measure(bench: Bench) -> Section:
    """Shares of right answers by level, and what each way of asking is worth where it matters most."""
    told = {level: await _level(bench, level) for level in LEVELS}
    task = _task(bench)
    ladder = await climb(bench, task, RUNGS, BUDGET, CLIMBED)
    return Section(
        "words",
        "Arithmetic word problems",
        (
            *(asked.table() for asked, _ in told.values()),
            ladder.table(CLIMBED),
            ladder.votes(f"Votes over n chains, level {LADDER}"),
        ),
        (
            f"{bench.items} problems of each level, of the test split, whose arithmetic is nowhere in training. No "
            "program checks an answer before it counts; an undecided vote or an unreadable reply is wrong.",
            f"Greedy but for sc and the sampled chains, which have seeds {', '.join(map(str, bench.seeds))}; one "
            f"sample stands for the mean of the {SAMPLES} a vote is taken over. Intervals: Wilson's where a problem is "
            "asked once, else bootstrap over problems.",
            *(note for level, (_, got) in told.items() for note in _compared(level, got)),
            f"Ladder: strategies as users get them, seeds {', '.join(map(str, bench.seeds))}, votes of the last table "
            "the first alone. A size that a name ends in is the one whose mean output tokens come nearest the "
            f"{ladder.budget:,.0f} of {BUDGET.label} on {many(len(task.fitting), 'validation problem')}; so is the "
            "vote beside each row. Draws are generated one at a time.",
        ),
        (ladder.chart(f"Word problems, level {LADDER}"),),
    )


def _task(bench: Bench) -> Task:
    asked = problems(LADDER, bench.items)
    truth = {problem.question: str(problem.answer) for problem in asked}
    fitting = problems(LADDER, min(FITTED, bench.items), "validation")
    return Task(
        "words",
        PACK,
        tuple(truth),
        tuple(problem.question for problem in fitting),
        lambda question, outcome: outcome.answer == truth[question],
    )


async def _level(bench: Bench, level: Level) -> tuple[_Asked, dict[str, list[float]]]:
    """What each way of asking gets right, problem by problem."""
    shown = SHOTS if level == LADDER else ()
    asked = _Asked(bench, level, rows=4 + len(shown))
    got = {
        "direct": await asked.answers("direct", "direct"),
        "cot": await asked.answers("cot", "cot"),
        "sample": await asked.samples(f"cot at T = {TEMPERATURE}, one sample"),
        "sc": await asked.answers(f"sc n={SAMPLES}", "sc", seeds=bench.seeds, n=SAMPLES, temperature=TEMPERATURE),
    }
    for n in shown:
        label = f"few-shot chains, {n} shown"
        got[label] = await asked.answers(label, "few-shot", n=n, rationale=True)
    return asked, got


def _compared(level: Level, got: Mapping[str, Sequence[float]]) -> list[str]:
    shots = [label for label in got if label.startswith("few-shot")]
    return [
        compared(f"{level.capitalize()}, cot − direct", got["cot"], got["direct"]),
        compared(f"{level.capitalize()}, sc n={SAMPLES} − one sampled chain", got["sc"], got["sample"]),
        *(compared(f"{level.capitalize()}, {label} − cot", got[label], got["cot"]) for label in shots),
    ]


class _Asked:
    """One list of problems, and the row each way of asking them has made."""

    def __init__(self, bench: Bench, level: Level, rows: int) -> None:
        """`rows`: how many there will be."""
        self._bench, self._level, self._expected = bench, level, rows
        self._rows: list[tuple[Cell, ...]] = []
        asked = problems(level, bench.items)
        self._questions = [problem.question for problem in asked]
        self._truth = [str(problem.answer) for problem in asked]

    def table(self) -> Table:
        """The rows made so far."""
        return Table(LEVELS[self._level], COLUMNS, tuple(self._rows))

    async def answers(self, label: str, strategy: str, *, seeds: Sequence[int] = (0,), **how: Any) -> list[float]:
        """What each problem got: 1 for the right answer, the mean where it is asked with several seeds."""
        runs = [await self._bench.solve(strategy, self._questions, pack=PACK, seed=seed, **how) for seed in seeds]
        got = [
            fmean(outcome.answer == truth for outcome in outcomes)
            for truth, *outcomes in zip(self._truth, *runs, strict=True)
        ]
        every = [outcome for outcomes in runs for outcome in outcomes]
        undecided = fmean(outcome.answer is None for outcome in every)
        self._row(label, got, undecided, every, each=1)
        return got

    async def samples(self, label: str) -> list[float]:
        """The share of right ones among single chains, problem by problem."""
        ways = Draws(template="cot", n=SAMPLES, temperature=TEMPERATURE)
        seeds = self._bench.seeds
        runs = [await self._bench.solve(ways, self._questions, pack=PACK, seed=seed) for seed in seeds]
        said = [
            [reply.answer for one in outcomes for reply in one.detail["replies"]]
            for outcomes in zip(*runs, strict=True)
        ]
        got = [fmean(answer == truth for answer in each) for truth, each in zip(self._truth, said, strict=True)]
        undecided = fmean(answer is None for each in said for answer in each)
        self._row(label, got, undecided, [outcome for outcomes in runs for outcome in outcomes], each=SAMPLES)
        return got

    def _row(self, label: str, got: Sequence[float], undecided: float, every: Sequence[Outcome], *, each: int) -> None:
        """`each`: how many answers a run stands for."""
        used = fmean(outcome.usage.samples for outcome in every) / each
        tokens = fmean(outcome.usage.output_tokens for outcome in every) / each
        self._rows.append((label, *share(got), undecided, used, tokens))
        self._bench.say(f"words: {label}, {len(got)} {self._level} problems: {fmean(got):.0%} right")
        self._bench.partly(self.table(), self._expected)
