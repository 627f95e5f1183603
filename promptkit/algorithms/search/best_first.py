"""Best-first tree search: whatever looks most promising anywhere in the tree is expanded next."""

from __future__ import annotations

import heapq

from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.nodes import Expand, Node, Path, Search, Thought, Turn, born, rank, ranked
from promptkit.algorithms.search.transpositions import Table


def best_first(
    root: Thought, *, depth: int, width: int = 1, threshold: float | None = None, caps: Caps = NONE
) -> Search:
    """Expand the `width` best open states a turn; returns what was valued, best first, at a goal or when all is done.

    Of equal scores the deepest is taken, as A* breaks ties: a judge that likes every state alike would keep the search
    near the root; then the first created. States at `depth`, and those scored below the threshold, stay leaves.
    """
    meter = Meter(caps)
    start = Node((), root)
    table = Table(start)
    queue: list[tuple[float, int, int, Node]] = [(0.0, 0, 0, start)]
    seen: list[Node] = []
    number = 0
    best: Node | None = None
    while queue:
        number += 1
        batch = [heapq.heappop(queue)[3] for _ in range(min(width, len(queue)))]
        batch = batch[: meter.take("expansions", len(batch))]
        if not batch:
            break
        offered = meter.admitted((yield Expand(number, tuple(batch))))
        fresh: list[Node] = []
        merged: list[tuple[Node, Path]] = []
        for parent, thoughts in zip(batch, offered, strict=True):
            for child in born(parent, thoughts):
                same = table.enter(child, 0.0)  # a value belongs to the state, however long the way to it
                merged += [(child, same)] if same is not None else []
                fresh += [child] if same is None else []
        if goals := tuple(child for child in fresh if child.thought.goal):
            yield Turn(number, tuple(batch), (), tuple(merged), goals[0], "goal")
            return (*goals, *ranked(seen, depth))
        pruned: list[tuple[Node, str]] = []
        for child in (yield from valued(number, fresh, meter)):
            seen.append(child)
            best = child if best is None else min(best, child, key=lambda node: rank(node, depth))
            if threshold is not None and child.score < threshold:
                pruned.append((child, "score"))
            elif not child.thought.terminal and child.depth < depth:
                heapq.heappush(queue, (-child.score, -child.depth, len(seen), child))
        stop = meter.ends(queue)
        yield Turn(number, tuple(batch), tuple(pruned), tuple(merged), best, stop)
        if stop:
            break
    return ranked(seen, depth)
