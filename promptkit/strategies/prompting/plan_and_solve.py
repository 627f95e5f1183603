"""Plan-and-Solve: devise a plan, then carry it out (arXiv:2305.04091).

Zero-shot chain of thought with another sentence in the place of "Let's think step by step". `ps` is the paper's first,
`ps+` also asks to extract the variables, to calculate the intermediate ones with care, and to show the answer. Like the
paper's, its second call, which draws the answer from the first reply, is an option: see `cot`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from promptkit import prompts
from promptkit.announced import About, Forecast
from promptkit.errors import BadInput
from promptkit.exchange import put
from promptkit.prompting import extraction
from promptkit.types import Model, Outcome, Problem

TEMPLATES = {"ps": "plan-and-solve", "ps+": "plan-and-solve-plus"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAndSolve:
    """Devise a plan and carry it out in one reply, and read the answer at its end."""

    about: ClassVar[About] = About(
        calls="1, or 2 with --extract always",
        helps="arithmetic without examples: PS+ 76.7 where zero-shot CoT has 70.4, the mean of six data sets; GSM8K "
        "59.3 against 56.4 (arXiv:2305.04091)",
        fails="what was compared is one sentence with another on GPT-3; no evidence for models that plan by themselves",
    )

    trigger: Literal["ps", "ps+"] = "ps+"  # the paper's sentence: the plan alone, or with variables and care
    extract: Literal["never", "unread", "always"] | None = None  # when to ask for the answer once more; default: never
    temperature: float | None = None  # sampling temperature of the chain; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        if self.trigger not in TEMPLATES:
            raise BadInput(f"--trigger must be ps or ps+, not {self.trigger!r}", hint="e.g. --trigger ps+")
        extraction.check(self.extract)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one chain of thought, or from what the model draws from it."""
        template = prompts.pack(problem.pack).template(TEMPLATES[self.trigger])
        request = put(problem, template, temperature=self.temperature, max_tokens=self.reply_tokens)
        return await extraction.concluded(request, problem, model, template, self.extract, self.reply_tokens)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return extraction.samples(problem, self.extract)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """Without the second call."""
        return replace(self, extract="never")
