"""Paired comparisons: textbook figures, everything enumerated where it is small, and intervals that cover."""

from __future__ import annotations

import random
import time
from itertools import product
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stats.intervals import wilson
from promptkit.algorithms.stats.paired import auc, auc_interval, mcnemar, mean_interval, paired_difference

# Means of two seeds, and numbers that are means of nothing small.
SHARES = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=10)
SCORES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)
FEW = settings(max_examples=25, deadline=None)

# Darwin's 15 pairs of cross- and self-fertilised maize, differences in eighths of an inch: R. A. Fisher, The Design
# of Experiments (1935), section 21, goes through all 2^15 signs: 863 sums are as large as 314, 1726 as far from 0.
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (8, 2, 2 * 56 / 1024), (1, 9, 2 * 11 / 1024), (6, 6, 1.0)],
)
def test_mcnemar_is_the_binomial_counted_out(only_a: int, only_b: int, p: float) -> None:
    assert mcnemar(only_a, only_b) == pytest.approx(p)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_a_probability_and_does_not_know_who_is_who(a: int, b: int) -> None:
    assert 0 < mcnemar(a, b) == mcnemar(b, a) <= 1


def test_flipping_signs_gives_fishers_figure_for_darwins_maize() -> None:
    shares = [inches / 100 for inches in MAIZE]  # no small denominator: the signs are drawn
    assert paired_difference(shares, [0.0] * 15).p == pytest.approx(1726 / 2**15, abs=0.006)
    halves = [inches / 2 for inches in MAIZE]  # gone through
    assert paired_difference(halves, [0.0] * 15).p == pytest.approx(1726 / 2**15)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=9))
@FEW
def test_p_is_what_going_through_all_signs_gives(pairs: list[tuple[float, float]]) -> None:
    gaps = [a - b for a, b in pairs]
    sums = [abs(sum(s * g for s, g in zip(signs, gaps, strict=True))) for signs in product((1, -1), repeat=len(gaps))]
    by_hand = fmean(total >= abs(sum(gaps)) for total in sums)
    a, b = ([pair[side] for pair in pairs] for side in (0, 1))
    assert paired_difference(a, b).p == pytest.approx(by_hand)


def test_with_one_seed_p_is_mcnemars() -> None:
    rng = random.Random(3)
    a, b = ([float(rng.random() < p) for _ in range(200)] for p in (0.7, 0.6))
    only_a = sum(x > y for x, y in zip(a, b, strict=True))
    only_b = sum(x < y for x, y in zip(a, b, strict=True))
    assert paired_difference(a, b).p == pytest.approx(mcnemar(only_a, only_b))


@given(SHARES, st.randoms(use_true_random=False))
@FEW
def test_the_difference_turns_round_with_its_sides(a: list[float], rng: random.Random) -> None:
    b = [rng.choice([0.0, 0.5, 1.0]) for _ in a]
    there, back = paired_difference(a, b), paired_difference(b, a)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert there.p == back.p
    assert -1 <= there.low <= there.mean <= there.high <= 1


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=9))
@FEW
def test_of_few_items_no_interval_is_surer_than_its_p(gaps: list[float]) -> None:
    """A bootstrap of eight of which three are better says 12 to 75 points; by flipping signs p is 0.25."""
    found = paired_difference(gaps, [0.0] * len(gaps))
    assert found.low <= found.mean <= found.high
    assert found.low <= 0 <= found.high or found.p <= 0.0625


def test_few_shares_get_an_interval_at_least_as_wide_as_that_of_zeros_and_ones() -> None:
    assert mean_interval([0.5, 1.0, 0.5, 0.0]) == pytest.approx(wilson(2, 4))
    low, high = mean_interval([0.5, 1.0, 0.5, 0.0] * 3)  # twelve are resampled
    assert high - low < 0.5


def test_nothing_is_certain_when_all_items_are_alike() -> None:
    same = paired_difference([1.0] * 40, [1.0] * 40)
    assert (same.mean, same.p) == (0, 1)
    assert same.low == -same.high == pytest.approx(-wilson(0, 40)[1])
    assert mean_interval([0.5] * 40) == pytest.approx((0.5 - wilson(0, 40)[1] / 2, 0.5 + wilson(0, 40)[1] / 2))


def test_no_items_tell_nothing() -> None:
    nothing = paired_difference([], [])
    assert (nothing.mean, nothing.low, nothing.high, nothing.p) == (0, -1, 1, 1)
    assert mean_interval([]) == (0, 1)
    assert (auc([], [1.0]), auc_interval([1.0], [])) == (0.5, (0, 1))


def test_items_that_are_right_or_wrong_have_wilsons_interval() -> None:
    assert mean_interval([1.0, 0.0, 0.0, 1.0, 1.0]) == wilson(3, 5)


def test_both_sides_must_have_the_same_items() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1.0], [1.0, 0.0])


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng, covered, trials = random.Random(1), 0, 60
    for trial in range(trials):
        ease = [rng.random() for _ in range(50)]  # items differ: both sides share that
        a, b = ([fmean(rng.random() < e**power for _ in range(2)) for e in ease] for power in (0.5, 1.0))
        gap = paired_difference(a, b, seed=trial)
        covered += gap.low <= 2 / 3 - 1 / 2 <= gap.high
    assert covered >= 0.85 * trials


@pytest.mark.parametrize(
    ("positive", "negative", "area"),
    [
        ([2.0, 3.0], [0.0, 1.0], 1.0),
        ([0.0, 1.0], [2.0, 3.0], 0.0),
        ([1.0, 1.0], [1.0, 1.0], 0.5),
        ([0.8, 0.35], [0.1, 0.4], 0.75),
    ],
)
def test_areas_that_are_known(positive: list[float], negative: list[float], area: float) -> None:
    assert auc(positive, negative) == area


@given(SCORES, SCORES)
@FEW
def test_the_area_is_the_part_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    area = auc(positive, negative)
    assert area == pytest.approx(fmean(pairs))
    assert auc(negative, positive) == pytest.approx(1 - area)
    low, high = auc_interval(positive, negative)
    assert 0 <= low <= high <= 1


def test_a_benchmark_is_not_held_up() -> None:
    rng = random.Random(2)
    a, b = ([rng.choice([0.0, 0.5, 1.0]) for _ in range(320)] for _ in range(2))
    started = time.process_time()
    assert paired_difference(a, b) == paired_difference(a, b)
    assert time.process_time() - started < 4  # two of them, on a busy machine
