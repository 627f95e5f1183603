"""Diverse verifier tree search (Hugging Face, search-and-learn, 2024): independent subtrees, each extended greedily."""

from __future__ import annotations

from dataclasses import replace

from promptkit.algorithms.search.beam import Aggregate, combined
from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.nodes import Expand, Level, Node, Path, Search, Thought, born, ranked
from promptkit.algorithms.search.transpositions import merge


def dvts(
    root: Thought, *, depth: int, subtrees: int, m: int = 4, aggregate: Aggregate = "last", caps: Caps = NONE
) -> Search:
    """The best chain of each subtree, best first: every step is the best of m; the first ones are dealt out in turn.

    Subtrees never compete and never merge: that is what keeps them diverse. A verified goal ends the search.
    """
    meter = Meter(caps)
    heads: list[Node] = [Node((), root)]  # one a subtree, after the first level
    rewards: dict[Path, tuple[float, ...]] = {(): ()}
    ended: set[Path] = set()  # expanded without an heir: it stays the chain of its subtree, and is not asked again
    for level in range(1, depth + 1):
        growing = [head for head in heads if not head.thought.terminal and head.path not in ended]
        parents = tuple(growing[: meter.take("expansions", len(growing))])
        if not parents:
            break
        wanted = subtrees * m if level == 1 else m
        offered = meter.admitted((yield Expand(level, parents, wanted)))
        lots = [born(parent, thoughts[:wanted]) for parent, thoughts in zip(parents, offered, strict=True)]
        if level == 1:
            lots = [lot for i in range(subtrees) if (lot := lots[0][i::subtrees])]
        parted = [merge(lot) for lot in lots]
        fresh = [node for own, _ in parted for node in own]
        merged = tuple(pair for _, pairs in parted for pair in pairs)
        if goals := tuple(node for node in fresh if node.thought.goal):
            lost = tuple(node for node in fresh if not node.thought.goal)
            yield Level(level, goals, lost, merged, tied=0, stop="goal")
            return (*goals, *ranked([head for head in heads if head.path], depth))
        scored: dict[Path, Node] = {}
        for node in (yield from valued(level, fresh, meter)):
            rewards[node.path] = (*rewards[node.path[:-1]], node.score)
            scored[node.path] = replace(node, score=combined(rewards[node.path], aggregate))
        kept: list[Node] = []
        tied = 0
        for own, _ in parted:
            rivals = [scored[node.path] for node in own if node.path in scored]
            if rivals:
                best = max(rivals, key=lambda node: node.score)  # the first of equals
                kept.append(best)
                tied += sum(node.score == best.score for node in rivals) - 1
        grown, chosen = {node.path[:-1] for node in kept}, {node.path for node in kept}
        heads = [*kept, *(head for head in heads if head.path and head.path not in grown)]
        ended.update(parent.path for parent in parents if parent.path not in grown)
        pruned = tuple(scored.get(node.path, node) for node in fresh if node.path not in chosen)
        over = not [head for head in heads if not head.thought.terminal and head.path not in ended]
        kept.sort(key=lambda node: -node.score)
        yield Level(level, tuple(kept), pruned, merged, tied, stop=meter.hit or ("finished" if over else ""))
        if meter.hit or over:
            break
    return ranked([head for head in heads if head.path], depth)
