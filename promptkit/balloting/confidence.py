"""Votes that weigh as much as the model believes in each sample, asked in a further call (CISC, arXiv:2502.06233)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from promptkit import prompts
from promptkit.algorithms.voting.cisc import CISC
from promptkit.announced import Forecast
from promptkit.balloting.count import Asking, Count, Poll
from promptkit.balloting.sampled import Sampled
from promptkit.decisions import TOP, Decision, decide_all
from promptkit.errors import BadInput
from promptkit.events import Substituted, emit_once
from promptkit.sampling import Sample, ask_all
from promptkit.types import Completion, Request, message

How = Literal["p-true", "verbal"]

_OF_100 = tuple(map(str, range(101)))


@dataclass(frozen=True, slots=True)
class ByBelief:
    """Each vote weighs softmax(confidence / temperature), within one question (arXiv:2502.06233, section 3)."""

    heads: ClassVar[bool] = False
    settles: ClassVar[bool] = True
    takes_of: ClassVar[bool] = True

    temperature: float = 1.0  # tuned for a model on other questions; a high one is the majority
    ask: How | None = None  # P(True) of one token, or a number from 0 to 100 in words; default: by what the model tells

    def __post_init__(self) -> None:
        CISC(self.temperature)
        if self.ask not in (None, "p-true", "verbal"):
            raise BadInput(f"no confidence {self.ask!r}", hint="p-true or verbal")

    def opened(self, poll: Poll) -> Count:
        """The count of one run."""
        told = poll.model.capabilities.logprobs
        if self.ask == "p-true" and not told:
            raise BadInput(f"{poll.model.id} tells no log-probabilities to read P(True) from", hint="cisc(ask=verbal)")
        if self.ask is None and not told:
            emit_once(Substituted("P(True)", "a confidence from 0 to 100 in words"))
        return _Believed(poll, CISC(self.temperature), "p-true" if told and self.ask != "verbal" else "verbal")

    def further(self, n: int) -> Forecast:
        """A call for each readable sample; in words perhaps one more, held to the numbers."""
        return Forecast(0, None, n if self.ask == "p-true" else 2 * n)


class _Believed(Asking):
    def __init__(self, poll: Poll, rule: CISC, how: How) -> None:
        super().__init__(poll, rule)
        self._how = how

    async def complete(self, fresh: Sequence[Sampled]) -> None:
        """The confidence in each readable sample, in one round; one that cannot be read sets its sample aside."""
        asked = [got for got in fresh if got.answer and not got.error]
        if not asked:
            return
        where = f"confidence-{fresh[0].index}"
        template = prompts.pack(self.poll.problem.pack).template("p-true" if self._how == "p-true" else "confidence")
        requests = [self._request(got, template) for got in asked]
        needed = all(ballot.confidence is None for ballot in self.ballots)  # a round may be of one call, and lost
        if self._how == "p-true":
            replies = await ask_all(self.poll.model, requests, where=where, quorum=0.0 if needed else None)
            found = [_belief(each) for each in replies]
        else:
            pack = self.poll.problem.pack
            made = await decide_all(self.poll.model, requests, _OF_100, where=where, needed=needed, pack=pack)
            found = [_said(each) for each in made]
        for got, confidence in zip(asked, found, strict=True):
            self.ballots[got.index] = replace(self.ballots[got.index], confidence=confidence)

    def _request(self, got: Sampled, template: prompts.Prompt) -> Request:
        """The sample's own conversation, then the question: what was asked and said is a prefix the provider knows."""
        asked = template.request({}, logprobs=TOP if self._how == "p-true" else None)
        turns = (*got.turns, message("assistant", got.text), *asked.messages)
        return replace(asked, messages=turns)


def _belief(got: Sample) -> float | None:
    """P("1") against P("0") of the first token; None when it begins neither."""
    return None if got.completion is None else p_true(got.completion)


def p_true(completion: Completion) -> float | None:
    """The probability of "1" among "1" and "0" in the first token; None when neither is among the likeliest."""
    token = next((token for token in completion.logprobs if token.text.strip()), None)
    if token is None:
        return None
    weights = {"1": 0.0, "0": 0.0}
    for text, logprob in dict(((token.text, token.logprob), *token.top)).items():
        if (word := text.strip()) in weights and math.isfinite(logprob):
            weights[word] += math.exp(min(logprob, 0.0))
    total = sum(weights.values())
    return weights["1"] / total if total > 0 else None


def _said(made: Decision) -> float | None:
    return None if made.verdict is None else int(made.verdict) / 100
