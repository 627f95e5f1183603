"""Lessons in hidden rules: worked examples as earlier turns, each of them a question in its own right."""

from __future__ import annotations

import random

from promptkit.worlds.patterns import MOST, Kind, Split, draw
from training.lesson import Lesson

# How often a lesson has 0, 1, 2 … examples. Long ones teach most, since every turn is one to predict.
LENGTHS = (1, 1, 1, 1, 2, 1, 1, 1, 5, 2, 2, 2, 8)
BOOKS = 0.6  # of the lessons are code books besides those drawn: looking up is learned last


def pattern(rng: random.Random, split: Split = "train") -> Lesson:
    """One pattern of a split, with 0 to 12 examples shown."""
    kind: Kind | None = "map" if rng.random() < BOOKS else None
    drawn = draw(rng, n=rng.choices(range(MOST + 1), LENGTHS)[0], kind=kind, split=split)
    return Lesson(
        pack="patterns",
        template="solve",
        inputs={"question": drawn.question},
        reply=drawn.answer,
        shots=tuple(({"question": asked}, answer) for asked, answer in drawn.examples),
    )
