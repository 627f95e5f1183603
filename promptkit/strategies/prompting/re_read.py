"""RE2: the question is read twice before it is answered (arXiv:2309.06275).

"Read the question again", and the question once more: a model that reads from left to right sees its beginning with
its end in mind. It says nothing about how the answer is reached, so any strategy can follow; the paper's is `cot`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, cast

from promptkit import prompts
from promptkit.announced import About, Forecast, forecast, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.exchange import handed_on, put
from promptkit.sampling import solve_one
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReRead:
    """Put the question twice, and let a strategy answer that."""

    about: ClassVar[About] = About(
        calls="those of --of",
        helps="reasoning: the paper finds gains on 14 data sets, with chain of thought and without (arXiv:2309.06275)",
        fails="a chat model that is asked at once, in a few of the paper's cases; a long question costs double",
    )

    of: Of = field(default="cot", metadata={"flag": str})  # strategy that answers the question put twice

    def __post_init__(self) -> None:
        if self.of is None:
            raise BadInput("--of names the strategy that answers the question put twice", hint="e.g. --of cot")
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The outcome of the strategy inside."""
        return handed_on(await solve_one(cast(Strategy, self.of), _twice(problem), model, where="re-read"))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return forecast(cast(Strategy, self.of), problem)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With a smaller strategy inside."""
        smaller = within(cast(Strategy, self.of), problem, samples)
        return replace(self, of=smaller) if smaller else None


def _twice(problem: Problem) -> Problem:
    """The problem, its question put twice; the puzzles of a pack with rules can be put once only."""
    pack = prompts.pack(problem.pack)
    if pack.world:
        raise BadInput(f"re-read puts a question twice; the puzzles of {pack.name} go as they are", hint="-P general")
    request = put(replace(problem, parts=(), history=()), pack.template("re-read"))
    return replace(problem, text=request.messages[-1].text)
