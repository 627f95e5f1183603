"""Drafts: what a strategy inside, or one reply to a template, comes to; one that is lost is counted, not dropped.

Every draft is made in a span of its own, so that its answer is not the run's before it was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from promptkit import composition, prompts
from promptkit.events import SampleRead, emit
from promptkit.exchange import answer_to, put
from promptkit.lazy import Lazy
from promptkit.sampling import Losing, loss, solve_all
from promptkit.types import Message, Model, Outcome, Problem, Strategy

Task = tuple[Strategy, Problem, Model]


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply to a template, as a strategy: read, mended and verified like any other."""

    name: ClassVar[str] = ""  # whoever shows the run shows the template's

    template: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    temperature: float | None = None  # default: the template's
    reply_tokens: int | None = None  # default: the template's
    before: tuple[Message, ...] = ()  # turns between the conversation so far and the template's

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from the reply."""
        template = prompts.pack(problem.pack).template(self.template)
        decoding = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        request = put(amended(problem, self.before), template, self.inputs, **decoding)
        return await answer_to(request, problem, model, template)


def amended(problem: Problem, turns: tuple[Message, ...]) -> Problem:
    """The problem with these turns behind its history."""
    return replace(problem, history=(*problem.history, *turns)) if turns else problem


def drafting(of: object, temperature: float | None = None) -> Strategy:
    """The strategy that drafts: the one that was given, else a chain of thought at that temperature."""
    return cast(Strategy, of) if of is not None else composition.made("cot", {"temperature": temperature})


async def drafted(
    tasks: Sequence[Task], *, where: str, each: Callable[[Outcome], None] | None = None, needed: bool = True
) -> list[Outcome]:
    """A draft for every task, in order; a lost one has status "error". If all are lost and `needed`, it raises."""

    def losing(index: int) -> Task:
        strategy, problem, model = tasks[index]
        return Losing(strategy), problem, model

    asked = Lazy(range(len(tasks)), losing)
    found = await solve_all(asked, where=where, each=each)
    errors = {index: error for index, draft in enumerate(found) if (error := loss(draft))}
    if needed and errors and len(errors) == len(found):
        raise errors[0]
    for index, error in errors.items():
        emit(SampleRead(index, None, "", str(error)))
    return found


def lost(draft: Outcome) -> bool:
    """Whether the call behind a draft failed."""
    return loss(draft) is not None
