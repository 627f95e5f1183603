"""Monte-Carlo tree search by hand: bounds, virtual loss, rewards, what it gives back; and AB-MCTS's posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, log, sqrt
from statistics import fmean, pvariance

import pytest
from search_trees import ROOT, drive

from promptkit.algorithms.search.ab_mcts import ab_mcts
from promptkit.algorithms.search.chance import rng
from promptkit.algorithms.search.mcts import LATS, RAP, UCT, Rules, mcts
from promptkit.algorithms.search.mcts_outputs import Landing, Output, answer_weights, answers
from promptkit.algorithms.search.mcts_tree import Edge, State, Tree, back_up, best_edge, fly
from promptkit.algorithms.search.nodes import Evaluate, Expand, Node, Statistics, Thought, Visited, Widen
from promptkit.algorithms.search.posteriors import Beta, Gaussian, Seen


def state(key: str, *returns: float, path: tuple[int, ...] = (), reward: float | None = None) -> State:
    made = State(Node(path, Thought(key, key, key)), reward=reward)
    for got in returns:
        back_up(made, [], [got])
    return made


def parent(*children: Edge) -> State:
    made = state("parent")
    made.edges = list(children)
    made.visits = sum(edge.visits for edge in children) + 1
    return made


def chosen(above: State, **how: object) -> str:
    rules: dict[str, object] = {"puct": False, "c": 1.0, "unvisited": "first", "backup": "mean", "loss": 1.0, **how}
    return best_edge(above, above.edges or [], **rules).child.node.thought.key  # type: ignore[arg-type]


def test_uct_weighs_the_mean_against_the_visits() -> None:
    often, seldom = Edge(state("often", *[0.6] * 8), None, 8), Edge(state("seldom", 0.4), None, 1)
    above = parent(often, seldom)
    assert 0.6 + sqrt(log(10) / 8) < 0.4 + sqrt(log(10) / 1)
    assert chosen(above) == "seldom"
    assert chosen(above, c=0.1) == "often"
    assert chosen(parent(often, Edge(state("new"), None))) == "new", "what was never visited comes first"


def test_the_maximum_is_another_quality_than_the_mean() -> None:
    above = parent(Edge(state("steady", 0.6, 0.6), None, 2), Edge(state("wild", 0.0, 1.0), None, 2))
    assert (chosen(above, c=0.0), chosen(above, c=0.0, backup="max")) == ("steady", "wild")


def test_puct_follows_the_prior_until_visits_speak() -> None:
    likely, rare = Edge(state("likely"), 0.9), Edge(state("rare"), 0.1)
    above = parent(likely, rare)
    assert chosen(above, puct=True, unvisited="parent") == "likely"
    for _ in range(40):
        back_up(above, [likely], [0.0, 0.0])
    assert chosen(above, puct=True, unvisited="parent") == "rare"


def test_first_play_urgency_is_a_little_below_the_parent() -> None:
    seen = Edge(state("seen", 0.5), 0.5, 1)
    above = parent(seen, Edge(state("new"), 0.5))
    above.total, above.visits = 1.0, 2  # a mean of 0.5
    assert 0.5 + 0.5 * sqrt(2) / 2 * 0.1 > 0.5 - 0.2 + 0.5 * sqrt(2) * 0.1
    assert chosen(above, puct=True, c=0.1, unvisited="parent") == "seen"
    assert chosen(above, puct=True, c=2.0, unvisited="parent") == "new"


def test_raps_fast_reward_stands_in_for_what_was_not_visited() -> None:
    above = parent(Edge(state("poor"), 0.1), Edge(state("fair"), 0.6), Edge(state("valued", reward=0.7), 0.2))
    assert chosen(above, unvisited="own") == "valued"


def test_a_visit_under_way_counts_as_a_lost_one_and_leaves_no_trace() -> None:
    best, second = Edge(state("best", 0.9), None, 1), Edge(state("second", 0.8), None, 1)
    above = parent(best, second)
    assert chosen(above) == "best"
    fly([above], [best], 1)
    assert best.child.mean(1.0) == pytest.approx((0.9 - 1) / 2)
    assert chosen(above) == "second"
    fly([above], [best], -1)
    assert (chosen(above), best.child.mean(1.0), above.flying) == ("best", 0.9, 0)


def grow(node: Node) -> list[Thought]:
    """Three steps deep, two ways each: 0 and 1, of which the second is three times as likely."""
    at = node.thought.state
    return [Thought(way, at + way, at + way, terminal=len(at) == 2, prior=p) for way, p in (("0", 0.25), ("1", 0.75))]


def worth(node: Node, draw: int) -> float:
    """The value of the binary fraction."""
    return int(node.thought.state, 2) / (1 << len(node.thought.state))


def test_a_batch_has_as_many_different_leaves_as_it_is_wide() -> None:
    found = drive(mcts(ROOT, rules=replace(UCT, iterations=13, width=4)), grow, worth)
    batches = [turn.chosen for turn in found.reports]  # type: ignore[union-attr]
    assert [len(batch) for batch in batches][:2] == [1, 2], "the root alone, then its child there is and the new one"
    assert all(len({node.path for node in batch}) == len(batch) <= 4 for batch in batches)
    assert max(map(len, batches)) == 4
    assert sum(map(len, batches)) == 13


def test_raps_returns_are_the_rewards_from_each_step_on() -> None:
    found = drive(mcts(ROOT, rules=replace(RAP, iterations=1)), grow, worth)
    assert [type(step) for step in found.asked[:4]] == [Expand] * 3 + [Evaluate]
    assert found.scored == [(1,), (1, 1), (1, 1, 1)], "the likeliest steps, each valued once, in one request"
    steps = [sqrt(value * 0.75) for value in (1 / 2, 3 / 4, 7 / 8)]
    of = {visited.node.path: visited for visited in found.statistics.nodes}
    for depth in range(1, 4):
        assert of[(1,) * depth].mean == pytest.approx(sum(steps[depth - 1 :]))
    assert of[()].mean == pytest.approx(sum(steps))


def test_lats_values_all_children_and_follows_the_best() -> None:
    found = drive(mcts(ROOT, rules=replace(LATS, iterations=1)), grow, worth)
    assert found.scored == [(0,), (1,), (1, 0), (1, 1), (1, 1, 0), (1, 1, 1)]
    assert found.answer == "111"


def test_a_dead_end_is_a_failure() -> None:
    def closed(node: Node) -> list[Thought]:
        return [] if node.thought.state == "1" else grow(node)

    found = drive(mcts(ROOT, rules=replace(LATS, iterations=6)), closed, worth)
    of = {visited.node.path: visited for visited in found.statistics.nodes}
    assert of[(1,)].mean == -1
    assert found.answer == "011", "a failed state is no answer while there is a finished one"


def test_equal_states_share_what_was_learnt() -> None:
    def sums(node: Node) -> list[Thought]:
        at = node.thought.state
        return [Thought(s, at + s, "".join(sorted(at + s)), terminal=len(at) == 1) for s in "ab"]

    for share, states in ((True, 6), (False, 7)):
        found = drive(mcts(ROOT, rules=replace(UCT, iterations=12, share=share)), sums, lambda node, draw: 0.5)
        assert len(found.statistics.nodes) == states
        assert len(found.scored) == states - 1
    shared = drive(mcts(ROOT, rules=replace(UCT, iterations=12)), sums, lambda node, draw: 0.5).statistics.nodes
    both = [visited for visited in shared if visited.node.thought.key == "ab"]
    assert [visited.node.path for visited in both] == [(0, 1)]
    assert sum(both[0].node.path in visited.children for visited in shared) == 2


def test_a_state_met_on_a_shorter_way_leads_to_no_way_longer_than_allowed() -> None:
    """x is met below p at the last step, where nothing follows; then below q, and what follows it is on q's way."""
    ways = {"": "pq", "p": "r", "r": "x", "q": "x", "x": "y"}

    def grow(node: Node) -> list[Thought]:
        return [Thought(key, key, key) for key in ways.get(node.thought.key, "")]

    def score(node: Node, draw: int) -> float:
        return 0.9 if node.thought.key in "prx" else 0.2

    for rules in (UCT, RAP, LATS):
        found = drive(mcts(Thought("", "", ""), rules=replace(rules, iterations=40, depth=3, c=2.0)), grow, score)
        visited = [each.node for each in found.statistics.nodes]
        assert max(node.depth for node in visited) == 3
        assert {node.path for node in visited if node.thought.key == "y"} == {(1, 0, 0)}


OUTPUTS: list[tuple[Output, str]] = [
    ("most-visited", "a"),
    ("best-mean", "b"),
    ("best-leaf", "b"),
    ("most-visited-leaf", "a"),
    ("max-reward", "c"),
    ("last", "d"),
]


@pytest.mark.parametrize(("output", "key"), OUTPUTS)
def test_each_output_rule_has_its_answer(output: Output, key: str) -> None:
    tree = Tree(ROOT, depth=1, share=True)
    fresh, _ = tree.grow(tree.root, [Thought(k, k, k, terminal=k != "d") for k in "abcd"])
    landings: list[Landing] = []
    for i, got, reward in [(0, 0.5, 0.5), (0, 0.5, 0.5), (1, 0.9, 0.9), (2, 0.7, 0.6), (3, 1.0, 1.0)]:
        fresh[i].reward = reward if i != 3 else 0.2
        back_up(tree.root, [(tree.root.edges or [])[i]], [got, got if i != 3 else 0.2])
        landings.append(Landing(fresh[i], i != 3, {2: 2.0}.get(i, got)))
    found = answers(tree, landings, output, "mean")
    assert found[0].thought.key == key
    assert {node.thought.key for node in found} == set("abcd")


def test_nothing_visited_is_no_answer() -> None:
    assert answers(Tree(ROOT, 3, True), [], "most-visited", "mean") == ()


def test_answers_weigh_as_much_as_what_leads_to_them() -> None:
    def node(path: tuple[int, ...], text: str, score: float, *below: tuple[int, ...]) -> Visited:
        return Visited(Node(path, Thought(text, text, str(path)), score), 1, score, below, True)

    found = Statistics(
        (
            node((), "", 0.0, (0,), (1,), (2,)),
            node((0,), "step", 0.5, (0, 0), (0, 1)),
            node((0, 0), "=7", 0.4),
            node((0, 1), "=8", 0.9),
            node((1,), "=7", 0.6),
            Visited(Node((2,), Thought("=9", "", "2")), 0, 0.0, (), False),
        )
    )

    def answer_of(each: Node) -> str | None:
        return each.thought.text[1:] if each.thought.text.startswith("=") else None

    assert answer_weights(found, answer_of) == pytest.approx({"7": 1.5, "8": 1.4})
    deep = answer_weights(found, answer_of, "edge-inverse-depth")
    assert deep == pytest.approx({"7": 0.4 / 2 + 0.5 / 2 + 0.6, "8": 0.9 / 2 + 0.5 / 2})
    assert answer_weights(found, answer_of, "uniform") == {"7": 2, "8": 1}


# AB-MCTS ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scores", [[], [0.3], [0.1, 0.9, 0.5, 0.5]])
def test_the_gaussian_posterior_is_the_papers(scores: Sequence[float]) -> None:
    seen = Seen()
    for score in scores:
        seen.add(score)
    n = len(scores)
    mean, squares = (fmean(scores), n * pvariance(scores)) if n else (0.0, 0.0)
    tau2 = (1 * 0.1 + squares + n * 1 * (0 - mean) ** 2 / (1 + n)) / (1 + n)
    assert Gaussian().parameters(seen) == pytest.approx((n * mean / (1 + n), 1 + n, 1 + n, tau2))


@pytest.mark.parametrize("posterior", [Gaussian(m=0.5), Beta()])
def test_draws_gather_round_what_was_seen(posterior: Gaussian | Beta) -> None:
    seen, chance = Seen(), rng(3, "draws")
    wide = [posterior.draw(seen, chance) for _ in range(200)]
    for i in range(300):
        seen.add(0.6 + 0.2 * (i % 3))
    narrow = [posterior.draw(seen, chance) for _ in range(200)]
    assert fmean(narrow) == pytest.approx(0.8, abs=0.03)
    assert pvariance(narrow) < pvariance(wide) / 50


def test_the_beta_posterior_refuses_what_is_no_share() -> None:
    seen = Seen()
    seen.add(20.0)
    with pytest.raises(ValueError, match="scale them"):
        Beta().draw(seen, rng(0))
    assert (seen.low, seen.high, Seen().low) == (20, 20, inf)


def endless(node: Node) -> list[Thought]:
    return [Thought(str(i), f"{node.thought.state}{i}", f"{node.thought.state}{i}") for i in range(60)]


def test_ab_mcts_goes_wide_where_new_ones_are_good_and_deep_where_old_ones_get_better() -> None:
    def worse_below(node: Node, draw: int) -> float:
        return 0.8 if node.depth == 1 else 0.1

    def better_below(node: Node, draw: int) -> float:
        return min(1.0, 0.2 * node.depth)

    wide = drive(ab_mcts(ROOT, iterations=40), endless, worse_below)
    deep = drive(ab_mcts(ROOT, iterations=40), endless, better_below)
    assert sum(len(path) == 1 for path in wide.scored) >= 24
    assert sum(len(path) == 1 for path in deep.scored) <= 12
    assert max(map(len, deep.scored)) >= 5


def test_ab_mcts_asks_the_generator_that_serves_it_best() -> None:
    asked = [0, 0]
    search = ab_mcts(ROOT, iterations=60, generators=2, depth=1)
    reply: object = None
    by: dict[tuple[int, ...], int] = {}
    try:
        while True:
            step = search.send(reply)
            if isinstance(step, Widen):
                for node, draw, generator in zip(step.nodes, step.draws, step.generators, strict=True):
                    asked[generator] += 1
                    by[(*node.path, draw)] = generator
                reply = [Thought("", str(d), str(d)) for d in step.draws]
            elif isinstance(step, Evaluate):
                reply = [0.9 if by[node.path] else 0.1 for node in step.nodes]
            else:
                reply = None
    except StopIteration:
        assert sum(asked) == 60
        assert asked[1] > 45


def test_a_thought_that_does_not_come_and_one_that_is_there_already_cost_no_judge() -> None:
    def same(node: Node) -> list[Thought]:
        return [Thought("x", "x", "x"), Thought("x", "x", "x")]

    found = drive(ab_mcts(ROOT, iterations=9, depth=1, failed=0.0), same, lambda node, draw: 1.0)
    assert found.scored == [(0,)]
    assert [into for turn in found.reports for _, into in turn.merged] == [(0,)]
    assert found.reports[-1].stop == "iterations"
    assert drive(mcts(ROOT, rules=Rules(iterations=3)), lambda node: [], worth).reports[-1].stop == "exhausted"
