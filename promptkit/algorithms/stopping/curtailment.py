"""Lossless early stopping of a vote: stop when the leader cannot be caught any more."""

from __future__ import annotations

from bisect import bisect_left

from promptkit.algorithms.voting.tally import Tally, even


def settled(votes: Tally, n: int) -> bool:
    """Whether the samples still to come (of n) cannot change the winner."""
    left = n - votes.seen
    if left <= 0:
        return votes.winner is not None
    first, second = _top(votes)
    return _ahead(first, second + left * votes.heaviest)


def next_batch(votes: Tally, n: int) -> int:
    """The fewest further samples after which the vote of n could be settled: no smaller batch can end it.

    With lead d and r samples to come, j more for the leader settle it when d + j w > (r - j) w, w the heaviest vote.
    """
    left = n - votes.seen
    if left <= 0 or settled(votes, n):
        return 0
    first, second = _top(votes)

    def could(more: int) -> bool:
        return _ahead(first + more * votes.heaviest, second + (left - more) * votes.heaviest)

    return 1 + bisect_left(range(1, left), True, key=could)


def _top(votes: Tally) -> tuple[float, float]:
    first, second = ([amount for _, amount in votes.standing[:2]] + [0, 0])[:2]
    return first, second


def _ahead(first: float, reach: float) -> bool:
    return first > reach and not even(first, reach)
