"""Rephrase and respond: the model says the question in its own words before it answers it (arXiv:2311.04205).

In one call it does both. In two, the rephrased question is asked for alone, and put beside the original one, which
stays in view: a model that rephrases may change what is asked. Then any strategy can answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import ONE, About, Forecast, forecast, reply, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.exchange import answer_once, handed_on, put
from promptkit.prompting.subquestions import said
from promptkit.sampling import ask, solve_one
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Rephrase:
    """Rephrase and expand the question, then answer it: in one call, or in two with --two-calls or --of."""

    about: ClassVar[About] = About(
        calls="1; 2 with --two-calls; 1 and the samples of --of",
        helps="questions that can be understood in two ways, as people ask them (arXiv:2311.04205)",
        fails="questions that are plain already; a weak model's rephrasing misleads, and a strong one may do it for it",
    )

    two_calls: bool = False  # rephrase in a call of its own
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that answers in two calls; default: cot
    temperature: float | None = None  # sampling temperature, but for --of; default: the templates'
    reply_tokens: int | None = None  # longest reply, but for --of; default: the templates'

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer to the question, which the model rephrased first."""
        decoding = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        answering = self._answering()
        if answering is None:
            return await answer_once(problem, model, "rephrase", **decoding)
        pack = prompts.pack(problem.pack)
        if pack.world:
            said_so = f"two calls rephrase a question; the puzzles of {pack.name} go as they are"
            raise BadInput(said_so, hint="leave out --two-calls and --of, or: -P general")
        request = put(problem, pack.template("rephrase-question"), **decoding)
        rephrased = said(await ask(model, request, where="rephrase-question"))
        if rephrased is None:
            emit(Warned("no rephrased question could be read: the original is answered alone"))
            both = problem
        else:
            plain, template = replace(problem, parts=(), history=()), pack.template("rephrase-both")
            both = replace(problem, text=put(plain, template, {"rephrased": rephrased}).messages[-1].text)
        outcome = await solve_one(answering, both, model, where="respond")
        return handed_on(outcome, {"rephrased": rephrased})

    def _answering(self) -> Strategy | None:
        """The strategy of the second call; None where there is one call."""
        if self.of is None and not self.two_calls:
            return None
        if self.of is None:
            decoding = {"temperature": self.temperature, "reply_tokens": self.reply_tokens}
            return inner({"strategy": "cot", "params": decoding})
        return inner(self.of)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        answering = self._answering()
        return ONE + forecast(answering, problem) if answering else reply(problem)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With a smaller strategy in the second call; in one call where two are too many."""
        smaller = within(self.of, problem, samples - 1) if isinstance(self.of, Strategy) else None
        return replace(self, of=smaller) if smaller else replace(self, of=None, two_calls=False)
