"""Reflections in words: written after a failure, remembered by the attempts that come after it."""

from __future__ import annotations

from promptkit import prompts
from promptkit.exchange import put
from promptkit.sampling import sample
from promptkit.types import Message, Model, Problem, message


async def reflected(
    problem: Problem, model: Model, attempt: str, told: str, *, where: str, reply_tokens: int | None = None
) -> str:
    """Why an attempt failed and what to do instead, by the template `self-reflect`; empty when the call was lost."""
    template = prompts.pack(problem.pack).template("self-reflect")
    request = put(problem, template, {"attempt": attempt.strip(), "feedback": told}, max_tokens=reply_tokens)
    (got,) = await sample(model, request, range(1), where=where, quorum=None)
    return (got.text or "").strip()


def remembered(problem: Problem, attempt: str, reflections: list[str]) -> tuple[Message, ...]:
    """What a new attempt is told, as turns before its question: the last one as it was, and what was learnt."""
    turns: tuple[Message, ...] = ()
    if attempt.strip():
        turns += (message("user", problem.text), message("assistant", attempt))
    if reflections:
        told = {"question": problem.text, "reflections": reflections}
        turns += prompts.pack(problem.pack).template("memory").request(told).messages
    return turns
