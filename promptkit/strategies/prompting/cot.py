"""Chain of thought: reasoning first, then the answer (arXiv:2201.11903; zero-shot form arXiv:2205.11916).

The zero-shot paper makes two calls: the first brings the reasoning, the second is the first with its reply and
"Therefore, the answer is". Models that follow instructions write the answer in the first, so the second is an option:
`extract="always"` is the paper's form, `"unread"` asks again only where the first reply does not say what its answer
is. The first call is the same with all and with none of them, so what the journal has of it serves again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from promptkit import prompts
from promptkit.announced import ONE, Forecast, exactly
from promptkit.errors import BadInput
from promptkit.exchange import answer_to, marked, put, reader_of
from promptkit.types import Model, Outcome, Problem, Request, message


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOfThought:
    """Reason step by step in one reply, and read the answer at its end."""

    extract: Literal["never", "unread", "always"] | None = None  # when to ask for the answer once more; default: never
    temperature: float | None = None  # sampling temperature of the chain; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        if self.extract not in (None, "never", "unread", "always"):
            wanted = "--extract must be never, unread or always"
            raise BadInput(f"{wanted}, not {self.extract!r}", hint="e.g. --extract unread")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one chain of thought, or from what the model draws from it."""
        template = prompts.pack(problem.pack).template("cot")
        request = put(problem, template, temperature=self.temperature, max_tokens=self.reply_tokens)
        chain = await answer_to(request, problem, model, template)
        if not self._wanted(chain, reader_of(problem, prompts.pack(problem.pack), template)):
            return chain
        if not chain.text.strip():  # all of it was reasoning set aside: there is nothing to draw from
            return chain
        if problem.output_schema is not None:  # an output is held to its form, and mended, in the first call
            return chain
        return await self._extracted(problem, model, request, chain)

    def _wanted(self, chain: Outcome, reader: str) -> bool:
        """Whether the answer is asked for; the last sentence of a reply that marks none is not taken for one."""
        if self.extract == "unread":
            return chain.answer is None or not marked(reader, chain.text)
        return self.extract == "always"

    async def _extracted(self, problem: Problem, model: Model, request: Request, chain: Outcome) -> Outcome:
        """The second call's answer; the chain's own, if it had one, where the second reply cannot be read."""
        pack = prompts.pack(problem.pack)
        template = pack.template("extract")
        reader = reader_of(problem, pack, pack.template("cot"))
        asked = put(replace(problem, history=(), parts=()), template, {"reader": reader}, max_tokens=self.reply_tokens)
        turns = (*request.messages, message("assistant", chain.text), *asked.messages)
        drawn = await answer_to(
            replace(asked, messages=turns), replace(problem, reader=reader), model, template, index=1
        )
        text = f"{chain.text}\n\n{drawn.text}"
        if drawn.answer is None and chain.answer is not None:
            return replace(chain, text=text, detail={**chain.detail, "extracted": False})
        return replace(drawn, text=text, detail={**drawn.detail, "extracted": drawn.answer is not None})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        if self.extract == "always" and problem.output_schema is None:
            return exactly(2)
        return Forecast(1, None, 2) if self.extract == "unread" and problem.output_schema is None else ONE
