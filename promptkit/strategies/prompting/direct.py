"""One call, no reasoning asked for: what every other strategy is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from promptkit.announced import About, Forecast, reply
from promptkit.exchange import answer_once
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Ask for the answer at once."""

    about: ClassVar[About] = About(
        calls="1",
        helps="questions of one step, models that reason by themselves, and as what everything else is compared with",
        fails="questions of several steps: GPT-4 on the Game of 24 solves 7.3 % at once (arXiv:2305.10601)",
    )

    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one reply."""
        return await answer_once(problem, model, "solve", temperature=self.temperature, max_tokens=self.reply_tokens)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return reply(problem)
