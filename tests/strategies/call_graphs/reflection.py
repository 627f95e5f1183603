"""The calls of the strategies in strategies/reflection."""

from __future__ import annotations

import re

from call_graph import Case, prompt_of

from promptkit.strategies.reflection.debate import Debate
from promptkit.strategies.reflection.graph_of_thoughts import GraphOfThoughts
from promptkit.strategies.reflection.lats import LanguageAgentTreeSearch
from promptkit.strategies.reflection.moa import MixtureOfAgents
from promptkit.strategies.reflection.plan_search import PlanSearch
from promptkit.strategies.reflection.reflect import Reflect
from promptkit.strategies.reflection.reflexion import Reflexion
from promptkit.strategies.reflection.rstar import RStar
from promptkit.strategies.reflection.self_refine import SelfRefine
from promptkit.types import Request


def reflecting(request: Request) -> str:
    """Begins with 40, has it criticised, and comes to 42 by one more each time."""
    prompt = prompt_of(request)
    if "Give feedback on the draft" in prompt:
        at = 42 - int(prompt.rpartition("Answer: ")[2].split()[0])
        return f'"Answer: {42 - at}" is {at} too low.\nVerdict: {5 - 2 * at}'
    if "Write the answer anew" in prompt:
        return f"Answer: {41 + prompt.count('Earlier draft')}"
    return "Answer: 40"


def agreeing(request: Request) -> str:
    """Agents that differ at first, by their draws, and come to agree."""
    prompt = prompt_of(request)
    if "other agents" in prompt or "several responses" in prompt:
        return "Seen from all sides.\nAnswer: 42"
    return f"I say so.\nAnswer: {40 + request.draw[-2] % 3}"


def learning(request: Request) -> str:
    """Is right once it has thought twice about why it was not."""
    prompt = prompt_of(request)
    if "reply" in prompt and "yes" in prompt:
        return f"Let me compute.\n{'yes' if 'Answer: 42' in prompt else 'no'}"
    if "diagnose a possible reason" in prompt:
        return f"I took the wrong table after {prompt.count('Answer: 40')} tries."
    return f"Answer: {40 + prompt.count('- I took')}"


def weighing(request: Request) -> str:
    """Grades an answer by how near it comes to 42, and comes one nearer when it mends, improves or merges."""
    prompt = prompt_of(request)
    said = [int(n) for n in re.findall(r"Answer: (\d+)", prompt)]
    if "Give feedback on the draft" in prompt:
        return "“Answer” is not what it should be.\nVerdict: 3"
    if "Criterion:" in prompt:
        return f"By this criterion, hm.\nVerdict: {5 - min(4, 42 - said[-1])}"
    if "yes or no" in prompt:
        return "yes" if said[-1] == 42 else "no"
    if said:
        return f"Answer: {min(42, max(said) + 1)}"
    return f"Answer: {39 + request.draw[-2] % 2 if len(request.draw) > 1 else 39}"


def planning(request: Request) -> str:
    """Observes, plans, and comes to 42 by every plan that knows of the table."""
    prompt = prompt_of(request)
    if "different observations" in prompt:
        return "1. It asks for a product.\n2. There is a table of sevens."
    if "Build on these" in prompt:
        return "- The sixth entry is wanted."
    if "Carry out" in prompt:
        return f"Answer: {42 if 'table' in prompt else 41}"
    if "Suppose that this plan" in prompt:
        return "1. Look into the table."
    return "1. Look into the table." if "table" in prompt else "1. Guess."


def stepping(request: Request) -> str:
    """Adds seven at each step, by the draw wrongly; is judged at its end, and does better once it has reflected."""
    prompt = prompt_of(request)
    if "yes or no" in prompt:
        return "yes" if "Proposed answer: 42" in prompt else "no"
    if "diagnose a possible reason" in prompt:
        return "I added eight."
    if "sure, likely or impossible" in prompt:
        return "likely"
    steps = prompt.count("Plus")
    if steps == 2:
        return f"Answer: {42 if 'I added eight' in prompt else 48}"
    return f"Plus {7 + request.index % 2}"


def acting(request: Request) -> str:
    """Takes every action; the draws agree once a sub-question was settled."""
    prompt = prompt_of(request)
    if "next sub-question" in prompt:
        return "What is six times seven?" if "What is 3 * 7? 21" in prompt else "What is 3 * 7?"
    if "Sub-question: What is 3 * 7?" in prompt:
        return "Answer: 21"
    if "Rephrase the question" in prompt:
        return "What is 6 * 7?"
    if "Write only the next step" in prompt:
        return "Three sevens are 21."
    return f"Answer: {42 if '21' in prompt or request.index % 2 else 48}"


CASES = {
    "self-refine": Case(strategy=SelfRefine(), reply=reflecting),
    "reflexion": Case(strategy=Reflexion(evaluator="judge", trials=4), reply=learning),
    "reflexion-both": Case(strategy=Reflexion(evaluator="oracle", gold="42", recall="both"), reply=learning),
    "reflect": Case(strategy=Reflect(rubric="correct=2, clear", rounds=2), reply=weighing),
    "debate": Case(strategy=Debate(rounds=3), reply=agreeing),
    "moa": Case(strategy=MixtureOfAgents(proposers=3), reply=agreeing),
    "graph-of-thoughts": Case(strategy=GraphOfThoughts(), reply=weighing),
    "graph-of-thoughts-validated": Case(
        strategy=GraphOfThoughts(plan="generate(2) validate(2) aggregate(1)"), reply=weighing
    ),
    "plan-search": Case(strategy=PlanSearch(observations=2), reply=planning),
    "lats": Case(strategy=LanguageAgentTreeSearch(n=2, iterations=4, depth=3), reply=stepping),
    "rstar": Case(strategy=RStar(rollouts=2, depth=3, votes=2), reply=acting),
}
