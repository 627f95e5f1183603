"""The puzzles of the Game of 24 and how they are split: what a model may be trained on, tuned on and measured on."""

from __future__ import annotations

import zlib
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Literal

from promptkit.worlds.game24 import solvable

Split = Literal["train", "validation", "test"]

HIGHEST = 13  # the numbers of a card game
_TEST, _VALIDATION = {0, 1, 5, 10, 15}, {2}  # of 20


def split_of(puzzle: tuple[int, ...]) -> Split:
    """The split of a puzzle, by a hash of its sorted numbers; puzzles with a number above 13 are all for training."""
    if puzzle[-1] > HIGHEST:
        return "train"
    bucket = zlib.crc32(repr(puzzle).encode()) % 20
    return "test" if bucket in _TEST else "validation" if bucket in _VALIDATION else "train"


def held_out_state(numbers: tuple[int, ...]) -> bool:
    """Whether a state of three numbers, sorted, occurs nowhere in training: one in ten, by hash."""
    return len(numbers) == 3 and zlib.crc32(b"3" + repr(numbers).encode()) % 10 == 0


@lru_cache
def puzzles(split: Split) -> tuple[tuple[int, ...], ...]:
    """All solvable puzzles of 1 to 13 in a split, sorted; 1,362 in the three together."""
    everything = combinations_with_replacement(range(1, HIGHEST + 1), 4)
    return tuple(p for p in everything if split_of(p) == split and solvable(tuple(map(Fraction, p))))
