"""A vote in one run: a ballot for every sample, in the order of the samples, and the tally of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from promptkit.algorithms.voting.ballot import Ballot, Majority, VoteRule
from promptkit.algorithms.voting.tally import Tally
from promptkit.announced import Forecast, exactly
from promptkit.balloting.sampled import Answers, Chains, Sampled, Source
from promptkit.types import Model, Problem, Strategy

NOTHING = exactly(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What is put to the vote, to whom, and what gives the samples: a strategy, or chains of the pack's template."""

    problem: Problem
    model: Model
    n: int
    temperature: float
    reply_tokens: int | None = None
    of: Strategy | None = None


class Count:
    """The count of one vote. This one knows all it needs from the samples themselves."""

    asks: ClassVar[bool] = False  # whether a round is counted only once the model was asked about it

    def __init__(self, poll: Poll, rule: VoteRule | None = None, *, logprobs: int = 0) -> None:
        self.poll = poll
        self.rule: VoteRule = rule or Majority()
        self.logprobs = logprobs
        self.came: list[Sampled] = []
        self.ballots: list[Ballot] = []

    def source(self) -> Source:
        """Where its samples come from."""
        poll = self.poll
        if poll.of is not None:
            return Answers(poll.of, poll.problem, poll.model)
        return Chains(
            poll.problem,
            poll.model,
            temperature=poll.temperature,
            reply_tokens=poll.reply_tokens,
            logprobs=self.logprobs,
        )

    def take(self, got: Sampled) -> None:
        """Count a sample in."""
        self.came.append(got)
        self.ballots.append(self.ballot(got))

    def ballot(self, got: Sampled) -> Ballot:
        """What a sample says, as far as it says it by itself."""
        return Ballot(answer=got.answer.key if got.answer else None, failed=got.error is not None)

    async def complete(self, fresh: Sequence[Sampled]) -> None:
        """Ask for what the samples of a round do not say by themselves; nothing here."""

    @property
    def votes(self) -> Tally:
        """The tally so far, by the rule."""
        return self.rule.count(self.ballots)

    @property
    def passing(self) -> Tally:
        """The tally while a round comes in, before anything further is known of its samples."""
        return self.votes

    @property
    def answers(self) -> list[str | None]:
        """The answers of all samples, as a stopping rule reads them."""
        return [None if ballot.failed else ballot.answer for ballot in self.ballots]

    def voters(self, n: int) -> int:
        """How many votes there will be at most."""
        return n

    def shown(self, key: str) -> str:
        """An answer as the first sample with it wrote it."""
        return next((got.answer.shown for got in self.came if got.answer and got.answer.key == key), key)

    def text(self, key: str) -> str:
        """The first sample with that answer, in full."""
        return next((got.text for got in self.came if got.answer and got.answer.key == key), "")

    def backers(self, key: str) -> list[int]:
        """The samples whose answer it is, those that were ended aside."""
        every = zip(self.came, self.ballots, strict=True)
        return [got.index for got, ballot in every if ballot.answer == key and not ballot.cut]


class Asking(Count):
    """A count that asks the model about every round; until then the samples are counted by heads."""

    asks = True

    @property
    def passing(self) -> Tally:
        """The tally by heads: nothing further is known yet."""
        return Majority().count(self.ballots)


class Way(Protocol):
    """A way to vote, with its parameters: what a name in the table VOTES stands for."""

    heads: ClassVar[bool]  # one sample, one vote: what a stopping rule counts
    settles: ClassVar[bool]  # whether it can be settled before all samples are in
    takes_of: ClassVar[bool]  # whether the samples may be answers of another strategy

    def opened(self, poll: Poll) -> Count:
        """The count of one run."""
        ...

    def further(self, n: int) -> Forecast:
        """What it asks of the model beside n samples."""
        ...
