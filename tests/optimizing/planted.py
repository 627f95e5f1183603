"""Questions whose answers a scripted model knows as often as the instruction lets it: planted tasks, and null ones."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from promptkit import prompts
from promptkit.optimizing.optimization import Optimization
from promptkit.optimizing.questions import Item
from promptkit.providers.scripted import Scripted
from promptkit.types import Outcome, Problem, Request

BASELINE = "Give the answer directly and briefly, in the language of the question."
_ASKED = re.compile(r"What is (\d+) plus (\d+)\?")


def items(start: int, n: int) -> tuple[Item, ...]:
    return tuple(Item(f"What is {at} plus {at + 1}?", str(2 * at + 1)) for at in range(start, start + n))


class Knowing:
    """Right in a share of the questions that depends on the instruction, the same ones each time."""

    def __init__(self, shares: Mapping[str, float], otherwise: float, seed: int = 0) -> None:
        self.shares, self.otherwise, self.seed = shares, otherwise, seed
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> str:
        self.asked.append(request)
        text = request.messages[-1].text
        found = _ASKED.findall(text)
        if not found:
            return "I do not know."
        share = next((known for words, known in self.shares.items() if words in text), self.otherwise)
        place = hashlib.sha256(f"{self.seed} {text}".encode()).digest()
        right = int.from_bytes(place[:4], "big") / 2**32 < share
        a, b = map(int, found[-1])
        return str(a + b) if right else "no idea"


def optimization(**how: Any) -> Optimization:
    """An optimisation of general/solve on sums, 48 to train on and 64 held out unless said otherwise."""
    given: dict[str, Any] = {"pack": "general", "prompt": "solve", "of": "direct", "calls": 400}
    given |= {"text": prompts.find("general", "solve").files[0][1], "train": items(100, 48), "held_out": items(200, 64)}
    return Optimization(**{**given, **how})


def solved(what: Optimization, model: Knowing, seed: int = 0) -> Outcome:
    """The outcome, without a run around it."""
    return asyncio.run(what.solve(Problem(text="optimize", seed=seed), Scripted(model, name="knowing")))
