"""Votes that are more than counting: longest chains, clusters, shuffled letters, rankings, picks, weak traces."""

from __future__ import annotations

import random
from collections import Counter
from itertools import permutations
from math import inf, log
from statistics import fmean, quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.voting import deepconf
from promptkit.algorithms.voting.ballot import Ballot
from promptkit.algorithms.voting.borda import Borda, ballot_of
from promptkit.algorithms.voting.choice_shuffle import shown, shuffles, unshuffled
from promptkit.algorithms.voting.cisc import CISC
from promptkit.algorithms.voting.cluster import Cluster, closure, clusters
from promptkit.algorithms.voting.complexity import Complexity, steps
from promptkit.algorithms.voting.deepconf import DeepConf, Trace, consensus, threshold
from promptkit.algorithms.voting.tally import tally
from promptkit.algorithms.voting.universal import both_orders, picked, universal
from promptkit.errors import BadInput

FEW = settings(max_examples=25, deadline=None)


def chains(*each: tuple[str, int]) -> list[Ballot]:
    return [Ballot(answer=answer, steps=n) for answer, n in each]


def test_the_longest_chains_decide() -> None:
    cast = chains(("a", 2), ("a", 2), ("a", 3), ("b", 8), ("b", 9))
    votes = Complexity(0.4).count(cast)
    assert (votes.winner, votes.counts, votes.aside) == ("b", (("b", 2),), 3)
    assert Complexity(1.0).count(cast).winner == "a"
    assert Complexity(0.7).count([*cast, Ballot()]).unread == 1


def test_chains_as_long_as_the_last_one_kept_are_kept() -> None:
    votes = Complexity(0.5).count(chains(("a", 5), ("b", 5), ("b", 5), ("c", 1)))
    assert (votes.counts, votes.aside) == ((("b", 2), ("a", 1)), 1)


def test_steps_are_lines_that_say_something() -> None:
    assert steps("First.\n\n  \nSecond.\r\nThird.") == 3
    assert steps("") == 0


def test_answers_that_mean_the_same_are_one() -> None:
    near = Cluster(lambda a, b: abs(float(a) - float(b)) < 0.15)
    votes = near.count([Ballot(answer=answer) for answer in ("1.0", "1.1", "1.2", "5", "5", None)])
    assert (votes.winner, votes.counts) == ("1.0", (("1.0", 3), ("5", 2))), "1.0 and 1.2 by way of 1.1"
    assert votes.unread == 1


def test_a_cluster_goes_by_its_most_frequent_wording() -> None:
    same = Cluster(lambda a, b: a.casefold() == b.casefold())
    cast = ["PARIS", "Paris", "Paris", "lyon"]
    for order in permutations(cast):
        assert same.count([Ballot(answer=answer) for answer in order]).winner == "Paris"
    assert same.count([Ballot(answer=answer) for answer in ("ab", "AB")]).winner == "AB"


def test_one_direction_is_not_enough() -> None:
    """A dog is an animal, an animal need not be a dog: entailment has to hold both ways."""
    assert clusters(["dog", "animal"], lambda a, b: (a, b) != ("animal", "dog")) == (("dog",), ("animal",))


def test_clusters_can_weigh() -> None:
    rule = Cluster(lambda a, b: a.casefold() == b.casefold(), CISC(0.1))
    assert rule.needs == "confidence"
    cast = [("x", 0.1), ("X", 0.1), ("y", 0.9)]
    assert rule.count([Ballot(answer=a, confidence=c) for a, c in cast]).winner == "y"


@given(st.integers(1, 8), st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8), st.randoms())
@FEW
def test_the_closure_is_one_whatever_the_order_of_its_pairs(
    size: int, links: set[tuple[int, int]], rng: random.Random
) -> None:
    words = [str(at) for at in range(size)]
    pairs = [(str(a), str(b)) for a, b in links if a < size and b < size]
    mixed = [pair if rng.random() < 0.5 else pair[::-1] for pair in rng.sample(pairs, len(pairs))]
    groups = closure(words, pairs)
    assert closure(words, mixed) == groups
    assert sorted(word for group in groups for word in group) == words
    assert all(any(a in group and b in group for group in groups) for a, b in pairs)


def test_letters_go_back_to_where_they_were() -> None:
    options = ("red", "green", "blue")
    for order in shuffles(3, 6, seed=1):
        for letter, option in zip("ABC", shown(options, order), strict=True):
            assert options["ABC".index(unshuffled(letter, order) or "")] == option
    for stray in ("D", "", "a", "AB", None):
        assert unshuffled(stray, (2, 0, 1)) is None


def test_a_model_that_always_says_a_agrees_with_nobody() -> None:
    """What shuffling is for: a preference for a place spreads over the options and wins nothing."""
    votes = tally(unshuffled("A", order) for order in shuffles(3, 6))
    assert votes.winner is None
    assert set(dict(votes.counts)) == {"A", "B", "C"}


def test_no_order_comes_twice_before_all_have_come() -> None:
    orders = shuffles(3, 15, seed=4)
    assert orders[0] == (0, 1, 2)
    assert [max(Counter(orders[: 6 * k]).values()) for k in (1, 2)] == [1, 2]
    assert shuffles(3, 15, seed=4) == orders != shuffles(3, 15, seed=5)
    assert len(set(shuffles(9, 20))) == 20
    assert shuffles(1, 3) == ((0,),) * 3
    with pytest.raises(BadInput, match="lettered"):
        shuffles(27, 1)


def ranked(*rankings: str, **options: object) -> dict[str, float]:
    return dict(Borda(**options).count([ballot_of(ranking) for ranking in rankings]).weights)  # type: ignore[arg-type]


def test_the_borda_count_of_the_textbook() -> None:
    """Tennessee: 42 for Memphis, 26 Nashville, 15 Chattanooga, 17 Knoxville; Nashville has 194 points."""
    rankings = ["MNCK"] * 42 + ["NCKM"] * 26 + ["CKNM"] * 15 + ["KCNM"] * 17
    assert ranked(*rankings) == {"N": 194, "C": 173, "M": 126, "K": 107}
    votes = Borda().count([ballot_of(ranking) for ranking in rankings])
    assert (votes.winner, votes.counts[0]) == ("N", ("M", 42)), "the most first places lose"


def test_tied_places_are_shared() -> None:
    tied = Borda().count([Ballot(ranking=(("a",), ("b", "c"), ("d",)))])
    assert dict(tied.weights) == {"a": 3, "b": 1.5, "c": 1.5, "d": 0}
    both = Borda().count([Ballot(ranking=(("a", "b"), ("c",)))])
    assert (both.winner, both.tied, both.aside, both.seen) == (None, ("a", "b"), 1, 1)


def test_what_is_left_out_shares_the_last_places_or_gets_nothing() -> None:
    assert ranked("abcd", "d") == {"a": 4, "b": 3, "c": 2, "d": 3}
    assert ranked("abcd", "d", unranked="zero") == {"a": 3, "b": 2, "c": 1, "d": 3}


def test_a_ranking_that_cannot_be_meant_is_unread() -> None:
    rule = Borda(candidates=("a", "b"))
    votes = rule.count([ballot_of("ab"), ballot_of("aba"), ballot_of("az"), ballot_of(""), Ballot(failed=True)])
    assert (votes.counts, votes.unread, votes.failed) == ((("a", 1),), 3, 1)
    assert dict(votes.weights) == {"a": 1, "b": 0}


@given(st.lists(st.permutations("abcd").map("".join), min_size=1, max_size=6), st.randoms())
@FEW
def test_a_ballot_gives_the_same_points_however_long_it_is(rankings: list[str], rng: random.Random) -> None:
    cut = [ranking[: rng.randint(1, 4)] for ranking in rankings]
    votes = Borda(candidates=tuple("abcd")).count([ballot_of(ranking) for ranking in cut])
    assert sum(points for _, points in votes.weights) == pytest.approx(6 * len(cut))


def test_picks_in_both_orders_must_agree() -> None:
    answers = ["18", "20", "18", None]
    forward, backward = both_orders(4)
    assert (forward, backward) == ((0, 1, 2, 3), (3, 2, 1, 0))
    assert universal(answers, [forward, backward], [0, 1]).winner == "18", "other samples, one answer"
    biased = universal(answers, [forward, backward], [1, 1])
    assert (biased.winner, biased.tied) == (None, ("20", "18")), "always the same place: a tie, and it shows"
    stray = universal(answers, [forward, backward], [0, 12], failed=1)
    assert (stray.winner, stray.unread, stray.failed, stray.seen) == ("18", 1, 1, 3)
    assert universal(answers, [forward, backward], [3, None]).unread == 2
    assert picked(forward, -1) is None, "and not the last"


def test_confidence_is_high_where_one_token_is_likely() -> None:
    sure = [log(0.97), *[log(0.01)] * 3]
    torn = [log(0.25)] * 4
    assert deepconf.token_confidence(sure) > deepconf.token_confidence(torn) == pytest.approx(log(4))
    for bad in ([], [0.0, -inf]):
        with pytest.raises(BadInput, match="finite"):
            deepconf.token_confidence(bad)


@given(st.lists(st.floats(0, 20), min_size=1, max_size=40), st.integers(1, 12))
@FEW
def test_groups_are_windows_and_scores_are_made_of_them(tokens: list[float], window: int) -> None:
    width = min(window, len(tokens))
    groups = [fmean(tokens[at : at + width]) for at in range(len(tokens) - width + 1)]
    near = pytest.approx
    assert deepconf.group_confidences(tokens, window) == near(groups, abs=1e-9)
    assert deepconf.lowest_group_confidence(tokens, window) == near(min(groups), abs=1e-9)
    weakest = sorted(groups)[: max(1, len(groups) // 10)]
    assert deepconf.bottom_group_confidence(tokens, window) == near(fmean(weakest), abs=1e-9)
    assert deepconf.tail_confidence(tokens, window) == near(fmean(tokens[-window:]))
    trace = Trace(least=-1.0, window=window)
    assert not any(trace.add(confidence) for confidence in tokens)
    assert trace.lowest == (near(min(groups), abs=1e-9) if len(tokens) >= window else inf)


def test_a_weak_stretch_is_seen_where_the_mean_hides_it() -> None:
    steady, slipped = [5.0] * 100, [6.0] * 90 + [0.5] * 10
    assert deepconf.mean_confidence(slipped) > deepconf.mean_confidence(steady)
    assert deepconf.lowest_group_confidence(slipped, 10) < deepconf.lowest_group_confidence(steady, 10)
    assert deepconf.tail_confidence(slipped, 10) == 0.5
    trace = Trace(least=3.0, window=10)
    ended = next(at for at, confidence in enumerate(slipped) if trace.add(confidence))
    assert 90 <= ended < 96, "ended in the middle of it"


def test_no_trace_ends_before_its_first_whole_group() -> None:
    trace = Trace(least=3.0, window=4)
    assert [trace.add(confidence) for confidence in (0.0, 0.0, 0.0, 0.0)] == [False, False, False, True]


@given(st.lists(st.floats(0, 30), min_size=2, max_size=30), st.sampled_from([10, 25, 50, 90]))
@FEW
def test_the_threshold_is_a_percentile(confidences: list[float], percent: int) -> None:
    cuts = quantiles(confidences, n=100, method="inclusive")
    assert threshold(confidences, percent / 100) == pytest.approx(cuts[100 - percent - 1], abs=1e-9)
    assert threshold(confidences, 1) == min(confidences)
    kept = sum(confidence >= threshold(confidences, percent / 100) for confidence in confidences)
    assert kept >= 1


def test_weak_traces_do_not_vote_and_strong_ones_weigh_more() -> None:
    cast = [("a", 3.0), ("a", 3.1), ("a", 3.2), ("b", 9.0), ("b", 9.5)]
    ballots = [Ballot(answer=answer, confidence=c) for answer, c in cast]
    assert DeepConf(1.0).count(ballots).winner == "b", "18.5 against 9.3"
    best = DeepConf(0.1).count(ballots)
    assert (best.counts, best.aside) == ((("b", 1),), 4)
    cut = DeepConf(0.9).count([*ballots, Ballot(cut=True, confidence=0.1)])
    assert (cut.seen, cut.unread, cut.aside) == (6, 0, 2), "a trace ended on purpose is not unread"


def test_consensus_is_by_weight() -> None:
    votes = DeepConf(1.0).count([Ballot(answer="a", confidence=19.0), Ballot(answer="b", confidence=1.0)])
    assert consensus(votes)
    assert not consensus(votes, tau=0.96)
    assert not consensus(tally([]))
    assert not consensus(tally(["a", "b"]), tau=0.5)
