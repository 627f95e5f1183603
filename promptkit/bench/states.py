"""States of the Game of 24 that no training text has: three numbers that one move in whole numbers leaves of four."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, combinations_with_replacement

from promptkit.worlds.game24_puzzles import held_out_state
from promptkit.worlds.game24_whole import TARGET, Numbers, results


@dataclass(frozen=True, slots=True)
class State:
    """Three numbers, the first four that lead to them, and whether whole numbers can make 24 of them."""

    numbers: Numbers
    puzzle: Numbers
    alive: bool


@cache
def held_out(highest: int) -> tuple[State, ...]:
    """All held-out states that are one move away from four numbers of 1 to `highest`, sorted."""
    found: dict[Numbers, Numbers] = {}
    for puzzle in combinations_with_replacement(range(1, highest + 1), 4):
        for numbers in after(puzzle):
            if held_out_state(numbers):
                found.setdefault(numbers, puzzle)
    return tuple(State(numbers, found[numbers], alive(numbers)) for numbers in sorted(found))


def after(numbers: Numbers) -> Iterator[Numbers]:
    """What each move leaves that makes a whole number from 0 to 300."""
    for first, second in combinations(range(len(numbers)), 2):
        rest = [number for at, number in enumerate(numbers) if at not in (first, second)]
        for *_, result in results(numbers[first], numbers[second]):
            yield tuple(sorted([*rest, result]))


@cache
def alive(numbers: Numbers) -> bool:
    """Whether moves in whole numbers lead to 24."""
    return numbers == (TARGET,) if len(numbers) == 1 else any(map(alive, after(numbers)))
