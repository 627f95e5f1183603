"""Hidden rules that only worked examples give away: accuracy as examples are added (arXiv:2005.14165, §2), and as they
are chosen from a store of several rules.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from statistics import fmean
from typing import get_args

from promptkit.algorithms.stats.paired import Difference, paired_difference
from promptkit.bench.pools import EACH, mixed
from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import RIGHT, points, share
from promptkit.examples import Policy
from promptkit.worlds.patterns import Kind, Pattern, draw

SHOTS = (0, 1, 2, 4, 8)
CHOSEN = 4  # examples shown of a store, whatever chooses them
CHOICES: tuple[Policy, ...] = (
    "random",
    "balanced",
    "diverse",
    "similar",
)  # random first: the others are set against it


@cache
def patterns(n: int) -> tuple[Pattern, ...]:
    """n different patterns of the test split, their kinds as they are drawn; always the same ones."""
    rng, found = random.Random("patterns"), dict[Pattern, None]()
    while len(found) < n:
        found.setdefault(draw(rng, n=max(SHOTS), split="test"))
    return tuple(found)


async def measure(bench: Bench) -> Section:
    """Shares of right answers with 0 to 8 of a pattern's examples shown, in all and by kind."""
    drawn = patterns(bench.items)
    right: dict[int, list[float]] = {}
    for n in SHOTS:
        right[n] = await _right(bench, drawn, n)
        bench.partly(_by_number(right), len(SHOTS))
    chosen: dict[Policy, list[float]] = {}
    for policy in CHOICES:
        chosen[policy] = await _chosen(bench, drawn, policy)
        bench.partly(_by_choice(drawn, chosen), len(CHOICES))
    first, *_, last = SHOTS
    rise = paired_difference(right[last], right[first])
    return Section(
        "patterns",
        "Hidden rules, learned from the examples shown",
        (
            _by_number(right),
            _by_kind(drawn, right),
            _by_choice(drawn, chosen),
        ),
        (
            f"{len(drawn)} patterns of the test split, asked greedily by few-shot. The first examples of the same "
            "pattern are shown each time: a step adds examples to those of the step before. The answer counts if it is "
            f"the right one letter by letter. 95 % Wilson intervals; those by kind are for {last} examples.",
            f"{last} examples − {first}: {points(rise)}",
            f"Chosen examples: {CHOSEN} of a store with {EACH} of the pattern's own rule and {EACH} of a rule of every "
            "other kind, the same store for every choice. The guard refuses an example that asks the question.",
            *(f"{policy} − random: {points(gap)}" for policy, gap in _gaps(chosen).items()),
            *_steps(right),
        ),
    )


async def _right(bench: Bench, drawn: Sequence[Pattern], n: int) -> list[float]:
    """For each pattern 1 for the right answer with its first n examples shown, else 0."""
    shown = [[{"question": asked, "answer": answer} for asked, answer in pattern.examples[:n]] for pattern in drawn]
    outcomes = await bench.solve(
        "few-shot",
        [pattern.question for pattern in drawn],
        pack="patterns",
        each=[{"examples": examples} for examples in shown],
        n=n,
    )
    right = [float(o.answer == pattern.answer) for o, pattern in zip(outcomes, drawn, strict=True)]
    bench.say(f"patterns: {n} examples, {len(drawn)} patterns: {fmean(right):.0%} right")
    return right


async def _chosen(bench: Bench, drawn: Sequence[Pattern], policy: Policy) -> list[float]:
    """For each pattern 1 for the right answer with examples of a mixed store chosen so, else 0."""
    outcomes = await bench.solve(
        "few-shot",
        [pattern.question for pattern in drawn],
        pack="patterns",
        each=[{"examples": mixed(pattern)} for pattern in drawn],
        select=policy,
        n=CHOSEN,
        leakage="refuse",
    )
    right = [float(o.answer == pattern.answer) for o, pattern in zip(outcomes, drawn, strict=True)]
    bench.say(f"patterns: {CHOSEN} {policy} examples of a mixed store: {fmean(right):.0%} right")
    return right


def _by_number(right: Mapping[int, Sequence[float]]) -> Table:
    return Table("All patterns", ("examples", *RIGHT), tuple((n, *share(got)) for n, got in right.items()))


def _gaps(chosen: Mapping[Policy, Sequence[float]]) -> dict[Policy, Difference]:
    """What each choice is ahead of chance, on the same patterns."""
    return {
        policy: paired_difference(right, chosen["random"]) for policy, right in chosen.items() if policy != "random"
    }


def _by_choice(drawn: Sequence[Pattern], chosen: Mapping[Policy, Sequence[float]]) -> Table:
    kinds = get_args(Kind)
    of_kind = {kind: [i for i, pattern in enumerate(drawn) if pattern.kind == kind] for kind in kinds}
    rows = tuple(
        (policy, *share(right), *(fmean(right[i] for i in at) if (at := of_kind[kind]) else None for kind in kinds))
        for policy, right in chosen.items()
    )
    return Table("Examples of a mixed store, by choice", ("choice", *RIGHT, *(f"{kind} %" for kind in kinds)), rows)


def _by_kind(drawn: Sequence[Pattern], right: Mapping[int, Sequence[float]]) -> Table:
    last = max(SHOTS)
    rows: list[tuple[Cell, ...]] = []
    for kind in get_args(Kind):
        at = [i for i, pattern in enumerate(drawn) if pattern.kind == kind]
        if at:
            picked = {n: [right[n][i] for i in at] for n in SHOTS}
            rows.append((kind, len(at), *(fmean(picked[n]) for n in SHOTS), *share(picked[last])[1:]))
    columns = ("kind", "patterns", *(f"{n} shown %" for n in SHOTS), "low %", "high %")
    return Table("By kind", columns, tuple(rows))


def _steps(right: Mapping[int, Sequence[float]]) -> list[str]:
    """A sentence a step, and which of them are significantly down."""
    gaps = {f"{b} examples − {a}": paired_difference(right[b], right[a]) for a, b in pairwise(SHOTS)}
    down = [name for name, gap in gaps.items() if gap.high < 0]
    verdict = f"Significantly down: {', '.join(down)}." if down else "No step is significantly down."
    return [*(f"{name}: {points(gap)}" for name, gap in gaps.items()), verdict]
