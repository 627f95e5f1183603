"""What a search has is never lost on the way: the best answer so far, a level without an heir, a lost ballot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from call_graph import prompt_of
from script_by_prompt import NUMBER, Script, run
from search_worlds import grove, worlds

from promptkit.composition import inner
from promptkit.errors import Unavailable
from promptkit.events import Best, LevelDone
from promptkit.types import Request

pytestmark = pytest.mark.usefixtures(worlds.__name__)

Steps = dict[str, tuple[str, Sequence[str]]]  # what a state ends in; its verdict, and the steps that follow


def thinks(steps: Steps) -> Callable[[Request], str]:
    """A model that goes on from the last step in view, and knows what each is worth."""

    def say(request: Request) -> str:
        prompt = prompt_of(request)
        if "Draw the conclusion" in prompt:
            return "Answer: 42"
        way = prompt.partition("Steps so far:")[2]
        at = max((step for step in steps if step and step in way), key=way.rfind, default="")
        if "next step" in prompt:
            following = steps[at][1]
            return following[request.index % len(following)] if following else ""
        return steps[at][0]

    return say


@pytest.mark.parametrize("search", ["beam(b=3", "dvts(subtrees=2"])
def test_a_worse_chain_that_ends_later_is_not_the_best_so_far(search: str) -> None:
    say = thinks(
        {
            "": ("sure", ["Answer: 41", "First, think."]),
            "Answer: 41": ("sure", []),
            "First, think.": ("likely", ["Answer: 7"]),
            "Answer: 7": ("likely", []),
        }
    )
    done = run(f"{search}, generate=sample, k=2, depth=3, n_evaluate=1)", Script(("", say)), "6 times 7?", **NUMBER)
    assert done.best == ["41"]
    assert done.outcome.answer == "41"


def test_a_chain_that_has_ended_is_the_best_so_far_though_an_open_one_is_worth_more() -> None:
    say = thinks(
        {
            "": ("sure", ["First, think.", "Answer: 41"]),
            "First, think.": ("sure", ["Then, think more."]),
            "Then, think more.": ("likely", ["Answer: 7"]),
            "Answer: 7": ("likely", []),
            "Answer: 41": ("likely", []),
        }
    )
    done = run("beam(b=2, generate=sample, k=2, depth=3, n_evaluate=1)", Script(("", say)), "6 times 7?", **NUMBER)
    said = [type(each.event) for each in done.records if isinstance(each.event, Best | LevelDone)]
    assert said[:2] == [LevelDone, Best]
    assert done.best[0] == "41"


@pytest.mark.parametrize("search", ["tot(b=2, evaluate=value", "beam(b=2"])
def test_where_nothing_follows_the_answer_is_drawn_from_what_there_is(search: str) -> None:
    say = thinks({"": ("sure", ["First, think."]), "First, think.": ("sure", [])})
    done = run(f"{search}, generate=sample, k=1, depth=3, n_evaluate=1)", Script(("", say)), "6 times 7?")
    assert (done.outcome.answer, done.outcome.detail["kept"]) == ("42", 1)


def test_the_goal_that_was_announced_is_the_answer() -> None:
    tree: dict[str, Any] = {name: ["likely", {}] for name in ("a", "b!", "c!", "d")}
    question, say = grove(tree | {"a": ["likely", {"x": ["sure", {}]}]})
    for search in ("dvts(subtrees=2)", "levin", "tot", "best-first", "mcts"):
        done = run(inner(search) or search, Script(("", say)), question, pack="grove")
        assert done.best == [done.outcome.answer], search
        assert done.outcome.verified


def test_one_ballot_that_is_lost_does_not_end_a_depth_first_search() -> None:
    steps: Steps = {
        "": ("", ["First, think."]),
        "First, think.": ("", ["Then, think more."]),
        "Then, think more.": ("", []),
    }
    say, votes = thinks(steps), [0]

    def losing(request: Request) -> str:
        if "The best choice is N" not in prompt_of(request):
            return say(request)
        votes[0] += 1
        if votes[0] == 2:
            raise Unavailable("down")
        return "The best choice is 1"

    search = "tot(search=dfs, evaluate=vote, n_evaluate=1, generate=sample, k=1, depth=2)"
    done = run(search, Script(("", losing)), "6 times 7?")
    assert (done.outcome.answer, done.outcome.detail["failed"]) == ("42", 1)
