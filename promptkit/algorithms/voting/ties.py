"""A tie broken because somebody asked for it, and said so; a tally by itself never breaks one."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from promptkit.algorithms.voting.ballot import Ballot, speaks
from promptkit.algorithms.voting.tally import Tally


def broken(votes: Tally, ballots: Sequence[Ballot]) -> tuple[str | None, str]:
    """The winner with "", or of a tie the likeliest sample's answer, else the first drawn, with how it was broken."""
    if votes.winner is not None or not votes.tied:
        return votes.winner, ""
    spoken = [ballot for ballot in ballots if speaks(ballot) and ballot.answer in votes.tied]
    if spoken and all(ballot.logprobs for ballot in spoken):
        top = max(map(_mean, spoken))
        best = {ballot.answer for ballot in spoken if _mean(ballot) == top}
        if len(best) == 1:
            return best.pop(), "the likeliest sample"
    first = next((ballot.answer for ballot in spoken), votes.tied[0])
    return first, "the first sample drawn"


def _mean(ballot: Ballot) -> float:
    return fsum(ballot.logprobs) / len(ballot.logprobs)
