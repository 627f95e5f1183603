"""Votes that stop early: what each stopping rule saves, and how often it changes the answer of all samples."""

from __future__ import annotations

from statistics import fmean

from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import share
from promptkit.bench.words import PACK, TEMPERATURE, problems
from promptkit.types import Outcome

ALL = 40  # samples of a vote that does not stop
LEVEL = "middle"
RULES = ("none", "beta(0.95)", "beta(0.99)", "esc(5)", "lead(3)", "certified(0.05)")
BATCH = 4


async def measure(bench: Bench) -> Section:
    """Samples, agreement with the whole vote, and right answers under each rule, on the same draws."""
    asked = problems(LEVEL, bench.items)
    questions, truth = [each.question for each in asked], [str(each.answer) for each in asked]
    whole = await _voted(bench, questions, "none", ALL)
    rows: list[tuple[Cell, ...]] = [_row("all samples", whole, whole, truth)]
    notes = []
    for rule in RULES:
        bench.say(f"adaptive: {rule}")
        found = await _voted(bench, questions, rule, BATCH)
        rows.append(_row("curtailed" if rule == "none" else rule, found, whole, truth))
        if rule.startswith("certified"):
            notes.append(_certified(found, whole))
    columns = ("rule", "samples", "agrees %", "right %", "low %", "high %", "undecided %", "ended by the rule %")
    return Section(
        "adaptive",
        "Votes that stop early",
        (Table(f"Word problems, level {LEVEL}, votes of at most {ALL}", columns, tuple(rows)),),
        (
            f"{bench.items} problems of the test split, seeds {', '.join(map(str, bench.seeds))}, rounds of at most "
            f"{BATCH}. Every rule sees the same draws as the vote over all {ALL}, which flatters the agreement; two "
            "undecided votes agree. Curtailment is on under every rule.",
            *notes,
        ),
    )


async def _voted(bench: Bench, questions: list[str], rule: str, batch: int) -> list[Outcome]:
    found: list[Outcome] = []
    for seed in bench.seeds:
        found += await bench.solve(
            "sc", questions, pack=PACK, seed=seed, n=ALL, temperature=TEMPERATURE, stop=rule, batch=batch
        )
    return found


def _row(label: str, found: list[Outcome], whole: list[Outcome], truth: list[str]) -> tuple[Cell, ...]:
    agrees = fmean(one.answer == other.answer for one, other in zip(found, whole, strict=True))
    seeds = len(found) // len(truth)
    right = [
        fmean(found[at + seed * len(truth)].answer == answer for seed in range(seeds))
        for at, answer in enumerate(truth)
    ]
    undecided = fmean(one.answer is None for one in found)
    ruled = fmean(bool(one.detail["ruled"]) for one in found)
    return label, fmean(one.detail["samples"] for one in found), agrees, *share(right), undecided, ruled


def _certified(found: list[Outcome], whole: list[Outcome]) -> str:
    """How many answers were certified, and how many of those the whole vote contradicts."""
    pairs = [(one, other) for one, other in zip(found, whole, strict=True) if one.detail["ruled"]]
    false = sum(one.answer != other.answer for one, other in pairs)
    return f"Certified: {len(pairs)} of {len(found)} votes; in {false} of those all {ALL} samples give another answer."
