"""Chain of thought: reasoning first, then the answer (arXiv:2201.11903; zero-shot form arXiv:2205.11916)."""

from __future__ import annotations

from dataclasses import dataclass

from promptkit.exchange import answer_once
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOfThought:
    """Reason step by step in one reply, and read the answer at its end."""

    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one chain of thought."""
        return await answer_once(problem, model, "cot", temperature=self.temperature, max_tokens=self.reply_tokens)

    def effort(self, problem: Problem) -> tuple[int, int | None]:
        """The fewest and the most samples it takes."""
        return 1, 1
