"""Equal states met again: the first one stands for all, so that no state is valued or expanded twice."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.algorithms.search.nodes import Node, Path

Merged = tuple[tuple[Node, Path], ...]


class Table:
    """Which node stands for each key; one that is reached at less cost takes the place of a dearer one."""

    def __init__(self, root: Node) -> None:
        self._stands: dict[str, tuple[float, Path]] = {root.thought.key: (0.0, root.path)}

    def enter(self, node: Node, cost: float) -> Path | None:
        """The path of an equal state that costs no more; None when from now on this node stands for its key."""
        there = self._stands.get(node.thought.key)
        if there is not None and there[0] <= cost:
            return there[1]
        self._stands[node.thought.key] = (cost, node.path)
        return None

    def stands(self, node: Node) -> Path:
        """The path of the node that stands for this one's key."""
        return self._stands[node.thought.key][1]


def merge(nodes: Sequence[Node]) -> tuple[tuple[Node, ...], Merged]:
    """The first node of each key, and every later one with the path that stands for it."""
    first: dict[str, Path] = {}
    fresh: list[Node] = []
    merged: list[tuple[Node, Path]] = []
    for node in nodes:
        if node.thought.key in first:
            merged.append((node, first[node.thought.key]))
        else:
            first[node.thought.key] = node.path
            fresh.append(node)
    return tuple(fresh), tuple(merged)
