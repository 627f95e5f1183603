"""What went wrong in other people's searches, and must not here: one test for each trap."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from call_graph import prompt_of
from search_worlds import grove, worlds

from promptkit import api, registry
from promptkit.composition import inner, made
from promptkit.events import Best, CallEnded, LevelDone, NodeAdded, NodePruned, NodeSelected, NodeValued, Record
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Completion, Outcome, Request, Strategy

pytestmark = pytest.mark.usefixtures(worlds.__name__)

SEARCHES = (
    "tot",
    "tot(search=dfs)",
    "tot(adaptive=true, n_evaluate=3)",
    "beam",
    "beam(stochastic=0.5)",
    "dvts",
    "best-first(width=2)",
    "levin",
    "mcts(leaves=3)",
    "mcts(rules=puct)",
    "mcts(rules=rap)",
    "mcts(simulate=random)",
    "ab-mcts(over=steps, width=2)",
)
THREE = {"a": ["likely", {"aa": ["sure", {"aa!": ["sure", {}]}], "ab": ["impossible", {"abx": ["likely", {}]}]}]}


def played(search: str | Strategy, question: str, say: Any, **how: Any) -> tuple[Outcome, list[Record]]:
    """The outcome of a search, and everything that was said on the way."""
    seen: list[Record] = []
    strategy = inner(search)
    assert strategy
    with Journal.open(None) as journal:
        outcome = api.run(strategy, question, model=Scripted(say), journal=journal, sinks=[seen.append], **how)
    return outcome, seen


def of(seen: list[Record], *kinds: type[Any]) -> list[Any]:
    return [record.event for record in seen if isinstance(record.event, kinds)]


def test_every_search_is_here() -> None:
    named = {registry.name_of("strategy", strategy) for each in SEARCHES if (strategy := inner(each))}
    room = {
        n for n, target in registry.BUILT_IN["strategy"].items() if target.startswith("promptkit.strategies.search.")
    }
    assert named == room


@pytest.mark.parametrize("search", SEARCHES)
def test_7_a_value_belongs_to_the_state_it_was_given_for(search: str) -> None:
    """Dead ends, merged states and illegal lines stand between the children that are judged."""
    tree = {
        "dead": ["sure", {}],
        "a": ["impossible", {"a1": ["impossible", {"a2": ["impossible", {"x": ["sure", {}]}]}]}],
        "a=": ["impossible", {"a1": ["impossible", {}]}],
        "b": ["sure", {"b1": ["sure", {"b2": ["sure", {"x": ["sure", {}]}]}], "bdead": ["sure", {}]}],
        "c": ["likely", {"c1": ["likely", {"c2": ["likely", {"x": ["sure", {}]}]}]}],
    }
    question, say = grove(tree, extra=("nowhere",))
    _, seen = played(search, question, say, pack="grove")
    state = {event.node: event.state for event in of(seen, NodeAdded)}
    wanted = {"a": "impossible", "b": "sure", "c": "likely"}
    valued = of(seen, NodeValued)
    assert valued or search == "levin"
    for event in valued:
        assert set(event.verdicts) == {wanted[state[event.node][0]]}, state[event.node]
    left_out = {(event.thought, event.reason) for event in of(seen, NodePruned)}
    assert {("dead", "dead end"), ("nowhere", "illegal")} <= left_out


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("generate", ["propose", "sample"])
def test_8_and_9_replies_without_a_thought_end_the_search_soon(search: str, generate: str) -> None:
    calls: list[Request] = []

    def mute(request: Request) -> str:
        calls.append(request)
        return "" if len(calls) % 2 else "\n \n"

    strategy = inner(search)
    assert strategy
    outcome, _ = played(search, '{"a": ["sure", {}]}', mute, pack="grove")
    assert (outcome.answer, outcome.status) == (None, "undecided")
    assert outcome.detail["reason"] == "no legal thought was left"
    assert len(calls) <= 20
    calls.clear()
    name = registry.name_of("strategy", strategy)
    outcome, _ = played(made(name, {"generate": generate}), "What now?", mute)
    assert outcome.status == "undecided"
    assert 1 <= len(calls) <= 20


def test_10_selection_goes_all_the_way_down_and_the_root_is_expanded_once() -> None:
    deep: dict[str, Any] = {}
    for step in "edcba":
        deep = {step: ["likely", deep], f"{step}0": ["impossible", {"x": ["impossible", {"y": ["sure", {}]}]}]}
    question, say = grove(deep)
    _, seen = played("mcts(iterations=20, leaves=4, depth=5)", question, say, pack="grove")
    lists = Counter(
        record.span for record in seen if isinstance(record.event, CallEnded) and "/propose/" in record.span
    )
    prompts = [event.state for event in of(seen, NodeAdded)]
    assert max(state.count("/") for state in prompts) >= 3, "deeper than one level"
    assert set(lists.values()) == {1}
    assert sum(span.startswith("mcts/turn-1/propose") for span in lists) == 1, "four leaves, one list of the root"


def test_11_every_prompt_has_the_question_and_the_whole_way(journal: Journal) -> None:
    prompts: list[str] = []

    def say(request: Request) -> str:
        prompts.append(prompt_of(request))
        if "next step" in prompts[-1]:
            return f"step {prompts[-1].count('step ')}: {request.index}"
        return "Answer: 42" if "Draw the conclusion" in prompts[-1] else "sure"

    for search in SEARCHES:
        prompts.clear()
        strategy = made(registry.name_of("strategy", inner(search)), {"depth": 3, "generate": "sample", "k": 2})
        outcome = api.run(strategy, "How far is the moon?", model=Scripted(say), journal=journal, fresh=True)
        assert all("How far is the moon?" in prompt for prompt in prompts), search
        if search == "ab-mcts(over=steps, width=2)":
            continue  # by itself it searches over answers where nothing is checked
        assert outcome.answer == "42"
        way = next(prompt for prompt in prompts if "Draw the conclusion" in prompt)
        assert way.count("\nstep ") == 3, search


def test_15_the_answer_is_the_first_states_and_never_any_of_them() -> None:
    """The state with the right answer is kept, and ranked second: the run is wrong, and says what it answered."""

    def say(request: Request) -> str:
        prompt = prompt_of(request)
        if "next step" in prompt:
            return ["It is 41.", "It is 42."][request.index % 2]
        if "Draw the conclusion" in prompt:
            return "Answer: 41" if "41" in prompt.partition("Reasoning:")[2] else "Answer: 42"
        return "sure" if "41" in prompt else "likely"

    for search in ("tot", "beam", "best-first", "mcts", "dvts"):
        how = {"depth": 1, "generate": "sample", "k": 2} | ({"evaluate": "value", "b": 2} if search == "tot" else {})
        outcome, seen = played(made(search, how), "6 times 7?", say)
        assert outcome.detail["kept"] >= 2
        assert outcome.answer == "41", search
        assert outcome.verified is None
        assert [event.answer for event in of(seen, Best)] == ["41"]


def test_17_a_tie_at_the_cut_is_told() -> None:
    tree = {name: ["likely", {"x": ["sure", {"y": ["sure", {}]}]}] for name in "abcd"}
    question, say = grove(tree)
    for search in ("tot(b=2, depth=1)", "beam(b=2, depth=1)"):
        _, seen = played(search, question, say, pack="grove")
        (level,) = of(seen, LevelDone)
        assert (level.kept, level.seen, level.tied) == (2, 4, 2)
        assert [event.reason for event in of(seen, NodePruned)] == ["tie", "tie"]
        assert [event.node for event in of(seen, NodeSelected)] == [(0,), (1,)], "in the order in which they were told"


@pytest.mark.parametrize("search", SEARCHES)
def test_18_no_more_thoughts_join_than_are_allowed(search: str) -> None:
    tree = {
        f"{i}": ["likely", {f"{i}{j}": ["likely", {"x": ["sure", {"y": ["sure", {}]}]}] for j in "xyz"}] for i in "abc"
    }
    question, say = grove(tree)
    strategy = inner(search)
    name = registry.name_of("strategy", strategy)
    _, seen = played(made(name, {"nodes": 5}), question, say, pack="grove")
    assert 1 <= len([event for event in of(seen, NodeAdded) if event.node]) <= 5
    valued = {event.node for event in of(seen, NodeValued)}
    assert valued <= {event.node for event in of(seen, NodeAdded)}


def test_16_a_sampled_thought_that_was_cut_off_is_no_thought() -> None:
    def say(request: Request) -> str | Completion:
        prompt = prompt_of(request)
        if "next step" in prompt:
            finish: Any = "length" if request.index == 0 else "stop"
            return Completion(text=f"thought {request.index} that goes", model="m", finish=finish)
        return "Answer: 42" if "Draw the conclusion" in prompt else "sure"

    _, seen = played("beam(depth=1, generate=sample, k=2)", "What?", say)
    assert [event.thought for event in of(seen, NodeAdded) if event.node] == ["thought 1 that goes"]
    assert [(event.thought, event.reason) for event in of(seen, NodePruned)] == [("thought 0 that goes", "cut off")]


@pytest.mark.parametrize("name", ["best-first", "levin"])
@pytest.mark.parametrize(("expansions", "stop"), [(2, "expansions"), (9, "exhausted")])
def test_why_it_ended_is_told(name: str, expansions: int, stop: str) -> None:
    question, say = grove({name: ["likely", {"x": ["sure", {"y": ["sure", {}]}]}] for name in "ab"})
    outcome, _ = played(made(name, {"expansions": expansions, "depth": 2}), question, say, pack="grove")
    assert outcome.detail["stop"] == stop


@pytest.mark.parametrize("search", SEARCHES)
def test_nothing_stays_from_one_run_to_the_next(search: str) -> None:
    """One strategy object, several runs at once: each is as if it were alone."""
    question, say = grove(THREE)
    strategy = inner(search)
    assert strategy

    async def both() -> list[Outcome]:
        with Journal.open(None) as journal:
            runs = [api.arun(strategy, question, model=Scripted(say), journal=journal, pack="grove") for _ in range(3)]
            return list(await asyncio.gather(*runs))

    alone, _ = played(strategy, question, say, pack="grove")
    assert {(each.answer, each.text) for each in asyncio.run(both())} == {(alone.answer, alone.text)}


@pytest.mark.parametrize("first", ["", ", of=cot", ", of=re-read"])
def test_4_the_first_answers_are_drawn_at_a_temperature_at_which_they_differ(first: str) -> None:
    asked: list[Request] = []

    def say(request: Request) -> str:
        asked.append(request)
        return "Verdict: 5" if "Give feedback" in prompt_of(request) else f"Answer: {len(asked)}"

    played(f"ab-mcts(iterations=4, width=4, over=answers{first})", "What?", say)
    drafts = [request for request in asked if "step by step" in prompt_of(request)]
    assert len({request.draw for request in drafts}) == len(drafts) == 4
    assert {request.temperature for request in drafts} == {0.7}


def test_parameters_are_refused_that_make_no_sense() -> None:
    from promptkit.errors import BadInput

    for wrong in (
        "tot(adaptive=true, evaluate=vote)",
        "tot(evaluate=vote, evaluator=sc)",
        "tot(evaluator=sc, n_evaluate=3)",
        "tot(search=dfs, order=prior, evaluate=vote)",
        "tot(threshold=1)",
        "tot(search=dfs, adaptive=true)",
        "beam(stochastic=0)",
        "beam(decay=2)",
        "beam(decay=0.5)",
        "mcts(loss=0.5)",
        "mcts(alpha=2)",
        "mcts(weigh=edge, take=last)",
        "mcts(iterations=0)",
        "best-first(temperature=0, n_evaluate=3)",
        "levin(nodes=0)",
        "ab-mcts(over=answers, evaluator=sc)",
        "ab-mcts(over=steps, of=cot)",
        "ab-mcts(over=answers, temperature=0)",
        'ab-mcts(over=answers, of="cot(temperature=0)")',
    ):
        with pytest.raises(BadInput) as refused:
            inner(wrong)
        assert refused.value.hint, wrong
