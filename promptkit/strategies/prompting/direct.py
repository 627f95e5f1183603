"""One call, no reasoning asked for: what every other strategy is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from promptkit.announced import ONE, Forecast
from promptkit.exchange import answer_once
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Ask for the answer at once."""

    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one reply."""
        return await answer_once(problem, model, "solve", temperature=self.temperature, max_tokens=self.reply_tokens)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return ONE
