"""Votes that know all they need from the samples: by heads, by likelihood, by length, by confidence of the tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import ClassVar, Literal

from promptkit.algorithms.voting import deepconf
from promptkit.algorithms.voting.ballot import Ballot, Majority
from promptkit.algorithms.voting.complexity import Complexity, steps
from promptkit.algorithms.voting.weighted import NormalizedLogprob
from promptkit.announced import Forecast
from promptkit.balloting.count import NOTHING, Count, Poll
from promptkit.balloting.sampled import Sampled
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.types import Completion, Model
from promptkit.weak import confidence

Measure = Literal["lowest", "bottom", "tail", "mean"]


@dataclass(frozen=True, slots=True)
class ByHeads:
    """One sample, one vote (arXiv:2203.11171)."""

    heads: ClassVar[bool] = True
    settles: ClassVar[bool] = True
    takes_of: ClassVar[bool] = True

    def opened(self, poll: Poll) -> Count:
        """The count of one run."""
        return Count(poll, Majority())

    def further(self, n: int) -> Forecast:
        """Nothing."""
        return NOTHING


@dataclass(frozen=True, slots=True)
class ByLikelihood:
    """Each vote weighs exp(mean log-probability of its tokens) (arXiv:2203.11171, equation 1)."""

    heads: ClassVar[bool] = False
    settles: ClassVar[bool] = True
    takes_of: ClassVar[bool] = False

    def opened(self, poll: Poll) -> Count:
        """The count of one run; CapabilityMissing without log-probabilities."""
        return _Likely(poll, NormalizedLogprob(), logprobs=told(poll.model, "--vote weighted", 1))

    def further(self, n: int) -> Forecast:
        """Nothing."""
        return NOTHING


class _Likely(Count):
    def ballot(self, got: Sampled) -> Ballot:
        """With the log-probabilities of its tokens."""
        tokens = got.completion.logprobs if got.completion else ()
        return replace(super().ballot(got), logprobs=tuple(t.logprob for t in tokens if isfinite(t.logprob)))


@dataclass(frozen=True, slots=True)
class ByLength:
    """The majority among the chains with the most steps (arXiv:2210.00720)."""

    heads: ClassVar[bool] = False
    settles: ClassVar[bool] = False
    takes_of: ClassVar[bool] = True

    keep: float = 0.7  # part of the readable chains that votes

    def __post_init__(self) -> None:
        Complexity(self.keep)  # refuses what is no part

    def opened(self, poll: Poll) -> Count:
        """The count of one run."""
        return _Long(poll, Complexity(self.keep))

    def further(self, n: int) -> Forecast:
        """Nothing."""
        return NOTHING


class _Long(Count):
    def ballot(self, got: Sampled) -> Ballot:
        """With its steps."""
        return replace(super().ballot(got), steps=None if got.error else steps(got.text))


@dataclass(frozen=True, slots=True)
class ByConfidence:
    """The most confident traces vote, each weighing its confidence (arXiv:2508.15260, offline)."""

    heads: ClassVar[bool] = False
    settles: ClassVar[bool] = False
    takes_of: ClassVar[bool] = False

    keep: float = 0.9  # part of the traces that votes; the paper's are 0.9 and 0.1
    measure: Measure = "lowest"  # of a trace: its weakest window, weakest tenth of them, last window, or mean
    window: int = deepconf.WINDOW  # tokens

    def __post_init__(self) -> None:
        deepconf.DeepConf(self.keep)
        deepconf.group_confidences((), self.window)
        if self.measure not in ("lowest", "bottom", "tail", "mean"):
            raise BadInput(f"no measure {self.measure!r}", hint="lowest, bottom, tail or mean")

    def opened(self, poll: Poll) -> Count:
        """The count of one run; CapabilityMissing without log-probabilities."""
        return _Confident(poll, self, told(poll.model, "--vote deepconf", deepconf.TOP))

    def further(self, n: int) -> Forecast:
        """Nothing."""
        return NOTHING


class _Confident(Count):
    def __init__(self, poll: Poll, way: ByConfidence, logprobs: int) -> None:
        super().__init__(poll, deepconf.DeepConf(way.keep), logprobs=logprobs)
        self._way = way

    def ballot(self, got: Sampled) -> Ballot:
        """With the confidence of its trace."""
        tokens = confidences(got.completion) if got.completion else ()
        return replace(super().ballot(got), confidence=self._measured(tokens) if tokens else None)

    def _measured(self, tokens: tuple[float, ...]) -> float | None:
        window = self._way.window
        match self._way.measure:
            case "lowest":
                found = deepconf.lowest_group_confidence(tokens, window)
            case "bottom":
                found = deepconf.bottom_group_confidence(tokens, window)
            case "tail":
                found = deepconf.tail_confidence(tokens, window)
            case "mean":
                found = deepconf.mean_confidence(tokens)
        return found if found > 0 else None  # a vote cannot weigh nothing


def confidences(completion: Completion) -> tuple[float, ...]:
    """The confidence of each token that has log-probabilities beside it (arXiv:2508.15260, section 2)."""
    each = map(confidence, completion.logprobs)
    return tuple(sure for sure in each if sure is not None)


def told(model: Model, who: str, logprobs: int) -> int:
    """The log-probabilities to ask for; CapabilityMissing when the model tells none."""
    if not model.capabilities.logprobs:
        raise CapabilityMissing(
            f"{who} reads log-probabilities, and {model.id} does not tell them",
            hint="a GGUF file does: -m llamacpp:path/to/model.gguf\n"
            "or ask it how sure it is: promptkit run sc --vote cisc",
        )
    return logprobs
