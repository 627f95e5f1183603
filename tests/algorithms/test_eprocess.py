"""The e-process: its level under peeking, how soon it decides, and figures worked out by hand."""

from __future__ import annotations

import random
from itertools import product
from math import log
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stats.eprocess import STAKES, Bets, EProcess, Side
from promptkit.errors import BadInput

SIMULATIONS = 1_000


def draws(seed: int, up: float, down: float, n: int) -> list[float]:
    rng = random.Random(seed)
    return [1.0 if (u := rng.random()) < up else -1.0 if u < up + down else 0.0 for _ in range(n)]


def looked(process: EProcess, numbers: list[float]) -> EProcess:
    """A look after every number; who has decided stops."""
    for x in numbers:
        process.update(x)
        if process.decided:
            break
    return process


@pytest.mark.parametrize(("side", "up"), [(None, 0.25), ("above", 0.5)])
def test_a_look_at_every_item_is_wrong_in_at_most_five_of_a_hundred_nulls(side: Side | None, up: float) -> None:
    false = sum(looked(EProcess(side=side), draws(s, up, up, 100)).decided is not None for s in range(SIMULATIONS))
    assert false <= 0.05 * SIMULATIONS


def test_with_a_mean_that_was_never_at_the_null_it_stays_below_the_level_too() -> None:
    false = sum(looked(EProcess(side="above"), draws(s, 0.2, 0.3, 60)).decided is not None for s in range(300))
    assert false <= 0.05 * 300


@pytest.mark.parametrize(("up", "down", "soon"), [(0.9, 0.0, 12), (0.5, 0.1, 40), (0.3, 0.1, 120)])
def test_real_differences_are_decided_soon(up: float, down: float, soon: int) -> None:
    ended = [looked(EProcess(), draws(seed, up, down, 2_000)) for seed in range(100)]
    assert {each.decided for each in ended} == {"above"}
    assert median(each.n for each in ended) <= soon
    assert {looked(EProcess(), [-x for x in draws(s, up, down, 2_000)]).decided for s in range(20)} == {"below"}


def test_the_value_is_a_bettors_money() -> None:
    process = EProcess(side="above")
    assert (process.value, process.p, process.mean) == (1.0, 1.0, 0.0)
    stakes = [(at + 0.5) / STAKES for at in range(STAKES)]
    assert process.update(1.0) == pytest.approx(fmean(1 + stake for stake in stakes)) == pytest.approx(1.5)
    process.update(-1.0)
    process.update(0.0)
    assert process.value == pytest.approx(fmean((1 + s) * (1 - s) for s in stakes))
    assert process.p == pytest.approx(1 / 1.5), "what was seen at an earlier look stays seen"
    assert (process.n, process.mean, process.decided) == (3, 0.0, None)


@given(st.integers(1, 6), st.sampled_from([-0.5, 0.0, 0.25]), st.sampled_from(["above", "below"]))
@settings(max_examples=30, deadline=None)
def test_on_average_nobody_wins_under_the_null(n: int, null: float, side: Side) -> None:
    """Every way in which n numbers can come, with its probability: the money adds up to 1."""
    up = (1 + null) / 2  # of a coin with that mean
    total = 0.0
    for signs in product((1.0, -1.0), repeat=n):
        bets = Bets(null, side)
        for x in signs:
            bets.add(x)
        ways = up ** signs.count(1.0) * (1 - up) ** signs.count(-1.0)
        total += ways * 2.718281828459045**bets.log
    assert total == pytest.approx(1.0)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.randoms())
@settings(max_examples=40, deadline=None)
def test_it_knows_no_order_and_both_sides_are_alike(numbers: list[float], rng: random.Random) -> None:
    other = list(numbers)
    rng.shuffle(other)
    one, two, mirrored = EProcess(), EProcess(), EProcess()
    for a, b in zip(numbers, other, strict=True):
        one.update(a)
        two.update(b)
        mirrored.update(-a)
    assert one.value == pytest.approx(two.value) == pytest.approx(mirrored.value)
    low, high = one.interval
    assert -1 <= low <= one.mean <= high <= 1
    assert (-high, -low) == pytest.approx(mirrored.interval, abs=1e-3)


def test_the_interval_holds_the_mean_at_all_looks_together() -> None:
    missed = 0
    for seed in range(60):
        process, out = EProcess(), False
        for at, x in enumerate(draws(seed, 0.4, 0.1, 120), start=1):
            process.update(x)
            low, high = process.interval if at % 20 == 0 else (-1.0, 1.0)
            out = out or not low <= 0.3 <= high
        missed += out
    assert missed <= 0.05 * 60 + 2


def test_the_interval_leaves_out_the_null_where_a_side_is_decided_at_half_the_level() -> None:
    process = EProcess()
    for x in draws(1, 0.5, 0.1, 200):
        process.update(x)
    low, high = process.interval
    assert 0 < low < process.mean < high < 1


def test_futile_is_shown_and_not_assumed() -> None:
    process = EProcess(side="above", margin=0.1)
    while not process.futile:
        process.update((0.0, 0.0, -1.0)[process.n % 3])
        assert process.n < 100
    assert process.decided is None
    no_change = EProcess(margin=0.1)
    for _ in range(100):
        no_change.update(0.0)
    assert no_change.futile
    assert no_change.decided is None
    assert EProcess().futile is False, "without a margin nothing is"


def test_what_is_the_margin_ahead_is_rarely_called_futile() -> None:
    called = 0
    for seed in range(300):
        process = EProcess(side="above", margin=0.1)
        for x in draws(seed, 0.3, 0.2, 80):
            process.update(x)
        called += process.futile
    assert called <= 0.05 * 300


def test_a_share_may_be_tested_against_another_null() -> None:
    process = EProcess(null=0.5, low=0.0, high=1.0, side="above")
    for _ in range(10):
        process.update(1.0)
    assert process.decided == "above"
    stakes = [(at + 0.5) / STAKES / 0.5 for at in range(STAKES)]
    assert process.value == pytest.approx(fmean((1 + s * 0.5) ** 10 for s in stakes))


def test_a_flood_of_evidence_stays_a_number() -> None:
    process = EProcess()
    for _ in range(3_000):
        process.update(1.0)
    assert log(process.value) <= 700
    assert process.p < 1e-200
    assert process.interval[1] == pytest.approx(1.0, abs=0.01)


def test_what_cannot_be_is_refused() -> None:
    refused: list[dict[str, Any]] = [{"alpha": 0.0}, {"null": 1.0}, {"margin": 0.0}, {"margin": 1.0}]
    for wrong in refused:
        with pytest.raises(BadInput):
            EProcess(**wrong)
    with pytest.raises(BadInput, match="not between"):
        EProcess().update(1.5)
    with pytest.raises(BadInput, match="not between"):
        EProcess().update(float("nan"))
