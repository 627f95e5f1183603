"""The next token: how probable each is, what top-k, top-p, min-p and temperature leave of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Any, ClassVar

from promptkit.algorithms.decoding.distribution import Distribution, tied
from promptkit.algorithms.decoding.entropy import least_entropy
from promptkit.announced import ONE, Forecast
from promptkit.decoding.following import (
    Choice,
    bare,
    distribution,
    opening,
    refuse_untold,
    warn_of_packs,
)
from promptkit.decoding.shaping import Shape
from promptkit.errors import BadInput
from promptkit.events import Best, emit
from promptkit.sampling import ask
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class NextToken:
    """The likeliest token after a text; the detail has the distribution, and what is left of it under the rules."""

    bare: ClassVar[bool] = True  # no question that a small model could not answer: its next token is a fact

    top: int = 10  # tokens told
    temperature: float = 1.0  # above 1 flatter, below 1 steeper, 0 the likeliest alone
    top_k: int | None = None  # keep so many of the likeliest
    top_p: float | None = None  # keep the likeliest that have this mass together
    min_p: float | None = None  # keep those at least this times as probable as the likeliest
    heat_first: bool = False  # temperature before the cuts, as some engines do; llama.cpp cuts first
    chat: bool = False  # the first token of a reply to the text, instead of what goes on with it

    def __post_init__(self) -> None:
        if self.top < 1:
            raise BadInput(f"--top must be at least 1, not {self.top}", hint="e.g. --top 10")
        self.shape()

    def shape(self) -> Shape:
        """The rules tokens are drawn by."""
        return Shape(
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            min_p=self.min_p,
            heat_first=self.heat_first,
        )

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """One call, of one token."""
        refuse_untold(model, chat=self.chat)
        warn_of_packs(model, problem.text)
        request = opening(model, problem.text) if self.chat else bare(model, problem.text)
        told = distribution(await ask(model, request, where="next"), request.logprobs)
        first = told.tokens[0][0]
        emit(Best(first.text, told.tokens[0][1]))
        return Outcome(answer=first.text, confidence=told.tokens[0][1], detail=self.detail(told))

    def detail(self, told: Distribution[Choice]) -> dict[str, Any]:
        """What is known of the distribution, as JSON has it."""
        shape = self.shape()
        left, cuts = shape.of(told)
        shares = dict(left.tokens)
        rows, seen = [], 0.0
        for choice, p in told.tokens[: self.top]:
            seen += p
            drawn = shares.get(choice)
            rows.append({"text": choice.text, "id": choice.id, "p": p, "cumulative": min(seen, 1.0), "drawn": drawn})
        unseen = [p for _, p in told.tokens[self.top :]]
        kept = [choice for choice, p in left.tokens if p > 0]
        return {
            "tokens": rows,
            "told": len(told.tokens),
            "more": {"tokens": len(unseen), "p": fsum(unseen), "kept": max(0, len(kept) - _shown(rows))},
            "rest": 0.0 if told.whole else told.rest,
            "entropy_bits": least_entropy(told),
            "drawn_entropy_bits": least_entropy(left),
            "exact": told.whole,
            "rules": shape.told(),
            "kept": len(kept),
            "cuts": {name: {"kept": cut.kept, "tied": cut.tied, "open": cut.open} for name, cut in cuts.items()},
            "tie": [choice.text for choice in tied(told, 0)] if len(tied(told, 0)) > 1 else [],
        }

    def forecast(self, problem: Problem) -> Forecast:
        """One call."""
        return ONE


def _shown(rows: list[dict[str, Any]]) -> int:
    return sum(1 for row in rows if row["drawn"])
