"""Lessons in the Game of 24: verdicts are true, and a list of steps is the same each time and repeats nothing."""

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


def test_proposals_have_a_fixed_order_and_lead_to_different_states() -> None:
    rng = random.Random(2)
    for _ in range(200):
        numbers = game24.puzzle(rng)
        listed = game24.ranked(numbers)[: LISTED[4]]
        assert listed == game24.ranked(numbers)[: LISTED[4]]
        assert len({move[4] for move in listed}) == len(listed)
        good = [bool(game24.solutions(move[4])) for move in listed]
        assert good == sorted(good, reverse=True)
        assert good[0]


def test_most_chains_of_a_puzzle_take_the_same_way() -> None:
    rng = random.Random(3)
    numbers = (4, 6, 8, 9)
    ways = [tuple(game24.path(rng, numbers)) for _ in range(300)]
    assert max(map(ways.count, set(ways))) > 150
    assert len(set(ways)) > 1
