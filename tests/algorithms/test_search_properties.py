"""What holds for every search on any tree: caps, no double work, equal states as one, visits that add up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_trees import ROOT, Driven, drive

from promptkit.algorithms.search.ab_mcts import ab_mcts
from promptkit.algorithms.search.beam import beam
from promptkit.algorithms.search.best_first import best_first
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.chance import rng
from promptkit.algorithms.search.dfs import dfs
from promptkit.algorithms.search.dvts import dvts
from promptkit.algorithms.search.levin import levin
from promptkit.algorithms.search.mcts import LATS, PUCT, RAP, RSTAR, UCT, Rules, mcts
from promptkit.algorithms.search.nodes import Node, Search, Thought, Visited
from promptkit.algorithms.search.posteriors import Beta
from promptkit.algorithms.search.select import greedy, softmax

MCTS: dict[str, Rules] = {
    "uct": replace(UCT, iterations=12),
    "uct, alone": replace(UCT, iterations=12, share=False, backup="max", width=3),
    "puct": replace(PUCT, iterations=12, width=4, stop_at_goal=False),
    "rap": replace(RAP, iterations=8, width=2),
    "lats": replace(LATS, iterations=8, width=3),
    "rstar": replace(RSTAR, iterations=8, stop_at_goal=False),
    "sampled": Rules(iterations=8, simulate="sample", judge="steps", returns="mean", width=2),
}


def searches(depth: int, width: int, caps: Caps) -> dict[str, Search]:
    others: dict[str, Search] = {
        "bfs": bfs(ROOT, depth=depth, b=width, select=greedy, caps=caps),
        "boundary": bfs(ROOT, depth=depth, b=width, select=greedy, boundary=Boundary(widest=width + 2), caps=caps),
        "beam": beam(ROOT, depth=depth, width=width, aggregate="mean", floor=0.1, caps=caps),
        "softmax": beam(ROOT, depth=depth, width=width, select=softmax(rng(0, "beam")), caps=caps),
        "dvts": dvts(ROOT, depth=depth, subtrees=width, m=2, caps=caps),
        "dfs": dfs(ROOT, depth=depth, threshold=0.2, children=width, caps=caps),
        "dfs-prior": dfs(ROOT, depth=depth, order="prior", output="best", leaves=width, caps=caps),
        "best-first": best_first(ROOT, depth=depth, width=width, threshold=0.1, caps=caps),
        "levin": levin(ROOT, depth=depth, width=width, caps=caps),
        "ab-mcts": ab_mcts(ROOT, iterations=9, width=width, depth=depth, posterior=Beta(), caps=caps),
        "ab-mcts-models": ab_mcts(ROOT, iterations=9, width=width, generators=3, caps=caps),
    }
    return others | {name: mcts(ROOT, rules=replace(rules, depth=depth), caps=caps) for name, rules in MCTS.items()}


class Graph:
    """A random graph of a few states, with loops, dead ends, ends and goals: what a model makes of a question."""

    def __init__(self, seed: int, goals: bool) -> None:
        self.seed, self.goals = seed, goals

    def grow(self, node: Node) -> list[Thought]:
        chance = random.Random(f"{self.seed} {node.thought.key}")
        return [self.thought(chance) for _ in range(chance.randint(0, 4))]

    def thought(self, chance: random.Random) -> Thought:
        key = str(chance.randint(1, 9))
        end = random.Random(f"{self.seed} end {key}").random()
        goal = self.goals and end < 0.1
        prior = chance.choice([None, 0.0, 0.2, 0.4])
        return Thought(key, f"state {key}", key, goal, terminal=end > 0.8, prior=prior)

    def score(self, node: Node, draw: int) -> float:
        return random.Random(f"{self.seed} score {node.thought.key} {draw}").choice([0.0, 0.3, 0.3, 0.7, 1.0])


GRAPHS = st.builds(Graph, st.integers(0, 10_000), st.booleans())
SOME = st.none() | st.integers(0, 12)
CAPS = st.builds(Caps, nodes=SOME, expansions=SOME, evaluations=SOME)
NAMES = list(searches(1, 1, Caps()))
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

each = pytest.mark.parametrize("name", NAMES)


@each
@few
@given(GRAPHS, st.integers(1, 4), st.integers(1, 3), CAPS)
def test_caps_hold_and_no_work_is_done_twice(name: str, graph: Graph, depth: int, width: int, caps: Caps) -> None:
    found = drive(searches(depth, width, caps)[name], graph.grow, graph.score)
    within(len(found.expanded), caps.expansions)
    within(len(found.scored), caps.evaluations)
    assert len(set(found.expanded)) == len(found.expanded), "no node is expanded twice"
    if name != "boundary":
        assert len(set(found.scored)) == len(found.scored), "no node is valued twice"
    paths = [node.path for node in found.nodes]
    assert len(set(paths)) == len(paths)
    within(len({*paths, *found.scored}), caps.nodes)
    if name != "ab-mcts-models":
        assert all(0 < len(path) <= depth for path in paths)
    assert not [node for node in found.judged if node.thought.goal], "the verifier comes first"


@each
@few
@given(GRAPHS, st.integers(1, 4), st.integers(1, 3))
def test_merged_states_share_their_key(name: str, graph: Graph, depth: int, width: int) -> None:
    found = drive(searches(depth, width, Caps())[name], graph.grow, graph.score)
    key_of: dict[tuple[int, ...], str] = {(): ""}
    for node in (*found.judged, *found.nodes, *chosen(found)):
        key_of[node.path] = node.thought.key
    for report in found.reports:
        for node, into in report.merged:
            assert into != node.path
            assert key_of.get(into, node.thought.key) == node.thought.key
            assert node.path not in found.scored


@each
@few
@given(GRAPHS, st.integers(1, 4), st.integers(1, 3))
def test_the_same_answers_in_give_the_same_search_out(name: str, graph: Graph, depth: int, width: int) -> None:
    one, two = (drive(searches(depth, width, Caps())[name], graph.grow, graph.score) for _ in range(2))
    assert one.asked == two.asked
    assert one.nodes == two.nodes


@pytest.mark.parametrize("name", MCTS)
@few
@given(GRAPHS, st.integers(1, 4), CAPS)
def test_visits_add_up(name: str, graph: Graph, depth: int, caps: Caps) -> None:
    """An iteration visits the root, and whatever state it goes through it enters by one edge."""
    found = drive(mcts(ROOT, rules=replace(MCTS[name], depth=depth), caps=caps), graph.grow, graph.score)
    root, *others = found.statistics.nodes
    ended: Counter[tuple[int, ...]] = Counter()
    for turn in found.reports[: -1 if found.reports[-1].stop == "goal" else None]:
        ended.update(node.path for node in turn.chosen)  # type: ignore[union-attr]
    assert root.visits == ended.total() <= MCTS[name].iterations
    assert all(visited.visits >= ended[visited.node.path] for visited in others)
    if not MCTS[name].share:
        for visited in found.statistics.nodes:
            below = sum(child.visits for child in children(visited, found.statistics.nodes))
            assert visited.visits == ended[visited.node.path] + below
    assert all(-1 <= visited.mean <= depth for visited in found.statistics.nodes)


def within(count: int, cap: int | None) -> None:
    assert cap is None or count <= cap


def chosen(found: Driven) -> list[Node]:
    return [node for report in found.reports for node in getattr(report, "chosen", getattr(report, "kept", ()))]


def children(visited: Visited, all_: Sequence[Visited]) -> list[Visited]:
    return [each for each in all_ if each.node.path in visited.children]
