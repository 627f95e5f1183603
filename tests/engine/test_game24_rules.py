"""The rules of the Game of 24, against code that tries everything and knows nothing of them."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from players import expression

from promptkit.errors import BadInput
from promptkit.worlds.game24 import Game24, apply, moves, parse, remaining, show, solvable, spell

WORLD = Game24()
NUMBERS = st.lists(st.integers(1, 13), min_size=4, max_size=4)


def walk(question: str, rng: random.Random) -> str:
    """A random game to its end, each step written down and read back."""
    state = WORLD.start(question)
    while not WORLD.finished(state):
        move = rng.choice(list(moves(remaining(state))))
        line = f"{show(move.left)} {move.sign} {show(move.right)} = {show(move.result)}"
        after = WORLD.step(state, line)
        assert after is not None, f"{line!r} is legal in {state!r}"
        state = after
    return state


def solved(numbers: tuple[Fraction, ...]) -> list[str] | None:
    """The lines of a solution."""
    if len(numbers) == 1:
        return [] if numbers[0] == 24 else None
    for move in moves(numbers):
        rest = apply(numbers, move)
        if rest is not None and solvable(rest) and (lines := solved(rest)) is not None:
            return [f"{show(move.left)} {move.sign} {show(move.right)} = {show(move.result)}", *lines]
    return None


@given(NUMBERS, st.integers())
def test_every_legal_step_can_be_written_and_read_and_keeps_count(numbers: list[int], seed: int) -> None:
    question = " ".join(map(str, numbers))
    state = walk(question, random.Random(seed))
    assert state.split("\n")[0] == question
    assert len(state.split("\n")) == 4
    (last,) = remaining(state)
    assert WORLD.goal(state) == (last == 24)
    assert (WORLD.assemble(state) is not None) == WORLD.goal(state)


def test_every_way_to_24_is_put_together_right() -> None:
    """All the different ends of a random walk that reaches 24."""
    rng, reached = random.Random(3), 0
    while reached < 100:
        numbers = [rng.randint(1, 13) for _ in range(4)]
        if not solvable(tuple(sorted(map(Fraction, numbers)))):
            continue
        question = " ".join(map(str, numbers))
        state = WORLD.start(question)
        while not WORLD.finished(state):
            winning = [m for m in moves(remaining(state)) if solvable(apply(remaining(state), m) or ())]
            move = rng.choice(winning)
            after = WORLD.step(state, f"{show(move.left)} {move.sign} {show(move.right)} = {show(move.result)}")
            assert after is not None, (state, move)
            state = after
        reached += 1
        answer = WORLD.assemble(state)
        assert answer is not None, f"no expression for {state!r}"
        assert WORLD.check(question, answer), f"{answer} for {state!r}"


def test_what_can_be_solved_agrees_with_trying_everything() -> None:
    rng, yes = random.Random(24), 0
    puzzles = {tuple(sorted(rng.randint(1, 13) for _ in range(4))) for _ in range(260)}
    assert len(puzzles) >= 200
    for puzzle in puzzles:
        found = expression(puzzle)
        assert solvable(tuple(map(Fraction, puzzle))) == (found is not None), puzzle
        if found is not None:
            yes += 1
            assert WORLD.check(" ".join(map(str, puzzle)), found), found
    assert 100 < yes < len(puzzles)


def test_known_hard_ones() -> None:
    for puzzle, answer in [("3 3 8 8", "8/(3-8/3)"), ("1 5 5 5", "(5-1/5)*5"), ("4 4 7 7", "(4-4/7)*7")]:
        assert WORLD.check(puzzle, answer)
        lines = solved(tuple(sorted(Fraction(n) for n in puzzle.split())))
        assert lines is not None
        state: str | None = WORLD.start(puzzle)
        for line in lines:
            assert state is not None
            state = WORLD.step(state, line)
        assert state is not None
        assert WORLD.check(puzzle, WORLD.assemble(state) or "")
    assert not solvable(tuple(map(Fraction, (1, 1, 1, 1))))


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("10 - 4 = 6 (left: 5 6 6)", "5 6 6"),
        ("10 - 4 = 6 (left: 999)", "5 6 6"),  # what is left is computed, never believed
        ("1. 10 - 4 = 6 (left: 5 6 6)", "5 6 6"),
        ("12) 10 - 4 = 6", "5 6 6"),
        ("- 10 - 4 = 6", "5 6 6"),
        ("* 10 - 4 = 6", "5 6 6"),
        ("• 10 − 4 = 6", "5 6 6"),
        ("**10 - 4 = 6**", "5 6 6"),
        ("10 × 4 = 40", "5 6 40"),
        ("10 * 4 = 40", "5 6 40"),
        ("10 ÷ 4 = 5/2", "5/2 5 6"),
        ("10 / 4 = 2.5", "5/2 5 6"),
        ("10/4=2.5", "5/2 5 6"),
        ("10 - 4 = 6.", "5 6 6"),
        ("(10 - 4 = 6)", "5 6 6"),
        ("4 − 10 = −6", "-6 5 6"),
        ("4 - 10 = (-6)", "-6 5 6"),
        ("4 - 10 = -6 because smaller is better", "-6 5 6"),
    ],
)
def test_steps_as_models_write_them(line: str, after: str) -> None:
    state = WORLD.step("4 5 6 10", line)
    assert state is not None, line
    assert WORLD.show(state) == after


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("-6 + 5 = -1", "-1 6"),
        ("(-6) + 5 = -1", "-1 6"),
        ("5 - (-6) = 11", "6 11"),
        ("5 - -6 = 11", "6 11"),
        ("(-6) * 5 = (-30)", "-30 6"),
        ("- -6 + 5 = -1", "-1 6"),
        ("1. -6 + 5 = -1", "-1 6"),
        ("6 - 5 = 1", "-6 1"),
    ],
)
def test_steps_with_negative_numbers(line: str, after: str) -> None:
    state = WORLD.step("4 5 6 10\n4 - 10 = -6 (left: -6 5 6)", line)
    assert state is not None, line
    assert WORLD.show(state) == after


@pytest.mark.parametrize(
    "line",
    [
        "10 - 4 = 7",
        "10 - 4 = 6.5",
        "10 - 4 = 66",
        "9 - 4 = 5",
        "4 - 4 = 0",
        "10 + 10 = 20",
        "10 / 0 = 0",
        "5 / 4 = 1",
        "10 - 4",
        "10 - 4 =",
        "= 6",
        "",
        "10 ^ 4 = 10000",
        "10 - 4 + 5 = 11",
        "10 / 4 = 5/0",
        "so 10 - 4 = 6",
        "__import__('os')",
    ],
)
def test_what_is_no_legal_step(line: str) -> None:
    assert WORLD.step("4 5 6 10", line) is None


def test_dividing_by_zero_is_refused() -> None:
    state = "4 4 6 10\n4 - 4 = 0 (left: 0 6 10)"
    assert WORLD.step(state, "6 / 0 = 0") is None
    assert WORLD.step(state, "0 / 6 = 0") is not None
    assert all(move.right != 0 or move.sign != "/" for move in moves((Fraction(0), Fraction(6))))


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_step(text: str) -> None:
    parse(text)
    WORLD.step("4 5 6 10", text)
    WORLD.check("4 5 6 10", text)


@pytest.mark.parametrize("question", ["4 5 6", "4 5 6 10 11", "4 5 six 10", "", "4.5 5 6 10", "-4 5 6 10", "what?"])
def test_what_is_no_puzzle(question: str) -> None:
    with pytest.raises(BadInput):
        WORLD.start(question)


def test_puzzles_as_people_write_them() -> None:
    for question in ("4 5 6 10", "4, 5, 6, 10", "4 5 6 and 10", " 4;5;6;10 "):
        assert WORLD.start(question) == "4 5 6 10"


@pytest.mark.parametrize(
    "answer", ["4*(10-6)+5+3", "4*6", "24", "4+5+6+10", "4*5+10-6+0", "(10-4)*(6-5)*4", "10-6+4*5=24", "", "1e1-6+4*5"]
)
def test_wrong_answers(answer: str) -> None:
    assert not WORLD.check("4 5 6 10", answer)


@given(NUMBERS)
def test_a_key_does_not_know_the_order(numbers: list[int]) -> None:
    keys = {WORLD.key(" ".join(map(str, order))) for order in (numbers, numbers[::-1], sorted(numbers))}
    assert keys == {spell(tuple(sorted(map(Fraction, numbers))))}
