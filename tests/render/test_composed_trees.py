"""Strategies inside strategies, as one tree: each is called by its name. GOLDEN=write rewrites the files."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from render_scenes import START, Script, fed, same_as_golden, text_of
from rich.console import Console

from promptkit.composition import inner
from promptkit.events import Best, NodeAdded, NodeSelected, Record, Stopped
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.render import html, runs, stream, summary
from promptkit.render import tree as trees
from promptkit.render.live import view_of
from promptkit.render.plain import PlainDisplay
from promptkit.runtime.plan import Plan, RunOptions
from promptkit.runtime.run import execute
from promptkit.types import Capabilities, Outcome, Problem, Request, Usage

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


def ran(strategy: Any) -> list[Record]:
    """The records of a run of it, its calls one after another."""
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
    return records


def tree(strategy: Any) -> str:
    records = ran(strategy)
    rows = [replace(record, at=START).to_json() for record in records]  # at one moment: it took no time
    row = {"id": "r0", "strategy": "it", "model": "scripted", "question": "What is six times seven?", "status": "done"}
    return text_of(runs.run_view(row, rows, zone=UTC), 80)


@pytest.mark.parametrize("name", TREES)
def test_a_tree_names_what_is_inside(name: str) -> None:
    shown = tree(inner(TREES[name]))
    assert "~" not in shown
    same_as_golden(f"composed-{name}", shown)


TOT = "tot(depth=2, k=2, b=1, generate=sample)"


def test_two_searches_inside_are_two_trees() -> None:
    """They have nodes of the same names; what is told of them adds up."""
    both, alone = fed(ran(inner(f"sc(n=2, of={TOT})"))).snapshot(), fed(ran(inner(TOT))).snapshot()
    assert (alone.thoughts, alone.kept) == (2, 1)
    assert (both.thoughts, both.kept) == (4, 2)
    assert list(both.trees) == ["it/samples-0/~0", "it/samples-0/~1"]
    took = summary.lines(Outcome(answer="42"), fed(ran(inner(f"sc(n=2, of={TOT})"))))[0][0]
    assert took.startswith("4 thoughts in 2 trees, 2 kept · ")


def test_whole_trees_one_below_the_other() -> None:
    rows = [record.to_json() for record in ran(inner(f"sc(n=2, of={TOT})"))]
    same_as_golden("composed-two-trees", text_of(runs.run_tree(rows), 80))
    shown = html.card(Outcome(answer="42"), rows)
    assert "samples-0 · tot 0 · 2 thoughts, 1 kept" in shown
    assert "samples-0 · tot 1 · 2 thoughts, 1 kept" in shown


def test_a_run_without_a_search_says_where_to_look() -> None:
    rows = [record.to_json() for record in ran(inner('sc(n=2, of=persona(who="a pirate"))'))]
    shown = text_of(runs.run_tree(rows), 80)
    assert shown == "  this run has no search tree; what it did: promptkit runs show r0\n"


@pytest.mark.parametrize("strategy", [TREES["tot-evaluator"], TREES["moa"], TREES["best-of-reflect"]])
def test_why_one_inside_stopped_is_not_why_the_run_did(strategy: str) -> None:
    records = ran(inner(strategy))
    assert any(isinstance(record.event, Stopped) for record in records) == ("sc" in strategy)
    inside = Record(10**6, START, "it/samples-0/~0", Usage(), Stopped("the reflection finds nothing to mend"))
    state = fed([*records, inside])
    assert state.snapshot().stopped == ""
    ended = Outcome(answer="42", status="done")
    assert not any("stopped early" in line for line, _ in summary.lines(ended, state))


def test_levels_inside_are_told_with_their_place_and_votes_inside_are_not_told() -> None:
    file = io.StringIO()
    display = PlainDisplay(Console(file=file, width=80))
    for record in ran(inner(f"moa(layers=2, proposers=2, of=sc(n=2, of={TOT}))")):
        display(record)
    said = file.getvalue().splitlines()
    levels = [line.partition("  ")[2] for line in said if "level" in line and "kept" in line]
    assert levels[:2] == [
        f"layer-1 · sc 0 · samples-0 · tot {i} · level 1 of 2: kept 1 of 2, 1 tied at the cut" for i in (0, 1)
    ]
    assert not any(" in · " in line for line in said)


def test_trees_inside_without_a_root_stay_apart() -> None:
    """A plugin's search may not say where it begins; its best thought is its own tree's."""
    s = Script()
    for i in (0, 1):
        s.say(f"x/~{i}", NodeAdded((0,), f"thought {i}", ""), NodeSelected((0,), 0))
    s.say("x/~1/deep", Best("42", node=(0,)))
    found = fed(s.records).snapshot()
    assert [found.trees[f"x/~{i}"][0,].thought for i in (0, 1)] == ["thought 0", "thought 1"]
    assert [found.trees[f"x/~{i}"][0,].status for i in (0, 1)] == ["kept", "best"]
    assert found.best is None


def test_trees_stand_in_the_order_of_their_numbers() -> None:
    s = Script()
    for span in ("x/a/~10", "x/a/~2", "x/b/~0", "x/a/~0"):
        s.say(span, NodeAdded((), "", ""), NodeAdded((0,), "t", ""))
    assert list(fed(s.records).snapshot().trees) == ["x/a/~0", "x/a/~2", "x/a/~10", "x/b/~0"]


def test_one_of_several_searches_is_not_drawn_as_the_run() -> None:
    assert view_of("moa", fed(ran(inner(f"moa(layers=2, proposers=2, of={TOT})"))).snapshot()) is stream
    assert view_of("best-of-n", fed(ran(inner(f"best-of-n(n=2, of={TOT})"))).snapshot()) is not trees
    assert view_of("persona", fed(ran(inner(f'persona(who="a cook", of={TOT})'))).snapshot()) is trees


def test_a_run_of_an_earlier_version_has_no_names() -> None:
    """Its spans were recorded without: the tree is drawn all the same."""
    rows = [
        {"type": "SpanStarted", "seq": 0, "at": START, "span": span}
        for span in ("sc", "sc/samples-0", "sc/samples-0/~0")
    ]
    shown = text_of(runs.run_view({"id": "r0", "strategy": "sc"}, rows, zone=UTC), 80)
    assert "inside" in shown
