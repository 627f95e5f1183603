"""Temperature, top-k, top-p, min-p, entropy and beam search over written distributions."""

from __future__ import annotations

import random
from itertools import pairwise
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.decoding.beam_search import Beam, beam_search, stepped
from promptkit.algorithms.decoding.distribution import Distribution, ordered, tied
from promptkit.algorithms.decoding.draw import drawn
from promptkit.algorithms.decoding.entropy import effective, entropy, least_entropy
from promptkit.algorithms.decoding.temperature import heated
from promptkit.algorithms.decoding.truncation import Cut, min_p, top_k, top_p, truncated

FRUIT = ordered({"apple": 0.4, "banana": 0.3, "cherry": 0.2, "date": 0.1}.items())
CAT = {
    (): {"is": 0.6, "sat": 0.3, "runs": 0.1},
    ("is",): {"sleeping": 0.7, "eating": 0.2, "running": 0.1},
    ("sat",): {"on": 0.5, "quietly": 0.4, "down": 0.1},
    ("runs",): {"fast": 0.6, "slowly": 0.3, "away": 0.1},
}


def after_the_cat(path: tuple[str, ...]) -> Distribution[str]:
    return ordered(CAT[path].items())


def told(beams: tuple[Beam[str], ...]) -> list[tuple[str, float]]:
    return [(" ".join(beam.tokens), round(beam.probability, 9)) for beam in beams]


weights = st.lists(st.floats(0.001, 1), min_size=1, max_size=12)


def of(shares: list[float]) -> Distribution[int]:
    return ordered((place, share / sum(shares)) for place, share in enumerate(shares))


def test_beam_search_to_the_digit() -> None:
    first, second = beam_search(after_the_cat, width=3, steps=2)
    assert told(first.beams) == [("is", 0.6), ("sat", 0.3), ("runs", 0.1)]
    assert told(second.beams) == [("is sleeping", 0.42), ("sat on", 0.15), ("is eating", 0.12)]
    assert told(second.tie) == [("is eating", 0.12), ("sat quietly", 0.12)]
    assert first.tie == ()


def test_a_tie_of_which_nobody_falls_out_is_none() -> None:
    two = beam_search(after_the_cat, width=4, steps=2)[-1]
    assert told(two.beams)[2:] == [("is eating", 0.12), ("sat quietly", 0.12)]
    assert two.tie == ()


def test_width_1_is_greedy_and_all_of_them_is_exhaustive() -> None:
    assert told(beam_search(after_the_cat, width=1, steps=2)[-1].beams) == [("is sleeping", 0.42)]
    everything = beam_search(after_the_cat, width=9, steps=2)[-1].beams
    assert len(everything) == 9
    assert sum(beam.probability for beam in everything) == pytest.approx(1)


def test_an_ended_path_stays_with_what_it_had() -> None:
    endings = {(): {"": 0.5, "a": 0.5}, ("a",): {"b": 0.9, "": 0.1}, ("a", "b"): {"c": 1.0}}
    rounds = beam_search(lambda path: ordered(endings[path].items()), width=2, steps=3, ends=lambda token: token == "")
    first, second = rounds[-1].beams
    assert told((first, second)) == [("", 0.5), ("a b c", 0.45)]
    assert (first.ended, second.ended) == (True, False)
    only = beam_search(lambda _: ordered([("", 1.0)]), width=2, steps=9, ends=lambda token: token == "")
    assert len(only) == 1  # all have ended: there is no further step


def test_a_beam_says_when_a_token_that_was_not_told_might_have_been_in_it() -> None:
    some = ordered([("a", 0.5), ("b", 0.1)])
    assert stepped([Beam()], {(): some}, 3).open
    assert not stepped([Beam()], {(): some}, 2).open  # none of the rest is likelier than 0.1
    two = [Beam(("x",), -1.0), Beam(("y",), -3.0)]
    assert stepped(two, {("x",): some, ("y",): FRUIT}, 3).open  # y apple is less likely than a third after x may be
    assert not stepped([Beam()], {(): FRUIT}, 2).open


def test_top_p_keeps_the_fewest_that_have_the_mass() -> None:
    assert top_p(FRUIT, 0.8) == Cut(3)
    assert [top_p(FRUIT, p).kept for p in (0.01, 0.4, 0.41, 0.7, 0.9, 0.91, 1.0)] == [1, 1, 2, 2, 3, 4, 4]
    for wrong in (0, -0.1, 1.1):
        with pytest.raises(ValueError, match="top-p"):
            top_p(FRUIT, wrong)


def test_top_k_and_min_p() -> None:
    assert [top_k(FRUIT, k).kept for k in (0, 1, 3, 9)] == [4, 1, 3, 4]
    assert [min_p(FRUIT, p).kept for p in (0, 0.25, 0.26, 0.5, 0.75, 0.76, 1)] == [4, 4, 3, 3, 2, 1, 1]


def test_a_cut_through_a_tie_says_so() -> None:
    even = ordered([("a", 0.4), ("b", 0.2), ("c", 0.2), ("d", 0.2)])
    assert top_k(even, 2) == Cut(2, tied=2)
    assert top_p(even, 0.5) == Cut(2, tied=2)
    assert min_p(even, 0.5) == Cut(4)
    assert tied(even, 1) == ("b", "c", "d")
    assert [token for token, _ in even.tokens] == ["a", "b", "c", "d"]  # as they were told


def test_what_is_not_told_is_said_to_be_missing() -> None:
    some = ordered([("a", 0.5), ("b", 0.2)])
    assert some.rest == pytest.approx(0.3)
    assert top_p(some, 0.6) == Cut(2)
    assert top_p(some, 0.8) == Cut(2, open=True)
    assert top_k(some, 2) == Cut(2)
    assert top_k(some, 3).open
    assert not min_p(some, 0.5).open
    assert min_p(some, 0.1).open
    left, _ = truncated(some, p=0.8)
    assert left == some  # nobody knows what else belongs to it


def test_rules_are_applied_one_after_the_other_to_what_is_left() -> None:
    left, cuts = truncated(FRUIT, k=3, p=0.75, m=0.8)
    # top-k leaves 4/9, 3/9, 2/9: top-p 0.75 needs two of them, which 0.4 + 0.3 of the whole would not have been.
    assert cuts == {"top-k": Cut(3), "top-p": Cut(2), "min-p": Cut(1)}
    assert left.tokens == (("apple", 1.0),)


def test_temperature() -> None:
    squared = heated(FRUIT, 0.5)
    assert [p for _, p in squared.tokens] == pytest.approx([16 / 30, 9 / 30, 4 / 30, 1 / 30])
    assert heated(FRUIT, 1) is FRUIT
    assert heated(FRUIT, 0).tokens == (("apple", 1.0),)
    assert heated(ordered([("a", 0.4), ("b", 0.4), ("c", 0.2)]), 0).tokens == (("a", 0.5), ("b", 0.5))
    assert [p for _, p in heated(FRUIT, 1e6).tokens] == pytest.approx([0.25] * 4, abs=1e-5)
    assert heated(FRUIT, 1e-9).tokens[0][1] == 1.0
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="temperature"):
            heated(FRUIT, wrong)


def test_entropy_in_bits() -> None:
    assert least_entropy(ordered([("heads", 0.5), ("tails", 0.5)])) == 1.0
    assert least_entropy(ordered([("sure", 1.0)])) == 0.0
    assert least_entropy(FRUIT) == pytest.approx(1.8464393446710154)
    assert effective(2.0) == 4.0
    whole = [0.4, 0.2, 0.1, 0.1, 0.1, 0.1]
    some = ordered([("a", 0.4), ("b", 0.2), ("c", 0.1)])
    assert least_entropy(some) == pytest.approx(entropy(whole))  # the rest as unequal as it may be
    assert least_entropy(some) <= entropy([0.4, 0.2, 0.1, *[0.003] * 100])


@settings(deadline=None)
@given(weights, st.floats(0.05, 5))
def test_heat_opens_and_cold_closes(shares: list[float], temperature: float) -> None:
    cold = of(shares)
    warm = heated(cold, temperature)
    assert sum(p for _, p in warm.tokens) == pytest.approx(1)
    assert [token for token, _ in warm.tokens] == [token for token, _ in cold.tokens]
    opener = least_entropy(warm) - least_entropy(cold)
    assert opener >= -1e-9 if temperature >= 1 else opener <= 1e-9
    assert least_entropy(warm) <= log2(len(shares)) + 1e-9


@settings(deadline=None)
@given(weights, st.floats(0.01, 1))
def test_top_p_is_the_smallest_such_set(shares: list[float], p: float) -> None:
    told = of(shares)
    kept = top_p(told, p).kept
    masses = [sum(share for _, share in told.tokens[:many]) for many in range(len(shares) + 1)]
    assert masses[kept] >= p - 1e-9
    assert masses[kept - 1] < p + 1e-9
    left, _ = truncated(told, p=p)
    assert sum(share for _, share in left.tokens) == pytest.approx(1)


@settings(max_examples=50, deadline=None)
@given(weights, st.integers(1, 6), st.integers(1, 3))
def test_beam_search_finds_what_going_through_all_finds_where_it_is_wide_enough(
    shares: list[float], width: int, steps: int
) -> None:
    told = of(shares[:4])
    rounds = beam_search(lambda _: told, width=width, steps=steps)
    best = told.tokens[0][1] ** steps
    assert rounds[-1].beams[0].probability == pytest.approx(best)  # every step is alike: greedy is right
    scores = [beam.logprob for beam in rounds[-1].beams]
    assert all(one >= other - 1e-6 for one, other in pairwise(scores))


def test_draws_are_as_often_as_they_are_probable() -> None:
    dice = random.Random(7)
    counts = {token: 0 for token, _ in FRUIT.tokens}
    for _ in range(4000):
        counts[drawn(FRUIT, dice.random())] += 1
    assert [round(counts[token] / 4000, 1) for token, _ in FRUIT.tokens] == [0.4, 0.3, 0.2, 0.1]
    assert drawn(FRUIT, 0.0) == "apple"
    assert [drawn(FRUIT, number) for number in (0.39, 0.41, 0.69, 0.71, 0.91)] == [
        "apple",
        "banana",
        "banana",
        "cherry",
        "date",
    ]
    assert drawn(ordered([("a", 0.5), ("b", 0.1)]), 0.99) == "b"  # of what is told
    with pytest.raises(ValueError, match="draw"):
        drawn(FRUIT, 1.0)


def test_a_distribution_is_one() -> None:
    for wrong in ([], [("a", -0.1)], [("a", float("nan"))], [("a", 0.9), ("b", 0.9)]):
        with pytest.raises(ValueError, match="probabilities"):
            ordered(wrong)
