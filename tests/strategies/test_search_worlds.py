"""Any search, with a world that nobody here has thought of: legal moves, goals and answers are the world's."""

from __future__ import annotations

from typing import Any

import pytest
from search_worlds import MOVES, distances, moves_towers, worlds

from promptkit import api
from promptkit.events import Best, NodeAdded, NodePruned, NodeValued, Record
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted

SEARCHES: list[tuple[str, dict[str, Any]]] = [
    ("tot", {}),
    ("tot", {"adaptive": True, "n_evaluate": 2}),
    ("tot", {"search": "dfs"}),
    ("tot", {"search": "dfs", "order": "prior"}),
    ("beam", {"b": 2}),
    ("beam", {"b": 4, "stochastic": 0.1, "decay": 0.5, "reward": "last"}),
    ("dvts", {"k": 6}),
    ("best-first", {}),
    ("best-first", {"width": 3}),
    ("levin", {"expansions": 30}),
    ("mcts", {"iterations": 60, "c": 0.2}),
    ("mcts", {"iterations": 60, "c": 0.2, "leaves": 4}),
    ("mcts", {"iterations": 120, "rules": "puct", "c": 0.5}),
    ("mcts", {"iterations": 120, "rules": "rap"}),
    ("mcts", {"iterations": 60, "c": 0.2, "simulate": "greedy"}),
    ("ab-mcts", {"iterations": 60, "width": 2, "depth": 3}),
]

pytestmark = pytest.mark.usefixtures(worlds.__name__)


@pytest.mark.parametrize(("name", "params"), SEARCHES)
def test_the_optimum_is_found_verified_and_put_together_by_program(
    name: str, params: dict[str, Any], journal: Journal
) -> None:
    seen: list[Record] = []
    model = Scripted(moves_towers)
    disks = 2 if name == "ab-mcts" else 3  # which asks for one move at a time, legal or not
    outcome = api.run(name, f"{disks} disks", pack="hanoi", model=model, journal=journal, sinks=[seen.append], **params)
    assert outcome.verified is True
    assert outcome.answer is not None
    assert len(outcome.answer.split(", ")) == distances(disks)["A" * disks] == 2**disks - 1
    best = [record.event for record in seen if isinstance(record.event, Best)]
    assert [(each.answer, each.verified) for each in best] == [(outcome.answer, True)], "said as soon as it is found"
    goal = next(record.seq for record in seen if isinstance(record.event, NodeAdded) and record.event.verified)
    assert not [r for r in seen if r.seq > goal and isinstance(r.event, NodeValued)], "nothing is judged after a goal"
    illegal = {r.event.thought for r in seen if isinstance(r.event, NodePruned) and r.event.reason == "illegal"}
    assert "I would say:" in illegal
    assert illegal & set(MOVES), "a large disk on a small one"


def test_a_question_that_is_none_of_its_own_is_refused_before_anything_is_asked(journal: Journal) -> None:
    from promptkit.errors import BadInput

    with pytest.raises(BadInput, match="not a tower"):
        api.run("mcts", "three disks", pack="hanoi", model=Scripted(moves_towers), journal=journal)
