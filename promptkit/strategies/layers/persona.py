"""The persona pattern: the model is told who answers, and for whom, before everything else (arXiv:2302.11382).

A layer: the strategy inside makes its calls as ever, and each of them, a judge's too, begins with a system message
that says who the model is and who listens; a template's own system message follows in the same turn, for servers that
take only one. What is known of it is that it changes the manner of a reply, not how often it is right
(arXiv:2311.10054).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, cast

from promptkit import prompts
from promptkit.announced import About, Forecast, forecast, within
from promptkit.around import Around
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.layering.inside import layer
from promptkit.types import Completion, Message, Model, Outcome, Problem, Request, Strategy, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Let another strategy answer as somebody, for somebody: a terse physicist, to a ten-year-old."""

    about: ClassVar[About] = About(
        calls="those of the strategy inside",
        helps="tone, vocabulary and length are to be somebody's (the persona pattern, arXiv:2302.11382)",
        fails="being right: on factual questions personas do no better than none (arXiv:2311.10054)",
    )

    who: str | None = None  # who answers, as in "You are …": a terse physicist
    audience: str | None = None  # who listens, as in "Assume that I am …": a ten-year-old
    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that answers as this persona

    def __post_init__(self) -> None:
        for name, said, example in (("who", self.who, "physicist"), ("audience", self.audience, "ten-year-old")):
            if said is not None and not said.strip():
                raise BadInput(f"--{name} is empty", hint=f'e.g. --{name} "a {example}"')
        if self.who is None and self.audience is None:
            hint = '--who "a terse physicist", --audience "a ten-year-old", or both'
            raise BadInput("persona needs a value for who or for audience", hint=hint)
        object.__setattr__(self, "of", inner(self.of or "cot"))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The outcome of the strategy inside, every call of it made by the persona."""
        with layer("persona", self._inner):
            return await self._inner.solve(problem, _Somebody(model, self._said(problem)))

    def _said(self, problem: Problem) -> str:
        """Who answers, then who listens."""
        pack = prompts.pack(problem.pack)
        named = {"persona": {"who": self.who}, "persona-audience": {"audience": self.audience}}
        return "\n".join(
            pack.template(name).render(**{key: said.strip().rstrip(".")})[0].text
            for name, given in named.items()
            for key, said in given.items()
            if said is not None
        )

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
class _Somebody(Around):
    """A model that is told who it is, and who listens, at the beginning of every request."""

    inner: Model
    said: str

    async def complete(self, request: Request, /) -> Completion:
        if request.raw is not None:
            raise BadInput("a bare text has no place for a persona", hint="--form document, or no persona")
        return await self.inner.complete(replace(request, messages=self._first(request.messages)))

    def _first(self, turns: tuple[Message, ...]) -> tuple[Message, ...]:
        if turns and turns[0].role == "system":
            return message("system", f"{self.said}\n\n{turns[0].text}"), *turns[1:]
        return message("system", self.said), *turns
