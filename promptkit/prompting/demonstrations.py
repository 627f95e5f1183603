"""Worked examples a model makes itself: a chain of thought of its own for a question, kept only when it passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptkit import prompts
from promptkit.examples import Example
from promptkit.exchange import key_of, marked, put, read, reader_of, verified, world_of
from promptkit.sampling import Sample, ask_all
from promptkit.types import Model, Problem

STEPS = 5  # lines of a rationale at most, Auto-CoT's filter (arXiv:2210.03493)


async def chains(
    problem: Problem, questions: Sequence[str], model: Model, *, where: str, **decoding: Any
) -> list[Sample]:
    """A chain of thought for each question, asked as `cot` asks; failed ones are among them."""
    template = prompts.pack(problem.pack).template("cot")
    plain = replace(problem, parts=(), history=(), output_schema=None)
    requests = [put(replace(plain, text=text), template, **decoding) for text in questions]
    return await ask_all(model, requests, where=where, quorum=None)


def demonstration(problem: Problem, question: str, chain: Sample, *, steps: int | None = STEPS) -> Example | None:
    """The worked example in a chain of thought; None where it does not pass, or a program finds it wrong."""
    if chain.completion is None:
        return None
    pack = prompts.pack(problem.pack)
    asked = replace(problem, text=question, parts=(), output_schema=None)
    reader, text = reader_of(asked, pack, pack.template("cot")), chain.completion.text
    *lines, last = [line for line in text.splitlines() if line.strip()] or [""]
    if not lines or (steps is not None and len(lines) > steps) or not marked(reader, text):
        return None
    answer = read(reader, replace(chain.completion, text=last), chain.index)
    if answer is None or verified(world_of(pack, asked), asked, answer.shown) is False:
        return None
    return Example(question=question, answer=answer.shown, rationale="\n".join(lines))


def reasoned(problem: Problem, each: Example, chain: Sample) -> Example | None:
    """The example with the rationale of the chain; None unless the chain ends in the example's own answer."""
    if (made := demonstration(problem, each.question, chain, steps=None)) is None:
        return None
    pack, asked = prompts.pack(problem.pack), replace(problem, text=each.question, parts=(), output_schema=None)
    reader = reader_of(asked, pack, pack.template("cot"))
    if key_of(reader, made.answer) == key_of(reader, each.answer):
        return replace(each, rationale=made.rationale)
    # A puzzle has many right answers: what a program finds right is kept with the reasoning that leads to it.
    right = verified(world_of(pack, asked), asked, made.answer)
    return replace(each, answer=made.answer, rationale=made.rationale) if right else None
