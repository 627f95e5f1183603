"""How much texts differ: distinct-n, pairs, and intervals of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from promptkit.algorithms.diversity.distinct import distinct, grams, words
from promptkit.algorithms.diversity.pairs import mean_over_pairs, overlap, same, table
from promptkit.algorithms.stats.bootstrap import interval


def test_distinct_n_by_hand() -> None:
    texts = ["the cat sat", "the cat ran", "the dog"]
    assert distinct(grams(text, 1) for text in texts) == 5 / 8  # the, cat, sat, ran, dog of 8
    assert distinct(grams(text, 2) for text in texts) == 4 / 5
    assert distinct([grams("one", 2)]) is None
    assert distinct([grams("a b a b", 2)]) == 2 / 3


def test_words_of_any_script() -> None:
    assert words("Don't PANIC: 42!") == ["don", "t", "panic", "42"]
    assert words("日本 is 美") == ["日", "本", "is", "美"]
    assert words("  ") == []
    with pytest.raises(ValueError, match="at least one"):
        grams("a", 0)


def test_pairs_by_hand() -> None:
    equal = table("aab", same)
    assert mean_over_pairs(equal, range(3)) == 1 / 3
    assert mean_over_pairs(equal, [0, 0, 0]) is None  # one draw three times: no pair
    assert mean_over_pairs(equal, [0, 0, 1, 2]) == 2 / 5  # pairs 01 twice, 02 twice, 12 once
    bags = [Counter("aab"), Counter("abb"), Counter("xyz")]
    assert overlap(bags[0], bags[1]) == pytest.approx(2 / 3)
    assert overlap(bags[0], bags[2]) == 0
    assert overlap(Counter(), Counter()) == 1


def test_an_interval_holds_the_estimate_and_knows_when_it_knows_nothing() -> None:
    values = [0.0, 1.0] * 10
    found = interval(lambda places: sum(values[p] for p in places) / len(places), 20)
    assert found is not None
    assert found[0] < 0.5 < found[1]
    assert interval(lambda _: 1.0, 20) is None
    assert interval(lambda _: None, 20) is None
    assert interval(lambda _: 1.0, 0) is None
    assert interval(lambda p: float(p[0]), 5, within=(0, 4), seed=1) == interval(
        lambda p: float(p[0]), 5, within=(0, 4), seed=1
    )


def test_resampling_does_not_make_draws_less_diverse_than_they_are() -> None:
    """A percentile bootstrap of distinct-1 ends below the estimate itself: repeats are its own doing."""
    dice = random.Random(3)
    texts = [grams(" ".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=4)), 1) for _ in range(20)]

    def measure(places: Sequence[int]) -> float | None:
        return distinct(texts[place] for place in places)

    estimate = measure(range(20))
    found = interval(measure, 20)
    assert estimate is not None
    assert found is not None
    assert found[0] < estimate < found[1]
    rng = random.Random(0)
    naive = sorted(measure(rng.choices(range(20), k=20)) or 0 for _ in range(500))
    assert naive[400] < estimate
