"""New instructions from a model that sees the old ones with their scores (OPRO, arXiv:2309.03409)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from promptkit import prompts
from promptkit.exchange import put
from promptkit.optimizing.questions import Items
from promptkit.optimizing.racing import Runner
from promptkit.sampling import ask_all
from promptkit.types import Model, Problem

TOGETHER = 4  # instructions of a round: those of the next see what these are worth
TRIED = 20  # instructions that are shown, the best ones
TOLD = 3  # questions that are shown with their answers, of those trained on
LONGEST = 1_000  # characters of an instruction

_MARKED = re.compile(r"<INS>(.*?)</INS>", re.DOTALL | re.IGNORECASE)


async def proposed(
    problem: Problem, model: Model, tried: Sequence[Runner], items: Items, n: int, made: int
) -> list[str]:
    """Up to n instructions that are none of those tried; `made` is how many were asked for before."""
    template = prompts.pack(problem.pack).template("new-instruction")
    scored = sorted((each for each in tried if each.mean is not None), key=lambda each: each.mean or 0.0)[-TRIED:]
    told = [{"question": each.question, "answer": each.answer} for each in items[:TOLD] if each.answer is not None]
    shown = [{"text": each.instruction, "score": round(100 * (each.mean or 0.0))} for each in scored]
    request = put(problem, template, {"tried": shown, "examples": told})
    requests = [request.at(made + at) for at in range(n)]
    samples = await ask_all(model, requests, where="propose", first=made, quorum=None)
    known = {_same(each.instruction) for each in tried}
    found: list[str] = []
    for got in samples:
        text = instruction_in(got.text or "")
        if text and got.completion and got.completion.finish != "length" and _same(text) not in known:
            known.add(_same(text))
            found.append(text)
    return found


def instruction_in(reply: str) -> str:
    """The instruction in a reply: what is marked, else all of it where it is one paragraph; "" where it is neither."""
    marked = _MARKED.search(reply)
    text = (marked[1] if marked else reply).strip()
    plain = bool(marked) or "\n\n" not in text
    return text if plain and 0 < len(text) <= LONGEST else ""


def _same(text: str) -> str:
    return " ".join(text.casefold().split())
