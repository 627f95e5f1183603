"""A question that a strategy asks on its way to the answer: put to the model, or to a strategy inside.

Its answer is a text, read by nobody: the form, the reader and the rules of the whole question are not for it. A reply
that is empty or was cut off is no answer, and is not shown as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit import prompts
from promptkit.announced import ONE, Forecast, forecast
from promptkit.exchange import put
from promptkit.prompts import Prompt
from promptkit.sampling import Sample, ask, ask_all, hold, solve_all, solve_one
from promptkit.types import Completion, Model, Outcome, Problem, Strategy


def aside(problem: Problem, text: str) -> Problem:
    """The problem of such a question: as before, but for what only the whole question's answer has to be."""
    pack = prompts.DEFAULT_PACK if prompts.pack(problem.pack).world else problem.pack
    return replace(problem, text=text, pack=pack, reader=None, output_schema=None)


def said(completion: Completion | None) -> str | None:
    """What a reply says; None where it failed, says nothing, or was cut off."""
    whole = completion is not None and completion.finish != "length"
    return (completion.text.strip() or None) if completion is not None and whole else None


async def answered(
    problem: Problem,
    model: Model,
    template: Prompt,
    inputs: Mapping[str, Any],
    *,
    of: Strategy | None,
    where: str,
    temperature: float | None = None,
    reply_tokens: int | None = None,
) -> str | None:
    """The answer to one; None where there is none. A strategy inside is asked what the template says."""
    if of is not None:
        text = put(replace(problem, parts=(), history=()), template, inputs).messages[-1].text
        return _of(await solve_one(of, aside(problem, text), model, where=where))
    request = put(problem, template, inputs, temperature=temperature, max_tokens=reply_tokens)
    return said(await ask(model, request, where=where))


async def all_answered(
    problem: Problem,
    questions: Sequence[str],
    model: Model,
    template: Prompt,
    *,
    of: Strategy | None,
    where: str,
    temperature: float | None = None,
    reply_tokens: int | None = None,
) -> list[str | None]:
    """The answers to several that know nothing of each other, in one round; None where there is none."""
    asides = [aside(problem, question) for question in questions]
    if of is not None:
        outcomes = await solve_all([(of, each, model) for each in asides], where=where)
        return [_of(outcome) for outcome in outcomes]
    requests = [put(each, template, temperature=temperature, max_tokens=reply_tokens) for each in asides]
    samples: list[Sample] = await ask_all(model, requests, where=where, quorum=None)
    hold(samples, 0.0)
    return [said(sample.completion) for sample in samples]


def each_forecast(of: Strategy | None, problem: Problem) -> Forecast:
    """The samples one of them takes."""
    return forecast(of, aside(problem, problem.text)) if of is not None else ONE


def _of(outcome: Outcome) -> str | None:
    return outcome.answer.strip() or None if outcome.answer is not None else None
