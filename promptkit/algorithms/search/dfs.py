"""Depth-first tree search (Tree of Thoughts, arXiv:2305.10601, algorithm 2): threshold, prune, backtrack."""

from __future__ import annotations

from typing import Literal

from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.nodes import Expand, Node, Search, Thought, Turn, born, ranked
from promptkit.algorithms.search.transpositions import Table

Order = Literal["value", "prior"]
Output = Literal["deepest", "best"]


def dfs(
    root: Thought,
    *,
    depth: int,
    threshold: float = 0.0,
    children: int | None = None,
    order: Order = "value",
    output: Output = "deepest",
    leaves: int | None = None,
    caps: Caps = NONE,
) -> Search:
    """Follow the most promising child, go back when none is above the threshold; returns states by `output`.

    order "value" judges all children at once and takes them best first (the algorithm); "prior" takes them as the
    generator ranks them and judges each only when its turn comes (the paper's crosswords). At most `children` of a
    state are followed. It ends at a verified goal, after `leaves` finished states, or when nothing is left.
    """
    meter = Meter(caps)
    start = Node((), root)
    table = Table(start)
    waiting: list[Node] = [start]  # a stack: the next one is the last
    seen: list[Node] = []
    followed: dict[tuple[int, ...], int] = {}
    done = number = 0
    best: Node | None = None

    while waiting:
        node = waiting.pop()
        if node.path and order == "prior":
            if children is not None and followed.get(node.path[:-1], 0) >= children:
                continue
            judged = yield from valued(node.depth, [node], meter)
            if not judged:
                break
            if judged[0].score <= threshold:
                number += 1
                yield Turn(number, (), ((judged[0], "score"),), (), best)
                continue
            node = judged[0]
            followed[node.path[:-1]] = followed.get(node.path[:-1], 0) + 1
        if node.path:
            seen.append(node)
            best = node if best is None else _order([best, node], depth, output)[0]
        number += 1
        if node.thought.terminal or node.depth >= depth:
            done += 1
            stop = "leaves" if leaves is not None and done >= leaves else ""
            yield Turn(number, (node,), (), (), best, stop)
            if stop:
                return _order(seen, depth, output)
            continue
        if not meter.take("expansions", 1):
            break
        offered = meter.admitted((yield Expand(node.depth + 1, (node,))))[0]
        fresh: list[Node] = []
        merged: list[tuple[Node, tuple[int, ...]]] = []
        for child in born(node, offered):
            same = table.enter(child, child.depth)  # met again nearer the root, a state has more room and is followed
            merged += [(child, same)] if same is not None else []
            fresh += [child] if same is None else []
        if goals := tuple(child for child in fresh if child.thought.goal):
            yield Turn(number, (node,), (), tuple(merged), goals[0], "goal")
            return (*goals, *_order(seen, depth, output))
        pruned: list[tuple[Node, str]] = []
        if order == "value":
            scored = sorted((yield from valued(node.depth + 1, fresh, meter)), key=lambda child: -child.score)
            above = [child for child in scored if child.score > threshold]
            follow = above[:children]
            pruned = [(child, "score") for child in scored[len(above) :]]
            pruned += [(child, "breadth") for child in above[len(follow) :]]
        else:
            follow = sorted(fresh, key=lambda child: -(child.thought.prior or 0.0))
        waiting += reversed(follow)
        yield Turn(number, (node,), tuple(pruned), tuple(merged), best)
        if meter.hit:
            break
    left = [node for node in waiting if node.path and order == "value"]  # judged, and never followed
    return _order([*seen, *reversed(left)], depth, output)


def _order(nodes: list[Node], depth: int, output: Output) -> tuple[Node, ...]:
    """By the paper's rule the deepest first (the earliest of equals), or the best by score."""
    if output == "best":
        return ranked(nodes, depth)
    return tuple(sorted(nodes, key=lambda node: -node.depth))
