"""Blocks of the prompt-pattern catalogue behind the question: a fact-check list, a recipe … (arXiv:2302.11382).

A layer: the strategy inside answers the question with one or more blocks of the pack `tricks` behind it. Each block
says what the contextual statements of its pattern say, for one question rather than for the rest of a conversation.
The catalogue describes what a pattern is for; it does not measure what it brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, cast

from promptkit.announced import About, Forecast, forecast, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.layering.amending import amended, refuse_puzzle
from promptkit.layering.blocks import LISTING, block
from promptkit.layering.inside import layer
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Let another strategy answer by a pattern of the catalogue: fact-check, recipe, cognitive-verifier …"""

    about: ClassVar[About] = About(
        calls="those of the strategy inside",
        helps="a reply has to contain something besides the answer: what to check, the steps, the alternatives "
        "(arXiv:2302.11382 describes each pattern on examples)",
        fails="being right: the catalogue measures nothing, and what is asked for beside an answer takes room from it",
    )

    use: Sequence[str] = field(metadata={"flag": list[str]})  # NAME or NAME:TEXT; repeatable
    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that answers by them

    def __post_init__(self) -> None:
        use = (self.use,) if isinstance(self.use, str) else tuple(self.use or ())
        if not use:
            raise BadInput("pattern needs a value for use", hint=f"--use fact-check\nlist them: {LISTING}")
        object.__setattr__(self, "use", use)
        object.__setattr__(self, "of", inner(self.of or "cot"))
        self._said()  # what is no block is known before anything is asked

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The outcome of the strategy inside on the question with the blocks behind it."""
        refuse_puzzle(problem, "pattern")
        with layer("pattern", self._inner):
            return await self._inner.solve(amended(problem, self._said()), model)

    def _said(self) -> str:
        return "\n\n".join(map(block, self.use))

    def resolved(self, problem: Problem) -> Pattern:
        """The same; BadInput where the question is a puzzle."""
        refuse_puzzle(problem, "pattern")
        return self

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return forecast(self._inner, problem)

    def within(self, problem: Problem, samples: int) -> Pattern | None:
        """With the largest strategy inside that takes at most so many."""
        smaller = within(self._inner, problem, samples)
        return replace(self, of=smaller) if smaller else None

    @property
    def _inner(self) -> Strategy:
        return cast(Strategy, self.of)
