"""What a search costs beside its model, for trees of a thousand nodes.

First the searches alone, whose answers cost nothing: microseconds a node. Then whole strategies with a scripted model
that takes 10 ms a reply: milliseconds a node of the scheduler's own, and the wall time against that of its rounds.

python -m benchmarks.search_overhead [NODES]
"""

from __future__ import annotations

import asyncio
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
from promptkit.composition import inner
from promptkit.events import NodeAdded, Record, SpanStarted, watch
from promptkit.providers.scripted import Scripted
from promptkit.types import Problem, Request

ROOT = Thought("", "", "root")
WAYS = 5
DEEP = 40
REPETITIONS = 5
LATENCY = 0.010  # seconds a reply
STRATEGIES = (
    "tot(b=20, depth=11, nodes={0})",
    "beam(b=20, depth=11, nodes={0})",
    "dvts(subtrees=20, k=5, depth=11, nodes={0})",
    "best-first(width=20, expansions={0}, depth=11, nodes={0})",
    "levin(width=20, expansions={0}, depth=11, nodes={0}, generate=propose)",
    "mcts(leaves=20, iterations={0}, depth=11, nodes={0})",
    "ab-mcts(width=20, iterations={0}, over=steps, depth=11)",
)


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


async def late(request: Request) -> str:
    """Five ways on, or a verdict, after 10 ms."""
    await asyncio.sleep(LATENCY)
    prompt = request.messages[0].text
    if "Propose" not in prompt:
        return ("sure", "likely", "impossible")[len(prompt) % 3] if "Judge" in prompt else "Answer: 42"
    return "\n".join(f"{i} after {hash(prompt) % 10**6}" for i in range(WAYS))


def scheduled(written: str) -> tuple[int, int, float, float]:
    """Nodes, rounds of calls, CPU seconds and wall seconds of one search."""
    joined = rounds = 0

    def see(record: Record) -> None:
        nonlocal joined, rounds
        joined += isinstance(record.event, NodeAdded) and bool(record.event.node)
        rounds += isinstance(record.event, SpanStarted) and not record.span.rpartition("/")[2].isdigit()

    strategy = inner(written[:-1] + ", generate=propose, n_evaluate=1)" if "levin" not in written else written)
    assert strategy
    with watch(see):
        cpu, wall = time.process_time(), time.perf_counter()
        asyncio.run(strategy.solve(Problem(text="Where to?"), Scripted(late)))
        return joined, rounds, time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    """Print two tables; of the searches alone, medians of several."""
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
    print("\n| strategy | nodes | rounds | CPU ms a node | wall s | rounds x latency s |\n|---|--:|--:|--:|--:|--:|")
    for written in STRATEGIES:
        joined, rounds, cpu, wall = scheduled(written.format(nodes))
        name = written.partition("(")[0]
        told = f"{joined:,} | {rounds} | {1e3 * cpu / max(1, joined):.2f} | {wall:.2f} | {rounds * LATENCY:.2f}"
        print(f"| {name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
