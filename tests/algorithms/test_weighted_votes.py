"""Votes that weigh: by likelihood, confidence or score; what is refused, what is set aside, what ends early."""

from __future__ import annotations

import random
import re
from itertools import product
from math import exp, inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stopping.curtailment import next_batch, settled
from promptkit.algorithms.voting.ballot import Ballot, Majority, VoteRule
from promptkit.algorithms.voting.borda import Borda, ballot_of
from promptkit.algorithms.voting.cisc import CISC
from promptkit.algorithms.voting.cluster import Cluster
from promptkit.algorithms.voting.complexity import Complexity
from promptkit.algorithms.voting.deepconf import DeepConf
from promptkit.algorithms.voting.tally import Tally, tally
from promptkit.algorithms.voting.weighted import NormalizedLogprob, Weighted
from promptkit.errors import BadInput

FEW = settings(max_examples=25, deadline=None)


def alike(a: str, b: str) -> bool:
    """Equal but for case."""
    return a.lower() == b.lower()


def named(rule: VoteRule) -> str:
    """The rule as it is written, without the address of a function: every worker must collect the same ids."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(rule))


RULES: list[VoteRule] = [
    Majority(),
    Weighted(),
    NormalizedLogprob(),
    CISC(),
    CISC(0.01),
    DeepConf(0.9),
    DeepConf(0.1),
    Complexity(0.6),
    Cluster(alike),
    Cluster(alike, CISC(0.3)),
    Borda(),
]


@st.composite
def a_ballot(draw: st.DrawFn) -> Ballot:
    """Anything a sample can be, everything known of it."""
    order = draw(st.permutations(["a", "b", "c"]))
    return Ballot(
        answer=draw(st.sampled_from(["a", "a", "A", "b", "c", None])),
        failed=draw(st.sampled_from([False, False, False, True])),
        cut=draw(st.sampled_from([False, False, False, True])),
        weight=draw(st.sampled_from([None, 0.1, 0.2, 0.3, 1.0])),
        logprobs=tuple(draw(st.lists(st.sampled_from([-0.1, -1.0, -3.0, 0.0]), max_size=4))),
        confidence=draw(st.sampled_from([None, 0.1, 0.4, 0.7, 1.0])),
        steps=draw(st.sampled_from([None, 1, 2, 3, 7])),
        ranking=draw(st.sampled_from([(), ((order[0],), (order[1], order[2])), tuple((name,) for name in order[:2])])),
    )


@pytest.mark.parametrize("rule", RULES, ids=named)
@given(ballots=st.lists(a_ballot(), max_size=9), rng=st.randoms(use_true_random=False))
@FEW
def test_no_rule_drops_a_sample_or_looks_at_their_order(
    rule: VoteRule, ballots: list[Ballot], rng: random.Random
) -> None:
    votes = rule.count(ballots)
    assert votes.seen == len(ballots)
    assert votes.failed == sum(ballot.failed for ballot in ballots)
    assert 0 <= votes.margin <= votes.share <= 1
    assert votes.winner is None or votes.tied == (votes.winner,)
    low, high = votes.interval()
    assert 0 <= low <= high <= 1
    shuffled = list(ballots)
    rng.shuffle(shuffled)
    again = rule.count(shuffled)
    assert (again.winner, sorted(again.tied), dict(again.standing)) == (
        votes.winner,
        sorted(votes.tied),
        dict(votes.standing),
    )
    assert (again.unread, again.aside, again.heaviest) == (votes.unread, votes.aside, votes.heaviest)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_without_a_readable_sample_nobody_wins(rule: VoteRule) -> None:
    silent = rule.count([Ballot(), Ballot(failed=True), Ballot(cut=True)])
    assert (silent.winner, silent.tied, silent.share, silent.seen) == (None, (), 0.0, 3)
    assert (silent.unread, silent.failed, silent.aside) == (1, 1, 1)
    assert rule.count([]).winner is None
    assert rule.count([]).interval() == (0, 1)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_one_voter_decides(rule: VoteRule) -> None:
    alone = rule.count([FULL])
    assert alone.winner == "a"
    assert rule.count([FULL, FULL]).share == pytest.approx(1 if not isinstance(rule, Borda) else 2 / 3)


FULL = Ballot(answer="a", weight=0.5, logprobs=(-0.5, -0.1), confidence=0.8, steps=4, ranking=(("a",), ("b",), ("c",)))


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_what_cannot_be_weighed_is_set_aside_and_counted(rule: VoteRule) -> None:
    votes = rule.count([FULL, Ballot(answer="b", ranking=())])
    if rule.needs == "answer":
        assert votes.tied == ("a", "b")
    elif rule.needs == "ranking":
        assert (votes.winner, votes.unread) == ("a", 1)
    else:
        assert (votes.winner, votes.aside, votes.seen) == ("a", 1, 2)


@pytest.mark.parametrize("weight", [0.0, -1.0, nan, inf])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(BadInput, match="cannot weigh") as refused:
        Weighted().count([Ballot(answer="a", weight=weight)])
    assert "None sets a sample aside" in refused.value.hint


def test_other_numbers_that_mean_nothing_are_refused() -> None:
    for logprob in (nan, 0.5, -inf):
        with pytest.raises(BadInput, match="no log-probability"):
            NormalizedLogprob().count([Ballot(answer="a", logprobs=(-1.0, logprob))])
    for confidence in (nan, 1.5, -inf):
        with pytest.raises(BadInput, match="cannot be used"):
            CISC().count([Ballot(answer="a", confidence=confidence)])
    for temperature in (0.0, -1.0, nan):
        with pytest.raises(BadInput, match="temperature"):
            CISC(temperature)
    with pytest.raises(BadInput, match="cannot be used"):
        DeepConf().count([Ballot(answer="a", confidence=nan)])
    with pytest.raises(BadInput, match="cannot weigh 0"):
        DeepConf().count([Ballot(answer="a", confidence=0.0)])
    with pytest.raises(BadInput, match="above the largest"):
        Weighted(heaviest=1).count([Ballot(answer="a", weight=2.0)])
    for keep in (0.0, 1.5, nan):
        with pytest.raises(BadInput, match="part of"):
            Complexity(keep)
        with pytest.raises(BadInput, match="part of"):
            DeepConf(keep)


def test_likelihood_is_per_token() -> None:
    """A long chain is not less likely for being long; unnormalised sums would have it so."""
    long, short = (-0.1,) * 300, (-1.0,) * 20
    votes = NormalizedLogprob().count([Ballot(answer="a", logprobs=long), Ballot(answer="b", logprobs=short)])
    assert votes.winner == "a"
    ratio = votes.weights[0][1] / votes.weights[1][1]
    assert ratio == pytest.approx(exp(-0.1) / exp(-1.0))
    two = [Ballot(answer="b", logprobs=short)] * 3
    assert NormalizedLogprob().count([Ballot(answer="a", logprobs=long), *two]).winner == "b", "sums, not means"


def test_the_least_likely_sample_still_votes() -> None:
    votes = NormalizedLogprob().count([Ballot(answer="a", logprobs=(-9999.0,)), Ballot(answer="b", logprobs=(-0.1,))])
    assert dict(votes.counts) == {"a": 1, "b": 1}
    assert dict(votes.weights)["a"] > 0


def cisc(*confidences: tuple[str, float], temperature: float) -> Tally:
    return CISC(temperature).count([Ballot(answer=answer, confidence=c) for answer, c in confidences])


def test_the_softmax_goes_from_the_majority_to_the_surest_sample() -> None:
    cast = [("a", 0.4), ("a", 0.4), ("b", 0.9)]
    assert cisc(*cast, temperature=inf).winner == "a"
    assert cisc(*cast, temperature=1e9).tied == ("a",)
    assert cisc(*cast, temperature=1e-6).winner == "b", "and does not underflow"
    even = 0.5 / 0.6931471805599453  # where exp(0.5 / T) is 2
    assert set(cisc(*cast, temperature=even).tied) == {"a", "b"}, "two are as heavy as one: a tie, not a winner"
    weights = dict(cisc(*cast, temperature=0.5).weights)
    total = 2 * exp(0.8) + exp(1.8)
    assert weights["b"] / sum(weights.values()) == pytest.approx(exp(1.8) / total)
    assert cisc(*cast, temperature=0.5).share == pytest.approx(exp(1.8) / total)


def test_sums_that_differ_by_rounding_are_a_tie() -> None:
    votes = Weighted().count([Ballot(answer="a", weight=w) for w in (0.1, 0.2)] + [Ballot(answer="b", weight=0.3)])
    assert votes.winner is None
    assert set(votes.tied) == {"a", "b"}


WEIGHTED: list[tuple[VoteRule, list[Ballot]]] = [
    (Weighted(heaviest=1.0), [Ballot(answer=a, weight=w) for a, w in product("abc", (0.25, 0.5, 1.0))]),
    (NormalizedLogprob(), [Ballot(answer=a, logprobs=(p,)) for a, p in product("abc", (-2.0, -0.5, 0.0))]),
    (CISC(0.4), [Ballot(answer=a, confidence=c) for a, c in product("abc", (0.0, 0.5, 1.0))]),
    (Majority(), [Ballot(answer=a) for a in ("a", "b", "c", None)]),
    (Borda(("a", "b", "c")), [ballot_of(ranking) for ranking in ("abc", "acb", "bac", "cba", "bca", "a", "")]),
    (Complexity(0.5), [Ballot(answer=a, steps=k) for a, k in product("abc", (1, 2, 3))]),
    (DeepConf(0.5), [Ballot(answer=a, confidence=c) for a, c in product("abc", (1.0, 2.0, 9.0))]),
]


@pytest.mark.parametrize(("rule", "kinds"), WEIGHTED, ids=[named(rule) for rule, _ in WEIGHTED])
@given(data=st.data())
@FEW
def test_stopping_any_vote_early_never_changes_its_winner(
    rule: VoteRule, kinds: list[Ballot], data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(st.sampled_from([*kinds, *kinds[:2] * 3, Ballot(), Ballot(failed=True)]), max_size=12))
    seen = 0
    while more := next_batch(rule.count(drawn[:seen]), len(drawn)):
        for fewer in range(more):
            assert not settled(rule.count([*drawn[:seen], *drawn[seen : seen + fewer]]), len(drawn))
        seen += more
    assert rule.count(drawn[:seen]).winner == rule.count(drawn).winner


def test_weights_without_a_bound_end_with_the_last_sample() -> None:
    votes = Weighted().count([Ballot(answer="a", weight=1.0)] * 9)
    assert not settled(votes, 10)
    assert next_batch(votes, 10) == 1
    assert settled(votes, 9)
    sure = CISC(0.1).count([Ballot(answer="a", confidence=1.0)] * 3 + [Ballot(answer="b", confidence=0.1)] * 3)
    assert settled(sure, 8), "3 votes to none: two more could not turn it"
    assert not settled(tally(["a", "a", "a", "b", "b", "b"]), 8)


def test_a_vote_with_too_many_samples_is_over() -> None:
    assert next_batch(tally(["a", "b", "a", "b"]), 3) == 0
    assert not settled(tally(["a", "b"]), 1)
