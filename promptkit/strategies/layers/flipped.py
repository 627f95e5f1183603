"""The flipped interaction pattern: the model asks, you answer, then what you wanted is written (arXiv:2302.11382).

"I would like you to ask me questions to achieve X. You should ask questions until condition Y is met": X is the
question's text, and Y has a type. It is a number of questions, and with `facts` a verdict of the model, held to yes or
no and never guessed, that each of them is known. Whoever answers may end the questions at any time. One question a
turn; every answer is kept the moment it is given, so that a run goes on where it was stopped and nobody is asked twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, cast

from promptkit import prompts
from promptkit.announced import VERDICT, About, Forecast, forecast, reply, within
from promptkit.asking import asked
from promptkit.composition import Of, inner
from promptkit.decisions import decide
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.exchange import answer_to, check_decoding, put
from promptkit.layering.amending import refuse_puzzle
from promptkit.layering.inside import layer
from promptkit.layering.questioning import Exchange, ended, next_question, turns_of
from promptkit.ranges import at_least
from promptkit.types import Model, Outcome, Problem, Request, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Flipped:
    """Let the model ask you, one question a turn, until it knows enough; then have written what you wanted."""

    about: ClassVar[About] = About(
        calls="q + 1 for q questions, q at most --questions; with --facts up to q verdicts more; one more for each "
        "reply that is not one question; with --of, the samples of the strategy inside in place of the 1",
        helps="you know what you want and not what has to be said for it: the model asks for what it lacks "
        "(the flipped interaction pattern, arXiv:2302.11382, which describes it on examples)",
        fails="questions that are complete already; the catalogue measures nothing, and a model may ask for what "
        "does not matter: --facts names what does",
    )
    asks: ClassVar[bool] = True

    questions: int = 6  # questions at most
    facts: Sequence[str] | None = field(  # ask until these are known, e.g. "budget, deadline"; repeatable
        default=None, metadata={"flag": list[str]}
    )
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that writes it; default: one reply, whole
    temperature: float | None = None  # sampling temperature; default: the templates'
    reply_tokens: int | None = None  # longest reply; default: the templates'

    def __post_init__(self) -> None:
        at_least(1, 6, questions=self.questions)
        given = (self.facts,) if isinstance(self.facts, str) else tuple(self.facts or ())
        facts = tuple(filter(None, dict.fromkeys(" ".join(fact.split()) for each in given for fact in each.split(","))))
        if given and not facts:
            raise BadInput("--facts is empty", hint='e.g. --facts "budget, deadline, audience"')
        check_decoding(self.temperature, self.reply_tokens)
        object.__setattr__(self, "facts", facts or None)
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """What is written from the answers; `detail` has the dialogue and what ended it."""
        refuse_puzzle(problem, "flipped")
        exchanges: list[Exchange] = []
        while not (why := await self._until(problem, model, exchanges)):
            turn = len(exchanges)
            request = turns_of(self._put(problem, "flipped-ask", facts=self.facts, most=self.questions), exchanges)
            question = await next_question(request, model, where=f"ask-{turn}", pack=problem.pack)
            if not question:
                emit(Warned("the model asks nothing: it is written from what is known"))
                why = "silence"
                break
            answer = await asked(question)
            if ended(answer):
                why = "you"
                break
            exchanges.append(Exchange(question, answer or ""))
        outcome = await self._written(problem, model, exchanges)
        told = {"asked": [[each.question, each.answer] for each in exchanges], "ended": why}
        return replace(outcome, detail={**outcome.detail, "flipped": told})

    async def _until(self, problem: Problem, model: Model, exchanges: Sequence[Exchange]) -> str:
        """What ends the questions here: their number, or the facts; "" when they go on."""
        if len(exchanges) >= self.questions:
            return "questions"
        if not self.facts:
            return ""
        request = self._put(problem, "flipped-enough", facts=self.facts, asked=exchanges)
        where = f"enough-{len(exchanges)}"
        (decision,) = await decide(model, request, ("yes", "no"), where=where, pack=problem.pack)
        if decision.verdict is None:
            emit(Warned("it could not be read whether the facts are known: the questions go on"))
        return "facts" if decision.verdict == "yes" else ""

    async def _written(self, problem: Problem, model: Model, exchanges: Sequence[Exchange]) -> Outcome:
        template = prompts.pack(problem.pack).template("flipped-write")
        if self._inner is None:
            request = self._put(problem, "flipped-write", asked=exchanges)
            return await answer_to(request, problem, model, template)
        said = template.render(question=problem.text, asked=exchanges)[-1].text
        with layer("write", self._inner):
            return await self._inner.solve(replace(problem, text=said), model)

    def _put(self, problem: Problem, name: str, **inputs: object) -> Request:
        template = prompts.pack(problem.pack).template(name)
        return put(problem, template, inputs, temperature=self.temperature, max_tokens=self.reply_tokens)

    def resolved(self, problem: Problem) -> Flipped:
        """The same; BadInput where the question is a puzzle."""
        refuse_puzzle(problem, "flipped")
        return self

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: none of the questions where you end them at once, two for each that is asked again."""
        writing = forecast(self._inner, problem) if self._inner else reply(problem)
        if not self.facts:
            return Forecast(1, self.questions, 2 * self.questions) + writing
        likely = min(len(self.facts), self.questions)  # a question a fact, and a look before each and behind the last
        looks = likely + (likely < self.questions)
        most = (2 + (VERDICT.most or 0)) * self.questions
        return Forecast(1, likely + looks, most) + writing

    def within(self, problem: Problem, samples: int) -> Flipped | None:
        """With fewer questions, and where one is too many with the largest strategy inside that leaves room for it."""
        writing = (forecast(self._inner, problem) if self._inner else reply(problem)).most
        each = 2 + (VERDICT.most or 0) if self.facts else 2
        if writing is not None and samples - writing >= each:
            return replace(self, questions=min(self.questions, (samples - writing) // each))
        smaller = within(self._inner, problem, samples - each) if self._inner else None
        return replace(self, questions=1, of=smaller) if smaller else None

    @property
    def _inner(self) -> Strategy | None:
        return cast("Strategy | None", self.of)
