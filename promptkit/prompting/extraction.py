"""The answer drawn from a chain of thought by a second call (zero-shot CoT, arXiv:2205.11916).

The second call is the first with its reply and "Therefore, what is the answer?". Models that follow instructions write
the answer in the first, so the second is an option: `always` is the paper's form, `unread` asks again only where the
first reply does not say what its answer is. The first call is the same with all and with none of them, so what the
journal has of it serves again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from promptkit import prompts
from promptkit.announced import Forecast, exactly, reply
from promptkit.errors import BadInput
from promptkit.exchange import answer_to, marked, put, reader_of
from promptkit.prompts import Prompt
from promptkit.types import Model, Outcome, Problem, Request, message

When = Literal["never", "unread", "always"]


def check(when: Any) -> None:
    """BadInput for what is no such word."""
    if when not in (None, "never", "unread", "always"):
        wanted = "--extract must be never, unread or always"
        raise BadInput(f"{wanted}, not {when!r}", hint="e.g. --extract unread")


async def concluded(
    request: Request,
    problem: Problem,
    model: Model,
    template: Prompt,
    when: When | None,
    reply_tokens: int | None = None,
) -> Outcome:
    """The answer read from one chain of thought, or from what the model draws from it."""
    chain = await answer_to(request, problem, model, template)
    reader = reader_of(problem, prompts.pack(problem.pack), template)
    # An output is held to its form, and mended, in the first call.
    if problem.output_schema is not None or not _wanted(when, chain, reader):
        return chain
    if not chain.text.strip():  # all of it was reasoning set aside: there is nothing to draw from
        return chain
    return await _drawn(request, problem, model, chain, reader, reply_tokens)


def samples(problem: Problem, when: When | None) -> Forecast:
    """The samples it takes."""
    if when not in ("always", "unread") or problem.output_schema is not None:
        return reply(problem)
    return exactly(2) if when == "always" else Forecast(1, None, 2)


def _wanted(when: When | None, chain: Outcome, reader: str) -> bool:
    """Whether the answer is asked for; the last sentence of a reply that marks none is not taken for one."""
    if when == "unread":
        return chain.answer is None or not marked(reader, chain.text)
    return when == "always"


async def _drawn(
    request: Request, problem: Problem, model: Model, chain: Outcome, reader: str, reply_tokens: int | None
) -> Outcome:
    """The second call's answer; the chain's own, if it had one, where the second reply cannot be read."""
    template = prompts.pack(problem.pack).template("extract")
    asked = put(replace(problem, history=(), parts=()), template, {"reader": reader}, max_tokens=reply_tokens)
    turns = (*request.messages, message("assistant", chain.text), *asked.messages)
    drawn = await answer_to(replace(asked, messages=turns), replace(problem, reader=reader), model, template, index=1)
    text = f"{chain.text}\n\n{drawn.text}"
    if drawn.answer is None and chain.answer is not None:
        return replace(chain, text=text, detail={**chain.detail, "extracted": False})
    return replace(drawn, text=text, detail={**drawn.detail, "extracted": drawn.answer is not None})
