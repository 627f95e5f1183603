"""Strategies inside strategies, as one tree: each is called by its name. GOLDEN=write rewrites the files."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from render_scenes import START, same_as_golden, text_of

from promptkit.composition import inner
from promptkit.events import Record
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.render import runs
from promptkit.runtime.plan import Plan, RunOptions
from promptkit.runtime.run import execute
from promptkit.types import Capabilities, Problem, Request

CAN = Capabilities(seed=True, local=True, price=(0.0, 0.0), packs=None)
TREES = {
    "sc-of-persona": 'sc(n=2, of=persona(who="a pirate", of=few-shot))',
    "persona-of-sc": 'persona(who="a pirate", of=sc(n=3, of=few-shot))',
    "tot-evaluator": 'tot(depth=1, k=2, b=1, generate=sample, evaluator="sc(n=3)")',
    "best-of-reflect": "best-of-n(n=2, of=reflect(rounds=1))",
    "moa": "moa(layers=2, proposers=2, of=sc(n=3))",
}


def said(request: Request) -> str:
    prompt = request.messages[-1].text
    if "sure, likely, impossible" in prompt or "sure" in prompt:
        return "It is close.\nsure"
    if "criteri" in prompt.lower() or "score" in prompt.lower():
        return "Well.\n5"
    return f"Step {request.index}.\nAnswer: 42"


def tree(strategy: Any) -> str:
    records: list[Record] = []

    async def main() -> None:
        with Journal.open(None) as journal:
            problem, model = Problem(text="What is six times seven?"), Scripted(said, name="tree", capabilities=CAN)
            options = RunOptions(concurrency=1, attempts=1)
            plan = Plan(
                run="r0",
                name="it",
                strategy=strategy,
                problem=problem,
                provider=model,
                journal=journal,
                options=options,
            )
            await execute(plan, [records.append])

    asyncio.run(main())
    rows = [replace(record, at=START).to_json() for record in records]  # at one moment: it took no time
    row = {"id": "r0", "strategy": "it", "model": "scripted", "question": "What is six times seven?", "status": "done"}
    return text_of(runs.run_view(row, rows, zone=UTC), 80)


@pytest.mark.parametrize("name", TREES)
def test_a_tree_names_what_is_inside(name: str) -> None:
    shown = tree(inner(TREES[name]))
    assert "~" not in shown
    same_as_golden(f"composed-{name}", shown)


def test_a_run_of_an_earlier_version_has_no_names() -> None:
    """Its spans were recorded without: the tree is drawn all the same."""
    rows = [
        {"type": "SpanStarted", "seq": 0, "at": START, "span": span}
        for span in ("sc", "sc/samples-0", "sc/samples-0/~0")
    ]
    shown = text_of(runs.run_view({"id": "r0", "strategy": "sc"}, rows, zone=UTC), 80)
    assert "inside" in shown
