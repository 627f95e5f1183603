"""Breadth-first tree search (Tree of Thoughts, arXiv:2305.10601, algorithm 1), with no model in it.

`bfs` is a generator: it yields what it needs (`Expand`, `Evaluate`), is sent the answers, and reports each level
(`Level`). Whoever drives it brings the model, and can bring a log instead.
"""

from __future__ import annotations

from promptkit.algorithms.search.boundary import Boundary, judged
from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.nodes import Expand, Level, Node, Search, Thought, born
from promptkit.algorithms.search.select import Select
from promptkit.algorithms.search.transpositions import merge


def bfs(
    root: Thought, *, depth: int, b: int, select: Select, boundary: Boundary | None = None, caps: Caps = NONE
) -> Search:
    """Keep the b best of each level's thoughts, `depth` levels deep; returns the last level kept, best first.

    A level with a goal ends the search: its goals come first, without an evaluation. With a boundary, values are means
    of `Judge` samples. When a cap is reached, or nothing follows, the level reached is the last.
    """
    meter = Meter(caps)
    frontier: tuple[Node, ...] = (Node((), root),)
    for level in range(1, depth + 1):
        open_ = [node for node in frontier if not node.thought.terminal]
        finished = [node for node in frontier if node.thought.terminal]  # compete with what the others grow into
        parents = tuple(open_[: meter.take("expansions", len(open_))])
        if not parents:
            return tuple(node for node in frontier if node.path)
        offered = meter.admitted((yield Expand(level, parents)))
        fresh, merged = merge(
            [node for parent, thoughts in zip(parents, offered, strict=True) for node in born(parent, thoughts)]
        )
        if goals := tuple(node for node in fresh if node.thought.goal):
            lost = tuple(node for node in fresh if not node.thought.goal)
            yield Level(level, goals, lost, merged, tied=0, stop="goal")
            return goals
        if boundary:
            new = yield from judged(level, fresh, max(0, b - len(finished)), boundary, meter)
        else:
            new = yield from valued(level, fresh, meter, always=True)
        scored = [*finished, *new]
        breadth = boundary.breadth([node.score for node in scored], b) if boundary else b
        kept = tuple(select(scored, breadth))
        chosen = {node.path for node in kept}
        score_of = {node.path: node for node in scored}
        pruned = tuple(score_of.get(node.path, node) for node in [*finished, *fresh] if node.path not in chosen)
        tied = sum(node.score == kept[-1].score for node in pruned if node.path in score_of) if kept else 0
        over = not [node for node in kept if not node.thought.terminal]
        yield Level(level, kept, pruned, merged, tied, stop=meter.hit or ("finished" if over else ""))
        if meter.hit or over:
            return kept or tuple(node for node in frontier if node.path)
        frontier = kept
    return frontier
