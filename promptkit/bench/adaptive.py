"""Votes that stop early: what each stopping rule saves, and how often it changes the answer of all samples."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import share
from promptkit.bench.words import LEVELS, PACK, TEMPERATURE, problems
from promptkit.types import Outcome

ALL = 40  # samples of a vote that does not stop
RULES = ("none", "beta(0.95)", "beta(0.99)", "dirichlet(0.95)", "esc(5)", "lead(3)", "ppr(0.05)", "certified(0.05)")
BATCH = 4
COLUMNS = ("rule", "samples", "agrees %", "right %", "low %", "high %", "undecided %", "ended by the rule %")

Votes = list[list[Outcome]]  # of each problem, the outcomes of all seeds


async def measure(bench: Bench) -> Section:
    """Samples, agreement with the whole vote, and right answers under each rule, on the same draws."""
    found: dict[str, Votes] = {rule: [] for rule in ("all samples", *RULES)}
    truth: list[str] = []
    tables = []
    for level, title in LEVELS.items():
        asked = problems(level, bench.items)
        answers = [str(problem.answer) for problem in asked]
        here: dict[str, Votes] = {}
        for rule in found:
            here[rule] = await _voted(bench, [each.question for each in asked], rule, level)
            bench.partly(_table(title, here, answers), len(found))
        tables.append(_table(title, here, answers))
        truth += answers
        for rule, votes in here.items():
            found[rule] += votes
    return Section(
        "adaptive",
        f"Votes that stop early: word problems, at most {ALL} samples",
        (_table("All levels", found, truth), *tables),
        (
            f"{bench.items} problems of each level, of the test split, seeds {', '.join(map(str, bench.seeds))}, "
            f"rounds of at most {BATCH}. Every rule sees the same draws as the vote over all {ALL}, which flatters the "
            "agreement; two undecided votes agree. Curtailment is on under every rule.",
            _certified(found["certified(0.05)"], found["all samples"]),
        ),
    )


async def _voted(bench: Bench, questions: Sequence[str], rule: str, level: str) -> Votes:
    bench.say(f"adaptive: {rule}, {level} problems")
    stop, batch = ("none", ALL) if rule == "all samples" else (rule, BATCH)
    how: dict[str, Any] = {"n": ALL, "temperature": TEMPERATURE, "stop": stop, "batch": batch}
    runs = [await bench.solve("sc", questions, pack=PACK, seed=seed, **how) for seed in bench.seeds]
    return [list(each) for each in zip(*runs, strict=True)]


def _table(title: str, found: dict[str, Votes], truth: Sequence[str]) -> Table:
    whole = found["all samples"]
    return Table(title, COLUMNS, tuple(_row(rule, votes, whole, truth) for rule, votes in found.items()))


def _row(rule: str, votes: Votes, whole: Votes, truth: Sequence[str]) -> tuple[Cell, ...]:
    every = [one for each in votes for one in each]
    agrees = fmean(one.answer == other.answer for one, other in _beside(votes, whole))
    right = [fmean(one.answer == answer for one in each) for each, answer in zip(votes, truth, strict=True)]
    return (
        "curtailed" if rule == "none" else rule,
        fmean(one.detail["samples"] for one in every),
        agrees,
        *share(right),
        fmean(one.answer is None for one in every),
        fmean(bool(one.detail["ruled"]) for one in every),
    )


def _certified(votes: Votes, whole: Votes) -> str:
    """How many answers were certified, and how many of those the whole vote contradicts."""
    pairs = [(one, other) for one, other in _beside(votes, whole) if one.detail["ruled"]]
    false = sum(one.answer != other.answer for one, other in pairs)
    every = sum(map(len, votes))
    return f"Certified: {len(pairs)} of {every} votes; in {false} of those all {ALL} samples give another answer."


def _beside(votes: Votes, whole: Votes) -> list[tuple[Outcome, Outcome]]:
    return [pair for each, all_of in zip(votes, whole, strict=True) for pair in zip(each, all_of, strict=True)]
