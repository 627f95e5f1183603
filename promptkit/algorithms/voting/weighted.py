"""Votes that weigh as much as their samples are likely, or as somebody says they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import ClassVar

from promptkit.algorithms.voting.ballot import Ballot, Need, weighed, weighed_by_log
from promptkit.algorithms.voting.tally import Tally
from promptkit.errors import BadInput

_ROUNDING = 1e-3  # a server may round the logarithm of a certain token to a little above 0


@dataclass(frozen=True, slots=True)
class Weighted:
    """Each vote weighs its ballot's `weight`, a verifier's or judge's score (voting verifier, arXiv:2206.02336)."""

    needs: ClassVar[Need] = "weight"

    heaviest: float = inf  # the largest weight there is, if there is one: it lets a vote end early

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The answers by summed weight."""
        for ballot in ballots:
            if ballot.weight is not None and ballot.weight > self.heaviest:
                raise BadInput(f"a weight of {ballot.weight:g} is above the largest, {self.heaviest:g}")
        return weighed(ballots, [ballot.weight for ballot in ballots], self.heaviest)


@dataclass(frozen=True, slots=True)
class NormalizedLogprob:
    """Each vote weighs exp(mean token log-probability), "weighted sum (normalized)" of arXiv:2203.11171, equation 1."""

    needs: ClassVar[Need] = "logprobs"

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The answers by summed weight; never by its average, which the paper finds far worse (table 1)."""
        return weighed_by_log(ballots, [_mean(ballot.logprobs) for ballot in ballots], highest=0.0)


def _mean(logprobs: Sequence[float]) -> float | None:
    if not logprobs:
        return None
    for logprob in logprobs:
        if not -inf < logprob <= _ROUNDING:  # NaN as well
            raise BadInput(f"{logprob:g} is no log-probability of a token that was written")
    return min(0.0, fsum(logprobs) / len(logprobs))
