"""What a search costs beside its model: microseconds a node, for trees of a thousand nodes whose answers cost nothing.

python -m benchmarks.search_overhead [NODES]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from promptkit.algorithms.search.ab_mcts import ab_mcts
from promptkit.algorithms.search.beam import beam
from promptkit.algorithms.search.best_first import best_first
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.dfs import dfs
from promptkit.algorithms.search.dvts import dvts
from promptkit.algorithms.search.levin import levin
from promptkit.algorithms.search.mcts import LATS, PUCT, RAP, RSTAR, UCT, mcts
from promptkit.algorithms.search.nodes import Evaluate, Expand, Judge, Node, Search, Thought, Widen
from promptkit.algorithms.search.select import greedy

ROOT = Thought("", "", "root")
WAYS = 5
DEEP = 40
REPETITIONS = 5


def searches(nodes: int) -> dict[str, Callable[[], Search]]:
    """Every search, capped at so many nodes."""
    caps = Caps(nodes=nodes)
    found: dict[str, Callable[[], Search]] = {
        "bfs": lambda: bfs(ROOT, depth=DEEP, b=5, select=greedy, caps=caps),
        "bfs, boundary": lambda: bfs(ROOT, depth=DEEP, b=5, select=greedy, boundary=Boundary(), caps=caps),
        "beam": lambda: beam(ROOT, depth=DEEP, width=5, caps=caps),
        "dvts": lambda: dvts(ROOT, depth=DEEP, subtrees=5, m=5, caps=caps),
        "dfs": lambda: dfs(ROOT, depth=DEEP, caps=caps),
        "best-first": lambda: best_first(ROOT, depth=DEEP, caps=caps),
        "levin": lambda: levin(ROOT, depth=DEEP, caps=caps),
        "ab-mcts": lambda: ab_mcts(ROOT, iterations=nodes, width=4, caps=caps),
    }
    for name, rules in {"uct": UCT, "puct": PUCT, "rap": RAP, "lats": LATS, "rstar": RSTAR}.items():
        rules = replace(rules, iterations=10 * nodes, depth=DEEP, width=4)
        found[name] = lambda rules=rules: mcts(ROOT, rules=rules, caps=caps)  # type: ignore[misc]
    return found


def played(search: Search) -> int:
    """The number of nodes that joined the tree, each with an answer that was there at once."""
    joined = 0
    reply: Any = None
    while True:
        try:
            step = search.send(reply)
        except StopIteration:
            return joined
        match step:
            case Expand():
                reply = [[thought(node, i) for i in range(WAYS)] for node in step.nodes]
                joined += WAYS * len(step.nodes)
            case Widen():
                reply = [thought(node, draw) for node, draw in zip(step.nodes, step.draws, strict=True)]
                joined += len(reply)
            case Evaluate():
                reply = [worth(node) for node in step.nodes]
            case Judge():
                reply = [[worth(node)] * len(draws) for node, draws in zip(step.nodes, step.draws, strict=True)]
            case _:
                reply = None


def thought(node: Node, i: int) -> Thought:
    """The i-th step from a node."""
    key = f"{node.thought.key}{i}"
    return Thought(str(i), key, key, prior=(i + 1) / 15)


def worth(node: Node) -> float:
    """A value that is different from node to node, and the same every time."""
    return sum((place + 3) * (step + 1) for place, step in enumerate(node.path)) % 11 / 11


def main() -> None:
    """Print a table, medians of several searches each."""
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| search | nodes | CPU µs a node |\n|---|--:|--:|")
    for name, make in searches(nodes).items():
        took: list[float] = []
        joined = 0
        for _ in range(REPETITIONS):
            before = time.process_time()
            joined = played(make())
            took.append(time.process_time() - before)
        print(f"| {name} | {joined:,} | {1e6 * statistics.median(took) / max(1, joined):.0f} |", flush=True)


if __name__ == "__main__":
    main()
