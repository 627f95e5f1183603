"""Be descriptive: what a question leaves open is assumed, and the assumptions are stated.

A layer: a linter looks for what the question does not say (audience, format, length, constraints, examples, context),
one call says which of these matter and what to assume of them, and the strategy inside answers the question with these
assumptions behind it. The question's own words stay as they are. Where nothing is missed, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, cast

from promptkit.announced import About, Forecast, forecast, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput, UnknownName
from promptkit.exchange import check_decoding
from promptkit.layering.amending import refuse_puzzle
from promptkit.layering.assuming import assumed, completed, lacking
from promptkit.layering.inside import layer
from promptkit.layering.lacking import KINDS, Finding
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptive:
    """Complete a vague question with stated assumptions, then let another strategy answer it."""

    about: ClassVar[About] = About(
        calls="0 or 1, and those of the strategy inside",
        helps="open questions whose answer depends on who reads it and what for; the assumptions are stated, so a "
        "wrong one can be seen",
        fails="questions with one short answer, which lack nothing that matters; no measurement is known to us that "
        "an assumption of the model's own makes it right more often",
    )

    known: Sequence[str] | None = field(
        default=None, metadata={"flag": list[str]}
    )  # what need not be assumed: audience …
    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that answers the completed question
    reply_tokens: int | None = None  # longest list of assumptions; default: the template's

    def __post_init__(self) -> None:
        known = (self.known,) if isinstance(self.known, str) else tuple(self.known or ())
        if wrong := next((each for each in known if each not in KINDS), None):
            error = UnknownName("thing to know", wrong, KINDS)
            raise BadInput(error.message, hint=error.hint)
        check_decoding(None, self.reply_tokens)
        object.__setattr__(self, "known", known or None)
        object.__setattr__(self, "of", inner(self.of or "cot"))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The outcome of the strategy inside; `detail` has what the question lacks and what is assumed."""
        refuse_puzzle(problem, "descriptive")
        with layer("descriptive", self._inner):
            lacks = self._lacks(problem)
            said = await assumed(problem, lacks, model, self.reply_tokens) if lacks else {}
            outcome = await self._inner.solve(completed(problem, said), model)
        told = {"lacks": [each.kind for each in lacks], "assumed": dict(said)}
        return replace(outcome, detail={**outcome.detail, "descriptive": told})

    def resolved(self, problem: Problem) -> Descriptive:
        """The same; BadInput where the question is a puzzle."""
        refuse_puzzle(problem, "descriptive")
        return self

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: one to complete the question, where it lacks something, and those inside."""
        once = int(bool(self._lacks(problem)))
        return Forecast(once, once, once) + forecast(self._inner, problem)

    def within(self, problem: Problem, samples: int) -> Descriptive | None:
        """With the largest strategy inside that leaves room for the call before it."""
        smaller = within(self._inner, problem, samples - int(bool(self._lacks(problem))))
        return replace(self, of=smaller) if smaller else None

    def _lacks(self, problem: Problem) -> tuple[Finding, ...]:
        return lacking(problem, self.known or ())

    @property
    def _inner(self) -> Strategy:
        return cast(Strategy, self.of)
