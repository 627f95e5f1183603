"""Word problems the model was not trained on: reasoning, voting and worked examples against the bare answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from statistics import fmean
from typing import Any

from promptkit.bench.draws import Draws
from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import RIGHT, compared, share
from promptkit.types import Outcome
from promptkit.worlds.words import Level, WordProblem, draw

PACK = "words"
SAMPLES = 10  # chains a vote is taken over
TEMPERATURE = 0.7
SHOTS = (1, 2, 4)


@cache
def problems(level: Level, n: int) -> tuple[WordProblem, ...]:
    """n different problems of the test split, always the same ones."""
    rng, found = random.Random(f"words {level}"), dict[str, WordProblem]()
    while len(found) < n:
        drawn = draw(rng, level=level, split="test")
        found.setdefault(drawn.key, drawn)
    return tuple(found.values())


async def measure(bench: Bench) -> Section:
    """Shares of right answers on hard and on easy problems, and what each way of asking is worth."""
    hard, easy = problems("hard", bench.items), problems("easy", bench.items)
    asked = _Asked(bench, hard)
    direct = await asked.answers("direct", "direct")
    cot = await asked.answers("cot", "cot")
    single = await asked.samples(f"cot at T = {TEMPERATURE}, one sample")
    vote = await asked.answers(f"sc n={SAMPLES}", "sc", seeds=bench.seeds, n=SAMPLES, temperature=TEMPERATURE)
    shot = {n: await asked.answers(f"few-shot chains, {n} shown", "few-shot", n=n, rationale=True) for n in SHOTS}
    plain = _Asked(bench, easy)
    easy_direct = await plain.answers("direct", "direct")
    easy_cot = await plain.answers("cot", "cot")
    columns = ("strategy", *RIGHT, "undecided %", "samples", "tokens out")
    return Section(
        "words",
        "Arithmetic word problems",
        (
            Table("Hard: 4 to 7 steps, numbers up to 5,000", columns, tuple(asked.rows)),
            Table("Easy: 2 or 3 steps, numbers up to 300", columns, tuple(plain.rows)),
        ),
        (
            f"{len(hard)} hard and {len(easy)} easy problems of the test split, whose arithmetic is nowhere in "
            "training. No program checks an answer before it counts; an undecided vote or an unreadable reply is "
            "wrong.",
            f"Greedy but for sc and the sampled chains, which have seeds {', '.join(map(str, bench.seeds))}; one "
            f"sample stands for the mean of the {SAMPLES} a vote is taken over. Intervals: Wilson's where a problem is "
            "asked once, else bootstrap over problems.",
            compared("Hard, cot − direct", cot, direct),
            compared("Easy, cot − direct", easy_cot, easy_direct),
            compared(f"Hard, sc n={SAMPLES} − one sampled chain", vote, single),
            *(compared(f"Hard, few-shot chains with {n} shown − cot", shot[n], cot) for n in SHOTS),
        ),
    )


class _Asked:
    """One list of problems, and the row each way of asking them has made."""

    def __init__(self, bench: Bench, problems: Sequence[WordProblem]) -> None:
        self.rows: list[tuple[Cell, ...]] = []
        self._bench, self._problems = bench, problems
        self._questions = [problem.question for problem in problems]
        self._truth = [str(problem.answer) for problem in problems]

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
        self.rows.append((label, *share(got), undecided, used, tokens))
        self._bench.say(f"words: {label}, {len(got)} {self._problems[0].level} problems: {fmean(got):.0%} right")
