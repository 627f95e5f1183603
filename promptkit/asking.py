"""Asking whoever made the run: in a terminal, in a file of answers, or in Python; and in a run once only."""

from __future__ import annotations

from promptkit.errors import Unanswered
from promptkit.runtime.dialogue import dialogue


async def asked(question: str) -> str | None:
    """What they answer, as data; None when they end the questions, Unanswered where nobody is there."""
    here = dialogue()
    if here is None:
        raise Unanswered(f"nobody is there to answer: {question}", hint="run the strategy: pk.run(…, answers=input)")
    return await here.have(question)
