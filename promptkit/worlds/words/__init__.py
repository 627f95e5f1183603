"""Arithmetic word problems in plain English, composed from a small grammar, with exact worked solutions.

What decides the split is the arithmetic alone: two stories that ask for the same sums and products are one
problem, whoever buys whatever in them.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from typing import Literal

from promptkit.arithmetic import canonical
from promptkit.worlds.words.endings import end
from promptkit.worlds.words.openings import begin
from promptkit.worlds.words.story import Story, Unfit
from promptkit.worlds.words.turns import DISTRACTED, distract, turn

__all__ = ["Level", "Split", "WordProblem", "draw", "split_of"]

Level = Literal["easy", "middle", "hard"]  # middle: hard ones of four steps whose arithmetic is short
Split = Literal["train", "validation", "test"]

_STEPS = {"easy": (2, 2, 3, 3), "middle": (4,), "hard": (4, 4, 5, 5, 6, 7)}
_LONGEST = {"easy": 60, "middle": 90, "hard": 90}  # words of a question


@dataclass(frozen=True, slots=True)
class WordProblem:
    """A question with one worked solution: a short sentence a step, each with its equation inside."""

    question: str
    steps: tuple[str, ...]
    equations: tuple[str, ...]  # "46 + 53 = 99", one a step
    answer: int
    level: Level
    split: Split
    key: str  # the whole arithmetic as one canonical expression


def split_of(key: str) -> Split:
    """The split that a canonical expression belongs to: 2 in 24 test, 1 in 24 validation."""
    place = zlib.crc32(key.encode()) % 24
    return "test" if place < 2 else "validation" if place == 2 else "train"


def draw(rng: random.Random, *, level: Level, split: Split) -> WordProblem:
    """A problem of that level and split; the same state of `rng` gives the same problem."""
    while True:
        try:
            story = _tell(rng, level)
        except Unfit:
            continue
        question = story.question
        if len(question.split()) > _LONGEST[level]:
            continue
        key = canonical(story.expression)
        if split_of(key) == split:
            steps, equations = zip(*story.steps, strict=True)
            if level == "middle" and not all(map(_short, equations)):
                continue
            return WordProblem(question, steps, equations, story.value, level, split, key)


def _tell(rng: random.Random, level: Level) -> Story:
    """One story of the wanted length; Unfit when it grew too long or its numbers did not allow it."""
    wanted = rng.choice(_STEPS[level])
    story = Story(rng, "easy" if level == "easy" else "hard")
    begin(story)
    last = rng.choice((0, 1, 1, 2)) if level == "easy" else rng.choice((0, 1, 1, 1, 2, 2))  # steps of the ending
    for _ in range(12):
        if story.count >= wanted - last:
            break
        turn(story, wanted - last - story.count)
    distracted = level != "easy" and rng.random() < DISTRACTED
    if distracted:
        distract(story)
    end(story, wanted - story.count)
    if len(story.steps) != wanted:
        raise Unfit
    return story


def _short(equation: str) -> bool:
    """No number above 999, and no product of two numbers of several digits."""
    left, sign, right, _, result = equation.split()
    return max(len(left), len(right), len(result)) <= 3 and not (sign == "*" and len(left) > 1 and len(right) > 1)
