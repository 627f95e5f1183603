"""Lessons in the Game of 24: verdicts are true, and a list of steps leaves no good one out and repeats nothing."""

from __future__ import annotations

import random

from promptkit.bench.states import alive
from promptkit.verdicts import verdict
from promptkit.worlds.game24_whole import LISTED, results
from training import game24


def test_a_verdict_says_what_is_so() -> None:
    rng = random.Random(1)
    states = [game24.state(rng, rng.choice([2, 3])) for _ in range(400)]
    for numbers in [*states, (0, 4, 4), (0, 0, 24), (24, 24), (3, 8)]:
        said, sure = game24.verdict(numbers)
        assert sure == alive(numbers) == (verdict(said, ("sure", "likely", "impossible")) == "sure"), numbers


def test_every_result_in_a_verdict_is_computed() -> None:
    said, _ = game24.verdict((3, 6, 10))
    for line in said.split("\n")[:-1]:
        pair, _, made = line.rpartition(": ")[2].partition(" make ")
        low, high = sorted(map(int, pair.split()))
        wanted = list(dict.fromkeys(result for *_, result in results(low, high)))
        assert list(map(int, made.split())) == wanted[: len(made.split())]


def test_proposals_hold_every_good_step_and_lead_to_different_states() -> None:
    rng = random.Random(2)
    for _ in range(200):
        numbers = game24.puzzle(rng)
        steps = game24.listed(numbers)
        assert steps == game24.listed(numbers)
        assert len({move[4] for move in steps}) == len(steps) <= LISTED[4]
        assert steps == [move for move in game24.moves(numbers) if move in steps]
        missing = {move[4] for move in game24.moves(numbers)} - {move[4] for move in steps}
        assert len(steps) == LISTED[4] or not missing
        if any(map(game24.solutions, missing)):  # more good ones than the list has lines
            assert all(game24.solutions(move[4]) for move in steps)


def test_most_chains_of_a_puzzle_take_the_same_way() -> None:
    rng = random.Random(3)
    numbers = (4, 6, 8, 9)
    ways = [tuple(game24.path(rng, numbers)) for _ in range(300)]
    assert max(map(ways.count, set(ways))) > 150
    assert len(set(ways)) > 1
