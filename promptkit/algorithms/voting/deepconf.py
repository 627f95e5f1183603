"""DeepConf (arXiv:2508.15260): confidence from the log-probabilities of the tokens; weak traces do not vote.

A token's confidence is high where the model had one token in mind. A trace is as strong as its windows of tokens: one
weak stretch of reasoning spoils what follows, and the mean over the whole trace hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil, floor, fsum, inf, isfinite
from typing import ClassVar

from promptkit.algorithms.voting.ballot import Ballot, Need, speaks, weighed
from promptkit.algorithms.voting.tally import Tally
from promptkit.errors import BadInput
from promptkit.weak import Trace as Trace
from promptkit.weak import token_confidence as token_confidence

WINDOW = 2048  # tokens in a group; 1024 where replies are shorter
TOP = 20  # log-probabilities a token, in the paper's code


def group_confidences(tokens: Sequence[float], window: int = WINDOW) -> tuple[float, ...]:
    """The mean of each window of tokens, in order; one group of all tokens where they are fewer."""
    if window < 1:
        raise BadInput(f"a window of {window} tokens holds none", hint=f"e.g. {WINDOW}")
    if not tokens:
        return ()
    width = min(window, len(tokens))
    sums = list(accumulate(tokens, initial=0.0))
    return tuple((sums[end] - sums[end - width]) / width for end in range(width, len(sums)))


def mean_confidence(tokens: Sequence[float]) -> float:
    """The mean over all tokens of a trace; 0 without tokens."""
    return fsum(tokens) / len(tokens) if tokens else 0.0


def tail_confidence(tokens: Sequence[float], window: int = WINDOW) -> float:
    """The mean over the last tokens, where the conclusion is (section 3.1); 0 without tokens."""
    return mean_confidence(tokens[-window:])


def lowest_group_confidence(tokens: Sequence[float], window: int = WINDOW) -> float:
    """The weakest group (section 3.1): what the online rule looks at; 0 without tokens."""
    return min(group_confidences(tokens, window), default=0.0)


def bottom_group_confidence(tokens: Sequence[float], window: int = WINDOW, part: float = 0.1) -> float:
    """The mean of the weakest tenth of the groups, at least one (section 3.1); 0 without tokens."""
    groups = sorted(group_confidences(tokens, window))
    return mean_confidence(groups[: max(1, floor(part * len(groups) + 1e-9))])


def threshold(confidences: Sequence[float], keep: float) -> float:
    """The confidence that the best part `keep` reaches: the percentile 100(1 - keep) of section 3.2, interpolated.

    Of lowest group confidences of some 16 whole traces it is what a further trace must not fall below.
    """
    if not 0 < keep <= 1:
        raise BadInput(
            f"the part of traces to keep must be above 0 and at most 1, not {keep:g}",
            hint="the paper's are 0.1 and 0.9",
        )
    if not confidences:
        return -inf
    ranked = sorted(confidences)
    at = (1 - keep) * (len(ranked) - 1)
    below, above = ranked[floor(at)], ranked[ceil(at)]
    return below + (above - below) * (at - floor(at))


@dataclass(frozen=True, slots=True)
class DeepConf:
    """The top part of the traces by confidence votes, each weighing its confidence (section 3.1, V(a)).

    Traces as confident as the last one kept are kept too.
    """

    needs: ClassVar[Need] = "confidence"

    keep: float = 0.9  # the paper's eta: 0.9 is its high, 0.1 its low

    def __post_init__(self) -> None:
        threshold((), self.keep)  # refuses what is no part

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The answers by summed confidence; the weaker traces are set aside."""
        known = [b.confidence for b in ballots if b.confidence is not None and speaks(b)]
        for confidence in known:
            if not isfinite(confidence):
                raise BadInput(f"a confidence of {confidence:g} cannot be used", hint="None sets a trace aside")
        least = threshold(known, self.keep)
        kept = [b.confidence if b.confidence is not None and b.confidence >= least else None for b in ballots]
        return replace(weighed(ballots, kept), heaviest=inf)  # stronger traces may come and put these aside


def consensus(votes: Tally, tau: float = 0.95) -> bool:
    """Whether the leader holds tau of all weight: after the warm-up no more is drawn then (section 3.2)."""
    total = fsum(weight for _, weight in votes.standing)
    return votes.winner is not None and votes.standing[0][1] >= tau * total
