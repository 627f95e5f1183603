"""Lossless early stopping of a vote: stop when the leader cannot be caught any more."""

from __future__ import annotations

from promptkit.algorithms.voting.tally import Tally


def settled(votes: Tally, n: int) -> bool:
    """Whether the samples still to come (of n) cannot change the winner."""
    return votes.lead > n - votes.seen


def next_batch(votes: Tally, n: int) -> int:
    """The fewest further samples after which the vote of n could be settled: no smaller batch can end it.

    With lead d and r samples to come, j more for the leader settle it when d + j > r - j.
    """
    left = n - votes.seen
    return 0 if settled(votes, n) else min(left, (left - votes.lead) // 2 + 1)
