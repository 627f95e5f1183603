"""The worked examples of one question: chosen, guarded, given rationales, held to a budget, put in order."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit import examples as shelf
from promptkit import prompts
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.examples import Embedded, Example, Leakage, Order, Policy
from promptkit.exchange import world_of
from promptkit.prompting.demonstrations import chains, reasoned
from promptkit.prompting.embedding import calls, embedded
from promptkit.prompting.shots import said
from promptkit.sampling import Sample, hold, rng
from promptkit.types import Model, Problem

ROUNDS = 2  # of asking for rationales: those that end in a wrong answer are replaced once


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How the examples of a question are found."""

    n: int
    select: Policy
    order: Order | None
    tokens: int | None
    embed: str | None  # the model that likeness is by; None: the words
    variety: float
    leakage: Leakage
    rationale: bool
    generate: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, in its order, and what became of the others."""

    examples: tuple[Example, ...]
    left_out: tuple[Example, ...]  # for asking the question, or nearly
    asked: int | None = None  # for how many a rationale was asked; None where none is to be written
    kept: int = 0  # of those asked, how many ended in the right answer

    def told(self) -> dict[str, int]:
        """For the outcome's detail."""
        written = {} if self.asked is None else {"rationales_asked": self.asked, "rationales_right": self.kept}
        return {"examples": len(self.examples), "left_out": len(self.left_out), **written}


def picked(
    choice: Choice, held: Sequence[Example], problem: Problem, vectors: Embedded | None = None
) -> tuple[list[Example], list[Example]]:
    """The chosen ones, the most wanted first, and those left out for asking the question, or nearly."""
    world = world_of(prompts.pack(problem.pack), problem)
    key: Callable[[str], str] | None = (lambda text: world.key(world.start(text))) if world else None
    return shelf.chosen(
        choice.select,
        held,
        problem.text,
        choice.n,
        dice=lambda: _dice(problem),
        weight=1 - choice.variety,
        embedded=vectors,
        leak=shelf.guard(problem.text, key, choice.leakage),
    )


async def shown(
    choice: Choice,
    held: Sequence[Example],
    problem: Problem,
    model: Model,
    *,
    decoding: Mapping[str, Any],
) -> Shown:
    """The examples as they are shown."""
    vectors: Embedded | None = None
    if choice.embed is not None and held:
        vectors = await embedded(model, choice.embed, [each.question for each in held], problem.text)
    written: list[Sample] = []
    kept = 0
    wanted, left_out = picked(choice, held, problem, vectors)
    for attempt in range(ROUNDS if choice.generate else 0):
        if not (bare := [each for each in wanted if not each.rationale]):
            break
        questions = [each.question for each in bare]
        got = await chains(problem, questions, model, where=f"rationales-{attempt}", **decoding)
        written += got
        made = {id(each): reasoned(problem, each, chain) for each, chain in zip(bare, got, strict=True)}
        kept += sum(each is not None for each in made.values())
        held = [each for old in held if (each := made.get(id(old), old)) is not None]
        wanted, more = picked(choice, held, problem, vectors)
        left_out += more
    if choice.generate:
        wanted, more = picked(choice, [each for each in held if each.rationale], problem, vectors)
        left_out += more
    if written:
        hold(written, 0.0)
        if wrong := len(written) - kept:
            emit(Warned(f"{wrong} of {len(written)} rationales do not end in the example's answer and are not shown"))
    refuse_bare(choice, wanted)
    wanted = _fitted(choice, wanted, problem)
    order = choice.order or shelf.usual(choice.select)
    dice = rng(problem, f"order of the examples of {problem.text}")  # others than those that chose
    final = shelf.ordered(order, choice.select, wanted, held, problem.text, dice)
    once = {id(each): each for each in left_out}
    return Shown(tuple(final), tuple(once.values()), len(written) if choice.generate else None, kept)


def most(choice: Choice, held: Sequence[Example]) -> int:
    """The samples taken at most before the question is put."""
    bare = sum(not each.rationale for each in held)
    written = min(bare, ROUNDS * choice.n) if choice.generate else 0
    return written + (calls(len(held)) if choice.embed is not None and held else 0)


def refuse_bare(choice: Choice, wanted: Sequence[Example]) -> None:
    """BadInput where a rationale is to be shown, is not there, and is not to be written."""
    if choice.rationale and not choice.generate and (bare := next((e for e in wanted if not e.rationale), None)):
        hint = "add one to the example, let the model write it (--generate), or leave out --rationale"
        raise BadInput(f"{bare.origin}: no rationale", hint=hint)


def _fitted(choice: Choice, wanted: list[Example], problem: Problem) -> list[Example]:
    """As many as the budget has room for; that it is estimated is said."""
    if choice.tokens is None:
        return wanted
    fit = shelf.fitting(
        wanted, lambda each: shelf.estimated(f"{each.question}\n{said(problem, each, choice.rationale)}"), choice.tokens
    )
    room = f"{choice.tokens} token{'s' if choice.tokens != 1 else ''}"
    told = f"{len(fit)} of {len(wanted)} examples fit into {room}, taken for {shelf.BYTES} bytes each"
    emit(Warned(told))
    return fit


def _dice(problem: Problem) -> random.Random:
    return rng(problem, f"examples of {problem.text}")
