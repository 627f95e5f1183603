"""Chain of thought: reasoning first, then the answer (arXiv:2201.11903; zero-shot form arXiv:2205.11916).

The zero-shot paper makes two calls: the first brings the reasoning, the second is the first with its reply and
"Therefore, the answer is". Models that follow instructions write the answer in the first, so the second is an option:
`extract="always"` is the paper's form, `"unread"` asks again only where the first reply does not say what its answer
is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from promptkit import prompts
from promptkit.announced import About, Forecast
from promptkit.exchange import put
from promptkit.prompting import extraction
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOfThought:
    """Reason step by step in one reply, and read the answer at its end."""

    about: ClassVar[About] = About(
        calls="1, or 2 with --extract always",
        helps="arithmetic and multi-step questions: the baseline every vote and search starts from (arXiv:2205.11916)",
        fails="models that reason by themselves do so already; a single chain is often wrong where a vote over several "
        "is right: PaLM-540B on GSM8K 56.5 against 74.4 with 40 chains (arXiv:2203.11171)",
    )

    extract: Literal["never", "unread", "always"] | None = None  # when to ask for the answer once more; default: never
    temperature: float | None = None  # sampling temperature of the chain; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        extraction.check(self.extract)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one chain of thought, or from what the model draws from it."""
        template = prompts.pack(problem.pack).template("cot")
        request = put(problem, template, temperature=self.temperature, max_tokens=self.reply_tokens)
        return await extraction.concluded(request, problem, model, template, self.extract, self.reply_tokens)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return extraction.samples(problem, self.extract)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """Without the second call where one sample is all there is."""
        return replace(self, extract="never") if samples > 0 else None
