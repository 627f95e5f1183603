"""The calls of the strategies in strategies/layers."""

from __future__ import annotations

from call_graph import Case, prompt_of

from promptkit.strategies.layers.descriptive import Descriptive
from promptkit.strategies.layers.flipped import Flipped
from promptkit.strategies.layers.pattern import Pattern
from promptkit.strategies.layers.persona import Persona
from promptkit.strategies.layers.structured import Structured
from promptkit.types import Capabilities, Request

ABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0), grammar=True, json_schema=True)
TABLE = "| n | why |\n| --- | --- |\n| 42 | six sevens |"


def questioning(request: Request) -> str:
    """Asks two things at once before it asks one; knows enough after two answers."""
    prompt = prompt_of(request)
    if "has to be known before" in prompt:
        return "All is said.\nyes" if prompt.count("Answer:") == 2 else "One is missing.\nno"
    if "no more and no less" in prompt:
        return "For which day?"
    if "finished result" in prompt:
        return "42" if "step by step" not in prompt else "Answer: 42"
    return "How many sixes?" if len(request.messages) > 1 else "How many? For which day?"


def answering(request: Request) -> str:
    """Reasons where it is asked to, and answers; never in the form it was asked for at first."""
    prompt = prompt_of(request)
    if "nobody can be asked" in prompt:
        return "audience: pupils\nlength: a line"
    if request.grammar or "does not have the form" in prompt:
        return TABLE
    return "Six sevens are 42.\nAnswer: 42" if "step by step" in prompt else "42"


CASES = {
    "persona": Case(strategy=Persona(who="a terse physicist"), reply=answering),
    "persona-audience": Case(strategy=Persona(audience="a ten-year-old"), reply=answering),
    "persona-of-few-shot": Case(strategy=Persona(who="a terse physicist", of="few-shot(n=1)"), reply=answering),
    "pattern": Case(strategy=Pattern(use=["fact-check", "template:NAME is COLOUR"]), reply=answering),
    "structured": Case(strategy=Structured(form="table:n,why"), reply=answering),
    "structured-of-direct": Case(
        strategy=Structured(form="table:n,why", of="direct"), reply=answering, capabilities=ABLE
    ),
    "structured-of-sc": Case(strategy=Structured(form="table:n,why", of="sc(n=3)"), reply=answering),
    "flipped": Case(strategy=Flipped(questions=2), reply=questioning, answers=["Monday", "seven"]),
    "flipped-until-facts": Case(
        strategy=Flipped(facts="day, count", of="sc(n=2)"), reply=questioning, answers={"day": "Monday", "six": "seven"}
    ),
    "descriptive": Case(strategy=Descriptive(of="persona(who='a terse physicist')"), reply=answering),
}
