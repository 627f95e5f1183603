"""The benchmark of the Game of 24: its puzzles, its search with parts replaced, and the vote of equal tokens."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from promptkit import api
from promptkit.bench import equal, game24, grid, ladder
from promptkit.bench.section import Bench, Table
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.searching.steps import lines
from promptkit.strategies.search.tot import TreeOfThoughts
from promptkit.types import Request
from promptkit.worlds.game24 import Game24, moves, remaining, show, solvable
from promptkit.worlds.game24_puzzles import split_of

ASKED = game24.chosen("test", 6)


def says(request: Request) -> str:
    """Some legal steps and some nonsense; verdicts that are right more often than not; chains that end anywhere."""
    prompt = request.messages[-1].text
    rng = random.Random(f"{prompt} {request.draw} {request.seed}")
    numbers = tuple(
        sorted(Fraction(word) for line in prompt.split("\n") if "Input:" in line for word in line.split()[1:])
    )
    if "Possible next steps" in prompt:
        steps = [f"{show(m.left)} {m.sign} {show(m.right)} = {show(m.result)}" for m in moves(numbers)]
        return "\n".join([*rng.sample(steps, min(5, len(steps))), "1 + 1 = 3", "and so on"])
    if "Evaluate" in prompt:
        return "sure" if solvable(numbers) and rng.random() < 0.8 else "impossible"
    return f"Answer: {rng.choice(['1 + 2', '2 * 12', '4 * 6', '3 * 8'])}"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of equal tokens are sought among few: what a vote of hundreds gets is not in question here."""
    monkeypatch.setattr(equal, "MOST", 24)
    monkeypatch.setattr(ladder, "CURVE", (1, 5))


@pytest.fixture
def bench(journal: Journal) -> Bench:
    return Bench(Scripted(says, name="player"), journal, items=3, seeds=(0, 1))


def test_puzzles_are_of_their_split_and_always_the_same() -> None:
    more = game24.chosen("test", 12)
    assert more[:6] == ASKED
    assert all(split_of(tuple(map(int, puzzle.split()))) == "test" for puzzle in more)
    assert not set(game24.chosen("validation", 20)) & set(game24.chosen("test", 1000))


@pytest.mark.parametrize("b", [1, 5])
def test_with_both_parts_the_models_it_is_tot_to_the_last_call(b: int, bench: Bench) -> None:
    mixed = grid.Mixed(proposals="model", values="model", b=b)
    for puzzle in ASKED:
        how: dict[str, Any] = {"pack": "game24", "model": bench.model, "journal": bench.journal, "seed": 7}
        tot, same = api.run(TreeOfThoughts(b=b), puzzle, **how), api.run(mixed, puzzle, **how)
        assert same.answer == tot.answer
        assert same.detail["verified"] == tot.detail["verified"]
        assert same.usage.calls == same.usage.cached_calls == tot.usage.calls


def test_a_program_that_knows_is_never_lost(bench: Bench) -> None:
    """With exact values and one state kept, the only way to fail is to be offered no way on."""
    mixed = grid.Mixed(proposals="uniform", values="exact", b=1)
    outcomes = asyncio.run(bench.solve(mixed, ASKED, pack="game24"))
    assert all(outcome.usage.calls == 0 for outcome in outcomes)
    assert any(outcome.detail["verified"] for outcome in outcomes)


def test_uniform_steps_are_legal_whole_different_and_as_many_as_a_list_has() -> None:
    world, seen, few = Game24(), set(), "12 13 13 13"  # which leads to no more whole numbers
    for puzzle in (*ASKED, few):
        state = world.start(puzzle)
        listed = grid.drawn(state, random.Random(puzzle))
        assert len(set(listed)) == len(listed) == (7 if puzzle == few else 8)
        after = [world.step(state, line) for line in listed]
        assert all(new and all(n.denominator == 1 and 0 <= n <= 300 for n in remaining(new)) for new in after)
        seen |= {line.split()[1] for line in listed}
    assert seen == {"+", "-", "*", "/"}


def test_a_line_that_was_cut_off_is_no_proposal() -> None:
    from promptkit.types import Completion

    assert lines(Completion(text="1 + 2 = 3\n2 * 1", model="m", finish="length")) == ["1 + 2 = 3"]
    assert lines(Completion(text="1 + 2 = 3\n\n", model="m")) == ["1 + 2 = 3"]


@pytest.mark.parametrize(("allowed", "n"), [(1.0, 1), (70.0, 7), (204.0, 20), (224.0, 22), (1e9, 24)])
def test_the_size_of_equal_tokens(allowed: float, n: int) -> None:
    async def tokens(n: int) -> float:
        return 10.0 * n

    assert asyncio.run(equal.nearest(tokens, allowed)) == pytest.approx(n, rel=0.04)


def test_a_strategy_that_takes_no_more_is_not_made_larger_for_nothing() -> None:
    asked = []

    async def tokens(n: int) -> float:
        asked.append(n)
        return 10.0 * min(n, 12)

    assert asyncio.run(equal.nearest(tokens, 1e9)) <= 16
    assert max(asked) <= 32


def test_the_ladder_has_each_strategy_beside_the_vote_of_its_tokens(bench: Bench) -> None:
    section = asyncio.run(game24.measure(bench))
    rungs, votes = section.tables
    found = [dict(zip(rungs.columns, row, strict=True)) for row in rungs.rows]
    names = [str(row["strategy"]).split(" ")[0] for row in found]
    assert names == "direct few-shot cot sc sc sc best-of-n tot tot tot tot beam best-first mcts".split()
    assert all((row["vote of"] is None) == str(row["strategy"]).startswith("sc") for row in found)
    assert all(0 <= float(row[2] or 0) <= float(row[1] or 0) <= float(row[3] or 0) <= 1 for row in rungs.rows)
    spent = {row[0]: row[-1] for row in votes.rows}
    for row in found:
        if row["vote of"] not in (None, 1, 24) and float(str(row["tokens out"])) > 50:
            assert float(str(spent[row["vote of"]])) == pytest.approx(float(str(row["tokens out"])), rel=0.5)
    assert {1, 5} <= set(spent)
    assert [point.x for point in section.charts[0].line] == sorted(point.x for point in section.charts[0].line)
    assert "3 puzzles" in section.notes[0]
    assert "2 seeds" in section.notes[0]
    assert sum("p =" in note or "p <" in note for note in section.notes) == 7
    assert "fewer tokens than tot b=5" in section.notes[-1]


@pytest.mark.parametrize("part", [game24, grid], ids=["game24", "grid"])
def test_each_row_is_told_as_soon_as_it_is_measured(part: Any, bench: Bench) -> None:
    told: list[tuple[Table, int]] = []
    section = asyncio.run(part.measure(replace(bench, items=1, partly=lambda table, rows: told.append((table, rows)))))
    whole = section.tables[0]
    assert [len(table.rows) for table, _ in told] == list(range(1, len(whole.rows) + 1))
    assert {(table.title, rows) for table, rows in told} == {(whole.title, len(whole.rows))}
    assert all(table.rows == whole.rows[: len(table.rows)] for table, _ in told)


def test_the_grid_says_what_was_measured(bench: Bench) -> None:
    cells = asyncio.run(grid.measure(bench))
    assert len(cells.tables[0].rows) == 12
    assert sum("p =" in note or "p <" in note for note in cells.notes) == 6
