"""Confidence-informed self-consistency (CISC, arXiv:2502.06233): surer samples weigh more, within one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

from promptkit.algorithms.voting.ballot import Ballot, Need, weighed_by_log
from promptkit.algorithms.voting.tally import Tally
from promptkit.errors import BadInput

_COLDEST = 1e-6


@dataclass(frozen=True, slots=True)
class CISC:
    """Weights softmax(confidence / temperature) over the samples of one question (arXiv:2502.06233, section 3).

    A high temperature is the majority, a low one the single most confident sample. The confidence is P(True) of one
    more token, a verbal one, or a mean log-probability.
    """

    needs: ClassVar[Need] = "confidence"

    temperature: float = 1.0  # tuned for a model on other questions
    highest: float = 1.0  # the largest confidence there is: 1 for P(True), 100 for a verbal one, 0 for a logarithm

    def __post_init__(self) -> None:
        if not self.temperature >= _COLDEST:
            raise BadInput(
                f"the softmax temperature must be at least {_COLDEST:g}, not {self.temperature:g}",
                hint="e.g. 1; a high one is a plain majority",
            )

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The answers by summed weight."""
        for ballot in ballots:
            if ballot.confidence is not None and not (
                isfinite(ballot.confidence) and ballot.confidence <= self.highest
            ):
                raise BadInput(
                    f"a confidence of {ballot.confidence:g} cannot be used",
                    hint=f"it is a number of at most {self.highest:g}; None sets a sample aside",
                )
        logs = [None if b.confidence is None else b.confidence / self.temperature for b in ballots]
        return weighed_by_log(ballots, logs, highest=self.highest / self.temperature)
