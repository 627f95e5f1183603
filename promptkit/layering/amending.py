"""A problem whose question says more than was asked: what layers that speak to the model put behind it."""

from __future__ import annotations

from dataclasses import replace

from promptkit import prompts
from promptkit.errors import BadInput
from promptkit.types import Problem


def amended(problem: Problem, words: str) -> Problem:
    """The problem with these words behind its question."""
    return replace(problem, text=f"{problem.text}\n\n{words}") if words else problem


def refuse_puzzle(problem: Problem, layer: str) -> None:
    """BadInput where the pack has rules: its questions are puzzles, and another word makes them none."""
    pack = prompts.pack(problem.pack)
    if pack.world:
        said = f"{layer} adds words to a question, and the puzzles of {pack.name} go as they are"
        raise BadInput(said, hint=f"leave {layer} out, or: -P general")
