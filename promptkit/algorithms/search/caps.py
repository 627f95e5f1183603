"""How much a search may ask for: what it has found when a cap is reached is its result."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from promptkit.algorithms.search.nodes import Evaluate, Node, Thought, known

What = Literal["nodes", "expansions", "evaluations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most a search may ask for; None is no limit."""

    nodes: int | None = None  # thoughts that join the tree, equal states included
    expansions: int | None = None  # nodes expanded; for AB-MCTS thoughts asked for
    evaluations: int | None = None  # scores asked for; known ones cost nothing


NONE = Caps()


class Meter:
    """Counts what a search asks for and never grants more than its caps."""

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.spent: dict[What, int] = {"nodes": 0, "expansions": 0, "evaluations": 0}
        self.hit = ""  # the cap that has refused something

    def left(self, what: What) -> int | None:
        """What is left of a cap; None where there is none."""
        cap: int | None = getattr(self.caps, what)
        return None if cap is None else max(0, cap - self.spent[what])

    def take(self, what: What, wanted: int) -> int:
        """How many of those wanted are granted, first come first served."""
        left = self.left(what)
        granted = wanted if left is None else min(wanted, left)
        self.spent[what] += granted
        if granted < wanted:
            self.hit = self.hit or what
        return granted

    def ends(self, left: object) -> str:
        """Why expanding ends here, with what is left to expand: exhausted, or a cap; empty where it goes on."""
        return self.hit or ("exhausted" if not left else "expansions" if self.left("expansions") == 0 else "")

    def admitted(self, offered: Sequence[Sequence[Thought]]) -> list[Sequence[Thought]]:
        """The thoughts that join the tree: all of them, or the first ones that fit."""
        return [thoughts[: self.take("nodes", len(thoughts))] for thoughts in offered]


def valued(
    level: int, nodes: Sequence[Node], meter: Meter, *, always: bool = False
) -> Generator[Evaluate, Any, list[Node]]:
    """The nodes with their scores, in their order, without those that a cap leaves unvalued; the judge comes last.

    Where nothing is to be asked nothing is, unless `always`.
    """
    free = {node.path: score for node in nodes if (score := known(node.thought)) is not None}
    asked = [node for node in nodes if node.path not in free]
    asked = asked[: meter.take("evaluations", len(asked))]
    scores = (yield Evaluate(level, tuple(asked))) if asked or always else []
    score_of = free | {node.path: float(score) for node, score in zip(asked, scores, strict=True)}
    return [replace(node, score=score_of[node.path]) for node in nodes if node.path in score_of]
