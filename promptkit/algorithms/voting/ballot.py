"""A sample as a voter, and what every rule of voting does with voters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, inf, isfinite
from sys import float_info
from typing import ClassVar, Literal, Protocol

from promptkit.algorithms.voting.tally import Tally, tally
from promptkit.errors import BadInput

Need = Literal["answer", "weight", "logprobs", "confidence", "steps", "ranking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """What one sample says: a canonical answer, or None when it could not be read, and what its vote may weigh."""

    answer: str | None = None
    failed: bool = False  # it never came
    cut: bool = False  # it was ended on purpose before it could answer: set aside, not unread
    weight: float | None = None  # as a verifier or a judge gave it
    logprobs: tuple[float, ...] = ()  # of the tokens it wrote
    confidence: float | None = None
    steps: int | None = None  # of its chain of thought
    ranking: tuple[tuple[str, ...], ...] = ()  # best first; answers in one group are tied; some may be missing


class VoteRule(Protocol):
    """A rule of voting. `needs` names what it reads of a ballot; a ballot without it is set aside, and counted so."""

    @property
    def needs(self) -> Need:
        """The field of a ballot it reads beside the answer."""
        ...

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The tally of the ballots."""
        ...


@dataclass(frozen=True, slots=True)
class Majority:
    """One sample, one vote (self-consistency, arXiv:2203.11171, section 2)."""

    needs: ClassVar[Need] = "answer"

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The tally of the answers."""
        return chosen(ballots, [True] * len(ballots))


def chosen(ballots: Sequence[Ballot], keep: Sequence[bool]) -> Tally:
    """The majority among the ballots to keep; the other readable ones are set aside."""
    unread, failed = _silent(ballots)
    votes = [b.answer for b, kept in zip(ballots, keep, strict=True) if kept and speaks(b)]
    return Tally(tally(votes).counts, unread, failed, aside=len(ballots) - len(votes) - unread - failed)


def weighed(ballots: Sequence[Ballot], weights: Sequence[float | None], heaviest: float = inf) -> Tally:
    """The answers by the sum of their weights; a ballot whose weight is None is set aside, one of 0 or NaN refused."""
    by_answer: dict[str, list[float]] = {}
    for ballot, weight in zip(ballots, weights, strict=True):
        if ballot.answer is None or not speaks(ballot) or weight is None:
            continue
        if not (isfinite(weight) and weight > 0):
            raise BadInput(
                f"a vote cannot weigh {weight:g}",
                hint="weights are above 0 and finite; None sets a sample aside, and says so",
            )
        by_answer.setdefault(ballot.answer, []).append(weight)
    heads = chosen(ballots, [weight is not None for weight in weights])
    # fsum rounds once, whatever the order: the same ballots in another order give the same sums
    sums = sorted(((answer, fsum(each)) for answer, each in by_answer.items()), key=lambda pair: -pair[1])
    return Tally(heads.counts, heads.unread, heads.failed, heads.aside, tuple(sums), heaviest)


def weighed_by_log(ballots: Sequence[Ballot], logs: Sequence[float | None], highest: float = inf) -> Tally:
    """weighed() by exp(log), scaled so that the heaviest vote weighs 1; `highest` bounds the log of any sample.

    Scaling changes no winner, and keeps the weights of a low temperature or of a long text from vanishing.
    """
    top = max((log for b, log in zip(ballots, logs, strict=True) if log is not None and speaks(b)), default=0.0)
    weights = [None if log is None else max(exp(log - top), float_info.min) for log in logs]
    room = highest - top
    return weighed(ballots, weights, heaviest=exp(room) if room < 700 else inf)


def speaks(ballot: Ballot) -> bool:
    """Whether a sample came, whole, with an answer that could be read."""
    return ballot.answer is not None and not ballot.failed and not ballot.cut


def _silent(ballots: Sequence[Ballot]) -> tuple[int, int]:
    failed = sum(b.failed for b in ballots)
    return sum(b.answer is None and not b.failed and not b.cut for b in ballots), failed
