"""Layers asked for by name: one nesting whatever the order, the same in Python, in words and from the journal."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from typing import Any

import pytest
from script_by_prompt import Script

from promptkit import api, registry
from promptkit.cli.flags import LAYERS
from promptkit.composition import inner, nested, spelled
from promptkit.errors import BadInput
from promptkit.journal import Journal
from promptkit.layering import stack
from promptkit.providers.scripted import Scripted
from promptkit.strategies.prompting.cot import ChainOfThought
from promptkit.types import Model, Outcome, Problem

ALL: dict[str, Any] = {
    "reflect": True,
    "structured": "table:city,people",
    "pattern": ["recipe", "fact-check"],
    "persona": "a cook",
    "audience": "a ten-year-old",
    "descriptive": True,
}
WRITTEN = (
    "descriptive(known=('audience', 'format'), of=persona(who='a cook', audience='a ten-year-old', "
    "of=pattern(use=('recipe', 'fact-check'), of=structured(form='table:city,people', of=reflect(of=sc(n=3))))))"
)
NESTED = ["descriptive", "persona", "pattern", "structured", "reflect", "sc"]


@pytest.mark.parametrize("turn", range(6))
def test_the_order_in_which_they_are_asked_for_does_not_matter(turn: int) -> None:
    asked = list(ALL.items())
    plan = api.plan("sc", "Which city?", n=3, journal="memory", **dict(asked[turn:] + asked[:turn]))
    assert [registry.name_of("strategy", each) for each in nested(plan.strategy)] == NESTED
    assert plan.name == "descriptive"
    assert spelled(plan.strategy) == WRITTEN
    assert inner(WRITTEN) == plan.strategy


def test_a_strategy_without_layers_is_itself() -> None:
    plan = api.plan("cot", "Why?", journal="memory", pattern=[], descriptive=False)
    assert (plan.name, plan.strategy) == ("cot", ChainOfThought())


def test_keywords_and_flags_are_the_layers_there_are() -> None:
    keywords = inspect.signature(api.plan).parameters
    assert list(LAYERS) == list(stack.NAMES)
    assert set(stack.NAMES) <= set(keywords)
    flagged = {name: flag.names for name, flag in LAYERS.items()}
    assert flagged == {name: (f"--{name}",) for name in stack.NAMES}


def test_who_listens_is_known_where_assumptions_are_made() -> None:
    plan = api.plan("cot", "Why?", journal="memory", descriptive=True, audience="a ten-year-old")
    assert spelled(plan.strategy) == "descriptive(known=('audience',), of=persona(audience='a ten-year-old'))"


def test_a_parameter_of_the_strategy_is_no_layer() -> None:
    plan = api.plan("persona", "Why?", who="a cook", audience="a ten-year-old", journal="memory")
    assert spelled(plan.strategy) == "persona(who='a cook', audience='a ten-year-old')"
    with pytest.raises(BadInput, match="audience is given twice"):
        api.plan("persona(audience=x)", "Why?", audience="y", journal="memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Somebody's own strategy."""

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The question, as it came."""
        return Outcome(answer=problem.text)


def test_they_go_around_an_object_too() -> None:
    outcome = api.run(Own(), "Why?", pattern="fact-check", model=Scripted(Script()), journal="memory")
    assert outcome.answer
    assert outcome.answer.startswith("Why?\n\nAlong with the answer")
    assert outcome.strategy == "pattern"


@pytest.mark.parametrize("name", ["persona", "audience", "structured", "pattern"])
def test_an_empty_one_is_a_mistake(name: str) -> None:
    blank: dict[str, Any] = {name: "  "}
    with pytest.raises(BadInput, match=f"{name} is empty"):
        api.plan("cot", "Why?", journal="memory", **blank)


def test_a_type_that_is_none_is_said() -> None:
    with pytest.raises(BadInput, match="persona must be text"):
        api.plan("cot", "Why?", persona=3, journal="memory")  # type: ignore[arg-type]


def test_streamed_awaited_resumed_and_replayed_it_is_the_same_run(journal: Journal) -> None:
    script = Script(otherwise="# On rain\n\nIt falls.\n\nAnswer: yes")
    how: dict[str, Any] = {
        "persona": "a cook",
        "structured": "title",
        "model": Scripted(script, name="rain"),
        "journal": journal,
    }

    async def main() -> tuple[Outcome, list[str]]:
        spans = [record.span async for record in api.stream("sc", "Rain?", n=3, **how)]
        return await api.arun("sc", "Rain?", n=3, **how), spans

    outcome, spans = asyncio.run(main())
    asked = len(script.asked)
    assert (outcome.answer, outcome.detail["structured"]["text"]) == ("yes", "# On rain\n\nIt falls.")
    assert any(span.startswith("persona/persona/structured/samples") for span in spans)
    assert outcome.usage.cached_calls == outcome.usage.calls, "the second run has what the first one asked"
    again = api.replay(outcome.run, journal=journal)
    resumed = api.resume(outcome.run, journal=journal, model=how["model"])
    assert again.answer == resumed.answer == "yes"
    assert again.detail == outcome.detail
    assert len(script.asked) == asked


def test_every_call_of_what_is_inside_is_the_persona_s_but_not_the_assumptions() -> None:
    script = Script(("nobody can be asked", "length: short"))
    model = Scripted(script)
    api.run("cot", "Rain?", persona="a cook", descriptive=True, structured="title", model=model, journal="memory")
    heads = [request.messages[0].text[:14] if len(request.messages) > 1 else "" for request in script.asked]
    assert heads == ["", "You are a cook", "You are a cook"]
