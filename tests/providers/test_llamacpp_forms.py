"""Held to its grammar, a real model gives every form every time: one of random weights, which follows nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_gguf
from local_model import opened

from promptkit import api
from promptkit.layering.keeping import LOST
from promptkit.providers.llamacpp import open_llamacpp
from promptkit.strategies.layers.structured import Structured
from promptkit.types import Outcome, Provider

FORMS = (
    "title",
    "steps",
    "sections:Summary,Risks",
    "table:city,people",
    "markdown",
    "markdown:# Report\n\n## Why\nsay why\n\n## How\n",
)
DIGIT = {"type": "integer", "minimum": 0, "maximum": 9}
JSON = {"type": "object", "properties": {"n": DIGIT}, "required": ["n"], "additionalProperties": False}
PROMPTS = 50


def test_json_is_held_to_its_schema_or_the_answer_stands_alone() -> None:
    """Every repair fits the schema; one that says another number than the chain reached is not taken for it."""
    questions = [f"Anna has {n} boxes with 8 cookies each. How many are there?" for n in range(2, 8)]
    strategy = Structured(form=f"json:{json.dumps(JSON)}", of="cot(reply_tokens=64)")

    async def main() -> list[Outcome]:
        async with opened() as model:
            how: dict[str, Any] = {"model": model, "pack": "words", "journal": "memory"}
            return list(await asyncio.gather(*(api.arun(strategy, question, **how) for question in questions)))

    for outcome in asyncio.run(main()):
        told = outcome.detail["structured"]
        assert told["valid"] or (told["fault"], told["text"]) == (LOST, outcome.answer), outcome.detail
        assert not told["valid"] or set(outcome.value) == {"n"}


def told(folder: Path, solve: Callable[[Provider], Any]) -> Any:
    path = tiny_gguf.write_tiny(folder / "random.gguf", context=2048)

    async def main() -> Any:
        model = open_llamacpp(str(path), {})
        try:
            return await solve(model)
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_fifty_of_fifty(tmp_path: Path) -> None:
    async def solve(model: Provider) -> list[Outcome]:
        def asked(number: int) -> Any:
            # A chain of thought is free, and noise; a single reply is held from its first word on.
            inside = "cot" if number % 2 else "direct"
            of = f"{inside}(temperature=1, reply_tokens=12)"
            strategy = Structured(form=FORMS[number % len(FORMS)], of=of, reply_tokens=100)
            return api.arun(strategy, f"What is {number}, and why?", model=model, journal="memory")

        return list(await asyncio.gather(*map(asked, range(PROMPTS))))

    outcomes: list[Outcome] = told(tmp_path, solve)
    reports = [outcome.detail["structured"] for outcome in outcomes]
    assert [each["fault"] for each in reports if not each["valid"]] == []
    assert len([each for each in reports if each["valid"]]) == PROMPTS
