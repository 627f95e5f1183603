"""What a Monte-Carlo tree search gives back: one state of its tree, by one of the rules of the literature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from promptkit.algorithms.search.mcts_tree import Backup, Edge, State, Tree, quality
from promptkit.algorithms.search.nodes import Node, Path, Statistics, Visited

Output = Literal["most-visited", "best-mean", "best-leaf", "most-visited-leaf", "max-reward", "last"]
Weigh = Literal["edge", "edge-inverse-depth", "uniform"]


@dataclass(frozen=True, slots=True, eq=False)
class Landing:
    """Where an iteration ended, and what it brought the root."""

    state: State
    finished: bool
    value: float


def answers(tree: Tree, landings: Sequence[Landing], output: Output, backup: Backup) -> tuple[Node, ...]:
    """The state that the rule names, then the other ends of iterations; finished ones first, by mean return.

    "most-visited" and "best-mean" follow the visits or Q down from the root; of all ends, finished ones first,
    "best-leaf" is the one of the highest reward, "most-visited-leaf" of the most visits, "max-reward" the end of the
    iteration that brought most (RAP), "last" that of the last iteration.
    """
    ends = [landing for landing in landings if landing.state is not tree.root]
    if not ends:  # a cap was reached before the first end: what is there, judged or at least deep
        return tuple(state.scored() for state in sorted(tree.states[1:], key=_promise, reverse=True))
    match output:
        case "most-visited":
            chosen = _followed(tree, lambda edge: (edge.visits, quality(edge, backup)))
        case "best-mean":
            chosen = _followed(tree, lambda edge: (quality(edge, backup), edge.visits))
        case "best-leaf":
            chosen = max(ends, key=lambda end: (end.finished, end.state.own(float("-inf")))).state
        case "most-visited-leaf":
            chosen = max(ends, key=lambda end: (end.finished, end.state.visits)).state
        case "max-reward":
            chosen = max(ends, key=lambda end: (end.finished, end.value)).state
        case "last":
            chosen = ends[-1].state
    rest = sorted(ends, key=lambda end: (not end.finished, -end.state.mean()))
    nodes = [chosen.scored(), *(end.state.scored() for end in rest)]
    return tuple({node.path: node for node in nodes}.values())


def _promise(state: State) -> tuple[bool, float, int, float]:
    return state.reward is not None, state.own(0.0), state.node.depth, state.node.thought.prior or 0.0


def _followed(tree: Tree, rank: Callable[[Edge], tuple[float, float]]) -> State:
    """The last visited state on the way down along the best edges."""
    state, passed = tree.root, {id(tree.root)}
    while edges := [edge for edge in state.edges or () if edge.visits and id(edge.child) not in passed]:
        state = max(edges, key=rank).child
        passed.add(id(state))
    return state


def answer_weights(
    found: Statistics, answer_of: Callable[[Node], str | None], weigh: Weigh = "edge"
) -> dict[str, float]:
    """How much each answer weighs in the whole tree, the heaviest first (RAP-Aggregation, arXiv:2305.14992).

    "edge" adds the rewards of all states that lead to an answer, "edge-inverse-depth" divides each by the mean depth
    of the answers under it, "uniform" counts finished states. `answer_of` gives None for states that are no answer.
    """
    of_path = {visited.node.path: visited for visited in found.nodes}
    weights: dict[str, float] = defaultdict(float)

    def walk(visited: Visited, depth: int, above: frozenset[Path]) -> list[tuple[str, int]]:
        node = visited.node
        if (answer := answer_of(node)) is not None:
            weights[answer] += {"edge": node.score, "edge-inverse-depth": node.score / max(1, depth), "uniform": 1}[
                weigh
            ]
            return [(answer, depth)]
        under = [
            pair
            for path in visited.children
            if path not in above and of_path[path].visits
            for pair in walk(of_path[path], depth + 1, above | {path})
        ]
        for answer in dict.fromkeys(answer for answer, _ in under):
            if weigh == "edge":
                weights[answer] += node.score
            elif weigh == "edge-inverse-depth":
                weights[answer] += node.score / fmean(d for a, d in under if a == answer)
        return under

    if found.nodes:
        walk(found.nodes[0], 0, frozenset({()}))
    return dict(sorted(weights.items(), key=lambda item: -item[1]))
