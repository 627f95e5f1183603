"""The calls of the strategies in strategies/search."""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction

from call_graph import Case, prompt_of

from promptkit.strategies.search.ab_mcts import AdaptiveBranching
from promptkit.strategies.search.beam import Beam
from promptkit.strategies.search.best_first import BestFirst
from promptkit.strategies.search.dvts import DiverseTreeSearch
from promptkit.strategies.search.levin import Levin
from promptkit.strategies.search.mcts import MonteCarlo
from promptkit.strategies.search.tot import TreeOfThoughts
from promptkit.types import Problem, Request
from promptkit.worlds.game24 import solvable

PUZZLE = Problem(text="1 2 3 4", pack="game24")


def playing(request: Request) -> str:
    """Plays the Game of 24: proposes the first legal steps, and values them rightly."""
    prompt = prompt_of(request)
    if "Possible next steps:" in prompt:
        return "\n".join(_steps(re.findall(r"Input: (.*)", prompt)[-1])[-4:])
    if "Which of these numbers" in prompt:
        states = re.findall(r"^\d+: (.*)", prompt, re.MULTILINE)
        return f"The best choice is {next((i for i, each in enumerate(states, start=1) if _solvable(each)), 1)}."
    return "sure" if _solvable(prompt.rpartition("Input:")[2]) else "impossible"


def thinking(request: Request) -> str:
    """Thinks freely: a step is a number, and the answer is 42."""
    prompt = prompt_of(request)
    if "Give feedback on the draft" in prompt:
        return f"It is short.\nVerdict: {1 + _number(prompt, request.index) % 5}"
    if "Judge whether" in prompt and "step by step" in prompt:
        return f"Answer: {('sure', 'likely', 'sure')[request.index % 3]}"
    if "step by step" in prompt or "Write the answer anew" in prompt:
        return f"Answer: {40 + _number(prompt, request.draw) % 5}"
    if "Write only the next step" in prompt:
        return f"Step {_number(prompt, request.index) % 9}"
    if "The best choice is N" in prompt:
        return f"The best choice is {1 + request.index % 2}"
    if "sure, likely or impossible" in prompt:
        return ("sure", "likely", "impossible")[_number(prompt, request.index) % 3]
    return "Answer: 42"


def _steps(numbers: str) -> list[str]:
    """Legal steps, in an order of their own."""
    terms = numbers.split()
    found = []
    for i, a in enumerate(terms):
        for b in terms[i + 1 :]:
            rest = [*terms]
            rest.remove(a)
            rest.remove(b)
            for sign, value in (("+", int(a) + int(b)), ("*", int(a) * int(b))):
                left = " ".join(map(str, sorted([*map(int, rest), value])))
                found.append(f"{a} {sign} {b} = {value} (left: {left})")
    return found


def _solvable(numbers: str) -> bool:
    return solvable(tuple(sorted(Fraction(each) for each in numbers.split())))


def _number(*of: object) -> int:
    return hashlib.sha256(repr(of).encode()).digest()[0]


CASES = {
    "tot": Case(strategy=TreeOfThoughts(b=2, n_evaluate=2), problem=PUZZLE, reply=playing),
    "tot-vote": Case(strategy=TreeOfThoughts(b=1, evaluate="vote", n_evaluate=2), problem=PUZZLE, reply=playing),
    "tot-sample": Case(
        strategy=TreeOfThoughts(generate="sample", evaluate="value", b=1, k=2, depth=2, n_evaluate=1), reply=thinking
    ),
    "tot-adaptive": Case(strategy=TreeOfThoughts(b=2, n_evaluate=3, adaptive=True), problem=PUZZLE, reply=playing),
    "tot-dfs": Case(strategy=TreeOfThoughts(search="dfs", n_evaluate=1, nodes=12), problem=PUZZLE, reply=playing),
    "tot-judged-by-a-vote": Case(strategy=TreeOfThoughts(evaluator="sc(n=3)", k=2, depth=1), reply=thinking),
    "beam": Case(strategy=Beam(b=2, n_evaluate=1, k=2), reply=thinking),
    "beam-stochastic": Case(
        strategy=Beam(b=2, n_evaluate=1, k=3, stochastic=0.5, decay=0.5, confidence=0.5), reply=thinking
    ),
    "dvts": Case(strategy=DiverseTreeSearch(subtrees=2, k=2, n_evaluate=1), reply=thinking),
    "best-first": Case(strategy=BestFirst(expansions=3, n_evaluate=1), problem=PUZZLE, reply=playing),
    "levin": Case(strategy=Levin(expansions=4, width=2), problem=PUZZLE, reply=playing),
    "levin-sampled": Case(strategy=Levin(expansions=2, k=3), reply=thinking),
    "mcts": Case(strategy=MonteCarlo(iterations=6, k=2, n_evaluate=1), reply=thinking),
    "mcts-leaves": Case(strategy=MonteCarlo(iterations=6, k=3, leaves=3, n_evaluate=1), reply=thinking),
    "mcts-puct": Case(strategy=MonteCarlo(rules="puct", iterations=4, k=2, n_evaluate=1), reply=thinking),
    "mcts-rap": Case(strategy=MonteCarlo(rules="rap", iterations=3, k=2, n_evaluate=1), reply=thinking),
    "ab-mcts": Case(strategy=AdaptiveBranching(iterations=6, width=2), reply=thinking),
    "ab-mcts-steps": Case(
        strategy=AdaptiveBranching(over="steps", iterations=5, n_evaluate=1), problem=PUZZLE, reply=playing
    ),
}
