"""Independent draws of one prompt, the very ones that `sc` votes over: what one has paid for is free to the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from promptkit.announced import Forecast, exactly
from promptkit.balloting.sampled import Chains, kept
from promptkit.events import Best, emit
from promptkit.ranges import at_least, warm
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """The commonest answer of n draws; what else they say is told from the journal."""

    n: int = 20  # draws
    template: str = "cot"  # of the pack
    temperature: float = 0.7  # above 0, or every draw is the same
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        at_least(2, 20, n=self.n)
        warm(self.temperature, "draws")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """All of them in one round; at least half must come back."""
        chains = Chains(problem, model, self.template, temperature=self.temperature, reply_tokens=self.reply_tokens)
        came = await chains.draw(range(self.n), lambda _: None)
        kept(came, 0.5)
        answers = Counter(each.answer.key for each in came if each.answer)
        failed = sum(each.error is not None for each in came)
        if not answers:
            return Outcome(answer=None, status="undecided", detail={"draws": self.n, "failed": failed})
        common, times = answers.most_common(1)[0]
        first = next(each for each in came if each.answer and each.answer.key == common)
        assert first.answer
        emit(Best(first.answer.shown, times / self.n, first.text))
        return Outcome(answer=first.answer.shown, text=first.text, confidence=times / self.n, detail={"failed": failed})

    def forecast(self, problem: Problem) -> Forecast:
        """A sample a draw."""
        return exactly(self.n)
