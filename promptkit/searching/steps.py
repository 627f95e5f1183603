"""From a reply to the steps in it, and from a step to the state it leads to."""

from __future__ import annotations

from promptkit.algorithms.search.nodes import Thought
from promptkit.types import Completion, World


def lines(completion: Completion) -> list[str]:
    """The thoughts of a reply that lists them, one a line; a last line that was cut off is none."""
    listed = completion.text.splitlines()
    if completion.finish == "length":
        listed = listed[:-1]
    return [line.strip() for line in listed if line.strip()]


def follow(world: World, state: str, line: str) -> Thought | str:
    """The thought with the state it leads to by the world's rules, or why it is not followed."""
    legal = world.step(state, line)
    if legal is None:
        return "illegal"
    goal = world.goal(legal)
    if world.finished(legal) and not goal:
        return "dead end"
    return Thought(legal.rpartition("\n")[2], legal, world.key(legal), goal)


def states_answer(thought: str) -> bool:
    """Whether a free thought ends in a line like "Answer: 42", in any of the languages the reader knows."""
    last = thought.strip().rpartition("\n")[2]
    if ":" not in last and "：" not in last:
        return False
    from promptkit.answers.final import LABEL  # not loaded for a thought without a colon

    label = LABEL.fullmatch(last)
    return bool(label and label["rest"].strip(" \t*_"))
