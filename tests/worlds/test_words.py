"""Word problems: exact to the last step, told in plain words, and split by their arithmetic alone."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import get_args

import pytest

from promptkit.arithmetic import canonical, evaluate
from promptkit.worlds.words import Level, Split, WordProblem, draw, split_of

EASY, HARD = "easy", "hard"
NUMBER = re.compile(r"\d+")
# What a question says in words, and 1 for a person's own part.
SPOKEN = {1: "parts", 2: "half|twice|together|in all|third", 3: "third|quarter", 4: "quarter|fifth", 5: "fifth"}


def drawn(level: Level, n: int, split: Split = "train", seed: int = 7) -> list[WordProblem]:
    rng = random.Random(seed)
    return [draw(rng, level=level, split=split) for _ in range(n)]


@cache
def many() -> list[WordProblem]:
    """Two thousand problems of both levels, drawn by the worker that looks at them."""
    return drawn("easy", 1000) + drawn("hard", 1000)


def test_every_equation_is_true_and_stands_in_its_step() -> None:
    for problem in many():
        for step, equation in zip(problem.steps, problem.equations, strict=True):
            left, right = equation.split(" = ")
            assert evaluate(left) == evaluate(right) > 0, problem
            assert equation in step
            assert re.fullmatch(r"\d+ [-+*/] \d+ = \d+", equation)


def test_the_last_result_is_the_answer_and_the_value_of_the_key() -> None:
    for problem in many():
        assert int(problem.equations[-1].split(" = ")[1]) == problem.answer
        assert evaluate(problem.key) == problem.answer
        assert canonical(problem.key) == problem.key


def test_every_number_used_is_given_or_worked_out_or_said_in_words() -> None:
    for problem in many():
        known = set(NUMBER.findall(problem.question))
        for step, equation in zip(problem.steps, problem.equations, strict=True):
            *operands, result = NUMBER.findall(equation)
            for operand in operands:
                said = SPOKEN.get(int(operand))
                assert operand in known or (said and re.search(said, f"{problem.question} {step}")), problem
            known.add(result)


@pytest.mark.parametrize(("level", "fewest", "most", "largest"), [("easy", 2, 3, 300), ("hard", 4, 7, 5000)])
def test_a_level_says_how_long_and_how_large(level: Level, fewest: int, most: int, largest: int) -> None:
    for problem in drawn(level, 500, seed=1):
        assert fewest <= len(problem.steps) <= most
        assert max(int(equation.split(" = ")[1]) for equation in problem.equations) <= largest
        assert len(problem.question.split()) <= 90


def test_splits_are_disjoint() -> None:
    keys = {split: {p.key for p in drawn("easy", 200, split) + drawn("hard", 60, split)} for split in get_args(Split)}
    assert not keys["train"] & keys["test"]
    assert not keys["train"] & keys["validation"]
    assert not keys["validation"] & keys["test"]
    assert all(split_of(key) == split for split, found in keys.items() for key in found)


def test_one_in_twelve_is_for_the_test() -> None:
    splits = [split_of(f"{a}+{b}") for a in range(100) for b in range(100)]
    assert splits.count("test") / len(splits) == pytest.approx(1 / 12, abs=0.01)
    assert splits.count("validation") / len(splits) == pytest.approx(1 / 24, abs=0.01)


def test_a_seed_gives_the_same_problems_again() -> None:
    assert drawn("hard", 20, seed=3) == drawn("hard", 20, seed=3)
    assert drawn("hard", 20, seed=3) != drawn("hard", 20, seed=4)


def test_the_words_are_few() -> None:
    text = " ".join(" ".join((p.question, *p.steps)) for p in many())
    assert len(set(re.findall(r"[A-Za-z]+", text.lower()))) <= 450


def test_the_text_is_clean() -> None:
    for problem in many():
        for text in (problem.question, *problem.steps):
            assert not re.search(r"[{}]|  |\b1 (?!of\b|[-+*/=] |part\b|parts\b)[a-z]|\$ |,\d", text), text
            assert text[0] == text[0].upper()
            assert not re.search(r"[.?] [a-z]", text), text
        assert problem.question.endswith("?")
