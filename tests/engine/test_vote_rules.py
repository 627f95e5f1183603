"""Counting votes, and stopping early without changing who wins."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stopping.curtailment import next_batch, settled
from promptkit.algorithms.voting.tally import Tally, tally

Vote = str | None  # None: a reply that could not be read; "!": a sample that failed
VOTES = st.lists(st.sampled_from(["a", "a", "b", "b", "c", None, "!"]), min_size=1, max_size=25)


def count(votes: list[Vote]) -> Tally:
    return tally([vote for vote in votes if vote != "!"], failed=votes.count("!"))


def played(votes: list[Vote]) -> tuple[Tally, list[int]]:
    """The vote as self-consistency plays it: batch by batch, until no further sample could matter."""
    seen: list[Vote] = []
    batches = []
    while more := next_batch(count(seen), len(votes)):
        seen += votes[len(seen) : len(seen) + more]
        batches.append(more)
    return count(seen), batches


def plurality(votes: list[Vote]) -> str | None:
    """The winner by counting everything: None for a shared lead."""
    counts = Counter(vote for vote in votes if vote not in (None, "!"))
    top = [answer for answer, n in counts.items() if n == max(counts.values())]
    return top[0] if len(top) == 1 else None


@given(VOTES)
@settings(max_examples=200, deadline=None)
def test_stopping_early_never_changes_the_winner(votes: list[Vote]) -> None:
    early, batches = played(votes)
    assert early.winner == plurality(votes) == count(votes).winner
    assert sum(batches) == early.seen <= len(votes)


@pytest.mark.parametrize("seats", [5, 6, pytest.param(7, marks=pytest.mark.slow)])
def test_nor_in_any_vote_of_so_many(seats: int) -> None:
    for votes in product(["a", "b", "c", None, "!"], repeat=seats):
        assert played(list(votes))[0].winner == plurality(list(votes))


@given(VOTES, st.integers(0, 25))
@settings(max_examples=200, deadline=None)
def test_a_batch_is_the_smallest_that_could_settle_the_vote(votes: list[Vote], more: int) -> None:
    n = len(votes) + more
    now = count(votes)
    batch = next_batch(now, n)
    assert 0 <= batch <= n - now.seen
    leader = now.counts[0][0] if now.counts else "a"
    for extra in range(batch):
        assert not settled(count([*votes, *[leader] * extra]), n), "a smaller batch could have ended it"
    if batch < n - now.seen or (batch and now.seen + batch < n):
        assert settled(count([*votes, *[leader] * batch]), n), "the batch can end it"
    assert (batch == 0) == (settled(now, n) or now.seen == n)


@given(VOTES, st.lists(st.sampled_from(["a", "b", "c", "d", None, "!"]), max_size=20))
@settings(max_examples=200, deadline=None)
def test_settled_means_that_nothing_can_change_it(votes: list[Vote], rest: list[Vote]) -> None:
    n = len(votes) + len(rest)
    if settled(count(votes), n):
        assert count([*votes, *rest]).winner == count(votes).winner is not None


@given(VOTES)
@settings(deadline=None)
def test_a_tally_drops_nothing(votes: list[Vote]) -> None:
    counted = count(votes)
    assert counted.seen == len(votes)
    assert dict(counted.counts) == Counter(vote for vote in votes if vote not in (None, "!"))
    assert counted.unread == votes.count(None)
    assert counted.failed == votes.count("!")
    assert [n for _, n in counted.counts] == sorted((n for _, n in counted.counts), reverse=True)
    assert counted.share == (counted.counts[0][1] / len(votes) if counted.counts else 0.0)


def test_equal_counts_keep_the_order_in_which_they_were_first_seen() -> None:
    assert tally(["b", "a", "c", "a", "b"]).counts == (("b", 2), ("a", 2), ("c", 1))
    assert tally(["b", "a", "c", "a", "b"]).tied == ("b", "a")


def test_an_empty_vote() -> None:
    empty = tally([])
    assert (empty.winner, empty.lead, empty.share, empty.tied, empty.seen) == (None, 0, 0.0, (), 0)
    assert [next_batch(empty, n) for n in (1, 2, 3, 10, 20)] == [1, 2, 2, 6, 11]
