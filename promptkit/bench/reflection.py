"""Whether checking a draft and mending it helps (Self-Refine, arXiv:2303.17651) without a program that tells.

Mending can break what was right, and a wrong draft is often put right by a fresh one: both are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from promptkit import prompts
from promptkit.algorithms.stats.paired import mcnemar, paired_difference
from promptkit.bench.draws import Draws, Reply
from promptkit.bench.game24 import PACK, chosen
from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import RIGHT, probability, share
from promptkit.verdicts import verdict
from promptkit.worlds.game24_puzzles import puzzles

MOST = 200  # drafts of a kind
CHAINS = 8  # sampled of a puzzle: drafts are taken from all but the last, which is the fresh one
TEMPERATURE = 0.7
AT_A_TIME = 40  # puzzles asked before it is seen whether there are drafts enough


@dataclass(frozen=True, slots=True)
class Draft:
    """A chain to be checked, whether its answer is right, and another chain for the same puzzle."""

    puzzle: str
    text: str
    right: bool
    fresh: Reply


async def measure(bench: Bench) -> Section:
    """What becomes of right and of wrong drafts when the model checks and mends them, or just samples again."""
    drafts = await drafted(bench, min(MOST, bench.items))
    checks = await _again(bench, "critique", drafts, [{"draft": each.text} for each in drafts])
    given = [{"draft": d.text, "critique": check.text} for d, check in zip(drafts, checks, strict=True)]
    mended = await _again(bench, "refine", drafts, given)
    bench.say(f"reflection: {len(drafts)} drafts checked and mended")
    ways = {"critique, then refine": mended, "another chain instead": [each.fresh for each in drafts]}
    return Section(
        "reflection",
        "Checking and mending drafts, Game of 24",
        (
            Table(
                "What became of the drafts",
                ("way", "wrong drafts", "repaired", "right drafts", "broken", "no answer", "repaired %", "broken %"),
                tuple(_fate(way, drafts, after) for way, after in ways.items()),
            ),
            _verdicts(drafts, checks),
        ),
        (
            f"Drafts are the model's own chains at T = {TEMPERATURE} for puzzles of the test split: at most the first "
            "wrong and the first right one of a puzzle, as many of the one kind as of the other, and only chains that "
            "end in an expression. Critique and refine are greedy. A program counts what is right; the model is "
            "not told.",
            "The balance of repairs and breaks is that of a half-right model: with more right drafts there is more to "
            "break.",
            *(_balance(way, drafts, after) for way, after in ways.items()),
        ),
    )


async def drafted(bench: Bench, n: int) -> list[Draft]:
    """Up to n wrong drafts and as many right ones, at most one of either kind for a puzzle."""
    pool = chosen("test", len(puzzles("test")))  # in the order of the ladder: the chains of sc serve again
    found: dict[bool, list[Draft]] = {True: [], False: []}
    ways = Draws(template="cot", n=CHAINS, temperature=TEMPERATURE)
    for start in range(0, len(pool), AT_A_TIME):
        if all(len(each) >= n for each in found.values()):
            break
        asked = pool[start : start + AT_A_TIME]
        for puzzle, outcome in zip(asked, await bench.solve(ways, asked, pack=PACK, seed=bench.seeds[0]), strict=True):
            *chains, fresh = outcome.detail["replies"]
            for kind in found:
                if first := next((chain for chain in chains if chain.verified is kind), None):
                    found[kind].append(Draft(puzzle, first.text, kind, fresh))
        bench.say(f"reflection: {len(found[False])} wrong and {len(found[True])} right drafts")
    size = min(n, *map(len, found.values()))
    return [*found[False][:size], *found[True][:size]]


async def _again(bench: Bench, template: str, drafts: Sequence[Draft], given: Sequence[dict[str, str]]) -> list[Reply]:
    outcomes = await bench.solve(
        Draws(template=template, temperature=0.0),
        [draft.puzzle for draft in drafts],
        pack=PACK,
        each=[{"vars": inputs} for inputs in given],
    )
    return [reply for outcome in outcomes for reply in outcome.detail["replies"]]


def _fate(way: str, drafts: Sequence[Draft], after: Sequence[Reply]) -> tuple[Cell, ...]:
    repaired, broken = _changed(drafts, after)
    half = len(drafts) // 2
    silent = sum(reply.answer is None for reply in after)
    shares = (repaired / half, broken / half) if half else (None, None)
    return way, half, repaired, half, broken, silent, *shares


def _changed(drafts: Sequence[Draft], after: Sequence[Reply]) -> tuple[int, int]:
    """Wrong drafts put right, and right ones lost."""
    pairs = [(draft.right, reply.verified is True) for draft, reply in zip(drafts, after, strict=True)]
    return pairs.count((False, True)), pairs.count((True, False))


def _balance(way: str, drafts: Sequence[Draft], after: Sequence[Reply]) -> str:
    repaired, broken = _changed(drafts, after)
    gap = paired_difference(
        [float(reply.verified is True) for reply in after], [float(draft.right) for draft in drafts]
    )
    low, high = (round(bound * len(drafts)) if drafts else 0 for bound in (gap.low, gap.high))
    return (
        f"{way[0].upper()}{way[1:]}: repairs − breaks = {repaired} − {broken} = {repaired - broken:+d} "
        f"of {len(drafts)} drafts (95 % interval {low:+d} to {high:+d}, bootstrap over drafts; exact McNemar "
        f"{probability(mcnemar(repaired, broken))})"
    )


def _verdicts(drafts: Sequence[Draft], checks: Sequence[Reply]) -> Table:
    """How often the critique's verdict on a draft is right."""
    words = tuple(prompts.find(PACK, "critique").scores)
    said = [verdict(check.text, words) for check in checks]
    rows: list[tuple[Cell, ...]] = []
    for label, kinds in (("right drafts", (True,)), ("wrong drafts", (False,)), ("all", (True, False))):
        told = [(draft.right, word) for draft, word in zip(drafts, said, strict=True) if draft.right in kinds]
        hits = [float(word == ("right" if right else "wrong")) for right, word in told]
        unread = fmean(word is None for _, word in told) if told else None
        rows.append((label, len(told), *share(hits), unread))
    return Table("The critique's verdict", ("drafts", "n", *RIGHT, "unreadable %"), tuple(rows))
