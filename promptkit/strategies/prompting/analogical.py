"""Analogical prompting: the model recalls related problems and their solutions, then solves its own (arXiv:2310.01714).

One call: examples that fit the question, without anybody having written them. With `concepts` it begins with a short
tutorial on what the question is about. The answers of recalled problems are not the answer: it is read from what stands
under the last heading, or, where the model wrote none, from the last line alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.exchange import answer_in, formed, put
from promptkit.formed import ask_held
from promptkit.ranges import at_least
from promptkit.types import Model, Outcome, Problem

# With a number or not; what stands behind it on its line is a part of the solution.
_HEADING = re.compile(
    r"^[ \t#*_]*(?:\d[.)][ \t*_]*)?solve the initial problem\b[*_]*[:.]?[*_]*[ \t]*", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analogical:
    """Recall related problems with their solutions, then solve the question, in one reply."""

    about: ClassVar[About] = About(
        calls="1",
        helps="where worked examples would help and there are none: the paper finds it ahead of zero-shot CoT and of "
        "few-shot CoT with fixed examples, most of all on mathematics and code (arXiv:2310.01714)",
        fails="small models, which recall wrong solutions and follow them; the reply is several times as long",
    )

    exemplars: int = 3  # problems to recall; the paper takes 3 to 5
    concepts: bool = False  # begin with a short tutorial on the concepts behind the question
    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        at_least(1, "3, or: promptkit run cot", exemplars=self.exemplars)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from the end of one reply."""
        template = prompts.pack(problem.pack).template("analogical")
        inputs = {"exemplars": self.exemplars, "concepts": self.concepts}
        request = put(problem, template, inputs, temperature=self.temperature, max_tokens=self.reply_tokens)
        request = formed(request, problem, model, template)
        got = await ask_held(model, request, where=template.name)
        own = got if problem.output_schema is not None else replace(got, text=_own(got.text))
        return replace(await answer_in(own, request, problem, model, template), text=got.text)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return reply(problem)


def _own(text: str) -> str:
    """The part of a reply that is about the question itself."""
    headings = list(_HEADING.finditer(text))
    if headings:
        return text[headings[-1].end() :].strip()
    return text.strip().rpartition("\n")[2]
