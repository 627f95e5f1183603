"""Depth-first search as in the paper's crosswords: prune what is impossible, go back, and know when to stop."""

from __future__ import annotations

from typing import Any

import pytest
from search_worlds import grove, worlds

from promptkit import api
from promptkit.composition import inner
from promptkit.errors import BadInput
from promptkit.events import NodeAdded, NodePruned, NodeSelected, NodeValued, Record
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Outcome

pytestmark = pytest.mark.usefixtures(worlds.__name__)

DEEP: dict[str, Any] = {  # the way on looks best, then everything below it turns out impossible
    "lure": ["sure", {"l1": ["impossible", {"l!": ["sure", {}]}], "l2": ["impossible", {"x": ["sure", {}]}]}],
    "dull": ["likely", {"d1": ["likely", {"d!": ["sure", {}]}], "d2": ["impossible", {"x": ["sure", {}]}]}],
    "dead": ["impossible", {"e1": ["sure", {"e!": ["sure", {}]}]}],
}


def visited(search: str, tree: dict[str, Any]) -> tuple[list[str], list[tuple[str, str]], Outcome]:
    """The states in the order in which they were gone to, those that were dropped and why, and the outcome."""
    question, say = grove(tree)
    seen: list[Record] = []
    strategy = inner(search)
    assert strategy
    with Journal.open(None) as journal:
        outcome = api.run(strategy, question, pack="grove", model=Scripted(say), journal=journal, sinks=[seen.append])
    events = [record.event for record in seen]
    state = {event.node: event.state for event in events if isinstance(event, NodeAdded)}
    gone = [state[event.node] for event in events if isinstance(event, NodeSelected)]
    dropped = [
        (state.get(event.node, event.thought), event.reason) for event in events if isinstance(event, NodePruned)
    ]
    return gone, dropped, outcome


def test_it_goes_down_the_best_way_prunes_what_is_impossible_and_comes_back() -> None:
    gone, dropped, outcome = visited("tot(search=dfs)", DEEP)
    assert gone == ["lure", "dull", "dull/d1"]
    assert dropped == [("dead", "score"), ("lure/l1", "score"), ("lure/l2", "score"), ("dull/d2", "score")]
    assert (outcome.answer, outcome.verified) == ("dull/d1/d!", True)
    assert outcome.detail["stop"] == "goal"


def test_without_pruning_it_finds_the_goal_that_its_judge_called_impossible() -> None:
    gone, dropped, outcome = visited("tot(search=dfs, threshold=0)", DEEP)
    assert gone == ["lure", "lure/l1"]
    assert dropped == []
    assert outcome.answer == "lure/l1/l!"


def test_at_most_so_many_children_are_followed() -> None:
    tree = {a: ["likely", {a + "1": ["likely", {"x": ["sure", {"y": ["likely", {}]}]}]}] for a in "abcd"}
    gone, dropped, _ = visited("tot(search=dfs, children=2, depth=2)", tree)
    assert gone == ["a", "a/a1", "b", "b/b1"]
    assert dropped == [("c", "breadth"), ("d", "breadth")]


def test_a_child_may_be_judged_only_when_its_turn_comes() -> None:
    question, say = grove(DEEP)
    for order, judged in (("value", {"lure", "dull", "dead"}), ("prior", {"lure", "dull"})):
        seen: list[Record] = []
        strategy = inner(f"tot(search=dfs, order={order})")
        assert strategy
        with Journal.open(None) as journal:
            outcome = api.run(
                strategy, question, pack="grove", model=Scripted(say), journal=journal, sinks=[seen.append]
            )
        state = {r.event.node: r.event.state for r in seen if isinstance(r.event, NodeAdded)}
        valued = {state[r.event.node] for r in seen if isinstance(r.event, NodeValued)}
        assert {name for name in valued if "/" not in name} == judged
        assert outcome.answer == "dull/d1/d!"


def test_so_many_nodes_and_no_more_and_then_the_best_or_the_deepest_so_far() -> None:
    tree = {
        "a": ["likely", {"a1": ["likely", {"x": ["sure", {"y": ["sure", {}]}]}]}],
        "b": ["likely", {"b1": ["sure", {"x": ["sure", {"y": ["sure", {}]}]}]}],
    }
    gone, dropped, outcome = visited("tot(search=dfs, nodes=3)", tree)
    assert gone == ["a", "a/a1"][: len(gone)]
    assert outcome.detail["nodes"] == 3
    assert outcome.status == "undecided"
    assert ("x", "cap") in dropped or outcome.detail["stop"] in ("", "nodes")
    best = visited("tot(search=dfs, depth=2)", tree)[2]
    deepest = visited("tot(search=dfs, depth=2, take=deepest)", tree)[2]
    assert best.text.endswith("b\nb1"), "the best of all that are as deep as it goes"
    assert deepest.text.endswith("a\na1"), "the first of all that are as deep as it goes"


@pytest.mark.parametrize(
    ("spec", "said", "hint"),
    [
        ("tot(threshold=0)", "--threshold: for depth-first search only", "--search dfs"),
        ("tot(threshold=1, children=2)", "--threshold and --children: for depth-first", "--search dfs"),
        ("tot(search=dfs, select=sample)", "--select sample: for breadth-first search only", "--search bfs"),
    ],
)
def test_what_belongs_to_another_search_is_named_with_it(spec: str, said: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        inner(spec)
    assert caught.value.message.startswith(said)
    assert caught.value.hint == hint
