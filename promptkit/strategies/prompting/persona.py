"""The persona pattern: the model is told who answers, before everything else (arXiv:2302.11382).

A layer: the strategy inside makes its calls as ever, and each of them, a judge's too, begins with a system message
that says who the model is; a template's own system message follows in the same turn, for servers that take only one.
What is known of it is that it changes the manner of a reply, not how often it is right (arXiv:2311.10054).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, cast

from promptkit import prompts
from promptkit.announced import About, Forecast, forecast, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.events import span
from promptkit.types import Capabilities, Completion, Message, Model, Outcome, Problem, Request, Strategy, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Let another strategy answer as somebody: a terse physicist, a patient teacher."""

    about: ClassVar[About] = About(
        calls="those of the strategy inside",
        helps="tone, vocabulary and length are to be somebody's (the persona pattern, arXiv:2302.11382)",
        fails="being right: on factual questions personas do no better than none (arXiv:2311.10054)",
    )

    who: str  # who answers, as in "You are …": a terse physicist
    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that answers as this persona

    def __post_init__(self) -> None:
        if not self.who.strip():
            raise BadInput("--who is empty", hint='e.g. --who "a terse physicist"')
        object.__setattr__(self, "of", inner(self.of or "cot"))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The outcome of the strategy inside, every call of it made by the persona."""
        template = prompts.pack(problem.pack).template("persona")
        said = template.render(who=self.who.strip().rstrip("."))[0].text
        with span("persona"):  # not one of a strategy inside: its best answers are the run's as they come
            return await self._inner.solve(problem, _Somebody(model, said))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return forecast(self._inner, problem)

    def within(self, problem: Problem, samples: int) -> Persona | None:
        """With the largest strategy inside that takes at most so many."""
        smaller = within(self._inner, problem, samples)
        return replace(self, of=smaller) if smaller else None

    @property
    def _inner(self) -> Strategy:
        return cast(Strategy, self.of)


@dataclass(frozen=True, slots=True)
class _Somebody:
    """A model that is told who it is at the beginning of every request."""

    inner: Model
    said: str

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def complete(self, request: Request, /) -> Completion:
        return await self.inner.complete(replace(request, messages=self._first(request.messages)))

    def _first(self, turns: tuple[Message, ...]) -> tuple[Message, ...]:
        if turns and turns[0].role == "system":
            return message("system", f"{self.said}\n\n{turns[0].text}"), *turns[1:]
        return message("system", self.said), *turns
