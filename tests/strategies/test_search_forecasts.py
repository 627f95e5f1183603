"""What a search announces is what it takes, and a smaller one is made where the samples do not suffice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from call_graph import prompt_of
from search_worlds import grove, worlds

from promptkit import api
from promptkit.announced import Forecast, forecast, within
from promptkit.composition import inner
from promptkit.events import CallEnded, Record, Substituted
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Outcome, Problem, Request, Strategy, Token

pytestmark = pytest.mark.usefixtures(worlds.__name__)

SEARCHES = (
    "tot(b=2)",
    "tot(b=2, evaluate=vote, n_evaluate=2)",
    "tot(b=2, adaptive=true, n_evaluate=3)",
    'tot(b=2, evaluator="sc(n=3)")',
    "tot(search=dfs, children=2)",
    "tot(search=dfs, order=prior, take=deepest)",
    "beam(b=2)",
    "beam(b=2, stochastic=0.5, decay=0.5, reward=product, confidence=0.5)",
    "dvts(subtrees=2)",
    "best-first(expansions=6, width=2)",
    "levin(expansions=6)",
    "mcts(iterations=8, leaves=3)",
    "mcts(iterations=6, rules=puct)",
    "mcts(iterations=6, rules=rap)",
    "mcts(iterations=6, simulate=sample, weigh=edge)",
    "ab-mcts(iterations=6, over=steps, width=2)",
    "ab-mcts(iterations=6, over=answers, width=2)",
)
TREE: dict[str, Any] = {
    a: ["likely", {a + b: ["sure", {a + b + c: ["likely", {"x": ["sure", {}]}] for c in "ab"}] for b in "ab"}]
    for a in "abc"
}
QUESTION, SAY = grove(TREE)
Say = Callable[[Request], str]


def free(request: Request) -> str:
    """Thinks in free text; says a little differently what it is asked several times."""
    prompt = prompt_of(request)
    if "different next steps" in prompt:
        return "\n".join(f"way {i} after {prompt.count('way')}" for i in range(4))
    if "next step" in prompt:
        return f"way {request.index} after {prompt.count('way')}"
    if "The best choice is N" in prompt:
        return "The best choice is 1"
    if "Give feedback" in prompt:
        return f"It is short.\nVerdict: {2 + len(prompt) % 3}"
    if "last line with a single word" in prompt:
        return ["sure", "likely", "impossible"][len(prompt) % 3]
    return f"Answer: {40 + request.index}"


def mumbling(say: Say) -> Say:
    """Never ends in a verdict at first, and not always when asked again."""

    def said(request: Request) -> str:
        reply = say(request)
        verdict = reply in ("sure", "likely", "impossible") or "Verdict" in reply or "best choice" in reply
        return "Who knows." if verdict else reply

    return said


def taken(strategy: Strategy, problem: Problem, say: Any, *, shuffle: int = 0) -> tuple[int, Outcome, list[Record]]:
    """How many samples a run takes, those it has already counted again, and what came of it."""
    seen: list[Record] = []

    async def late(request: Request) -> str:
        if shuffle:
            await asyncio.sleep(hash((shuffle, request)) % 7 / 10000)
        return cast(str, say(request))

    with Journal.open(None) as journal:
        outcome = api.run(
            strategy,
            problem.text,
            pack=problem.pack,
            output=json.loads(problem.output_schema) if problem.output_schema else None,
            model=Scripted(late),
            journal=journal,
            sinks=[seen.append],
        )
    return sum(isinstance(record.event, CallEnded) for record in seen), outcome, seen


def holds(said: Forecast, calls: int) -> bool:
    return said.least <= calls and (said.most is None or calls <= said.most)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("generate", ["propose", "sample"])
@pytest.mark.parametrize(("pack", "judge"), [("grove", "clear"), ("general", "clear"), ("general", "mumbling")])
def test_it_takes_what_it_announced(search: str, generate: str, pack: str, judge: str) -> None:
    if "answers" in search and pack == "grove":
        pytest.skip("a grove has no worked answers")
    strategy = replace(cast(Any, inner(search)), generate=generate)
    problem = Problem(text=QUESTION if pack == "grove" else "What is six times seven?", pack=pack)
    say = free if pack == "general" else SAY
    said = forecast(strategy, problem)
    calls, outcome, _ = taken(strategy, problem, mumbling(say) if judge == "mumbling" else say)
    assert holds(said, calls), (said, calls)
    if pack == "grove" or (judge == "mumbling" and "dfs" in search):  # no goal; or nothing above the threshold
        assert outcome.status == "undecided"
    elif "dfs" not in search:  # whose judge may find all of it impossible
        assert outcome.status == "done"
    assert generate == "propose" or said.most is not None, "k samples are k thoughts: the most is known"


@pytest.mark.parametrize("search", ["tot(b=1, depth=1)", "ab-mcts(iterations=2)"])
def test_a_form_that_must_be_mended_is_in_it(search: str) -> None:
    schema = json.dumps({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})

    def say(request: Request) -> str:
        prompt = prompt_of(request)
        if "JSON" in prompt and len(request.messages) == 1:
            return "forty-two"
        return '{"n": 42}' if len(request.messages) > 1 else free(request)

    strategy = inner(search)
    assert strategy
    problem = Problem(text="6 times 7?", output_schema=schema)
    calls, outcome, _ = taken(strategy, problem, say)
    assert outcome.value == {"n": 42}
    assert holds(forecast(strategy, problem), calls)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("pack", ["grove", "general"])
def test_within_so_many_samples_it_is_the_largest_that_fits(search: str, pack: str) -> None:
    if "answers" in search and pack == "grove":
        pytest.skip("a grove has no worked answers")
    problem = Problem(text=QUESTION if pack == "grove" else "What is six times seven?", pack=pack)
    strategy = inner(search)
    assert strategy
    mosts = []
    for samples in (1, 20, 90, 10**6):
        smaller = within(strategy, problem, samples)
        if smaller is None:
            assert samples < 90, "a small search is better than none"
            continue
        said = forecast(smaller, problem)
        assert said.most is not None
        mosts.append(said.most)
        calls, _, _ = taken(smaller, problem, mumbling(SAY if pack == "grove" else free))
        assert calls <= said.most <= samples
    assert mosts == sorted(mosts)
    assert mosts[-2] > 45 or forecast(strategy, problem).most == mosts[-2], "most of 90 samples are made use of"


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("pack", ["grove", "general"])
def test_the_order_in_which_replies_come_changes_nothing(search: str, pack: str) -> None:
    if "answers" in search and pack == "grove":
        pytest.skip("a grove has no worked answers")
    strategy = inner(search)
    assert strategy
    problem = Problem(text=QUESTION if pack == "grove" else "What is six times seven?", pack=pack)
    told = []
    for shuffle in (0, 1):
        _, outcome, seen = taken(strategy, problem, SAY if pack == "grove" else free, shuffle=shuffle)
        kinds = ("Node", "Level", "Best")
        events = [(r.span, r.event) for r in seen if type(r.event).__name__.startswith(kinds) and "~" not in r.span]
        told.append((outcome.answer, outcome.text, dict(outcome.detail), events))
    assert told[0] == told[1]


def spoken(request: Request) -> Completion:
    """Three steps of different probability, with the log-probabilities of their words."""
    prompt = prompt_of(request)
    if not prompt.startswith("Ways on"):
        return Completion(text=str(SAY(request)), model="m")
    names = SAY(request).split("\n")
    tokens = [Token(f"{name}\n", -0.1 if name.endswith("b") else -3.0) for name in names]
    return Completion(text="\n".join(names), model="m", logprobs=tuple(tokens) if request.logprobs else ())


def test_levin_goes_by_log_probabilities_where_there_are_some_and_says_so_where_there_are_none() -> None:
    strategy = inner("levin(expansions=2)")
    assert strategy
    told: dict[bool, tuple[list[str], list[Any]]] = {}
    for logprobs in (True, False):
        seen: list[Record] = []
        model = Scripted(spoken, capabilities=Capabilities(seed=True, logprobs=logprobs, local=True, price=(0.0, 0.0)))
        with Journal.open(None) as journal:
            api.run(strategy, QUESTION, pack="grove", model=model, journal=journal, sinks=[seen.append])
        added = [r.event.state for r in seen if type(r.event).__name__ == "NodeAdded" and "turn-2" in r.span]  # type: ignore[union-attr]
        told[logprobs] = added, [r.event for r in seen if isinstance(r.event, Substituted)]
    assert [state.partition("/")[0] for state in told[True][0]] == ["b", "b"], "the likeliest is expanded first"
    assert [state.partition("/")[0] for state in told[False][0]] == ["a", "a"], "all are equally likely: the first"
    assert told[True][1] == []
    assert [event.wanted for event in told[False][1]] == ["the log-probabilities of proposals"]


def test_where_nothing_else_is_said_a_thought_is_as_likely_as_it_was_often_sampled() -> None:
    drawn = ["left", "right", "right", "left", "right"]

    def say(request: Request) -> str:
        prompt = prompt_of(request)
        return drawn[request.index] if "next step" in prompt else "Answer: 42"

    strategy = inner("levin(expansions=2, generate=sample, k=5, depth=2)")
    assert strategy
    _, outcome, seen = taken(strategy, Problem(text="Where?"), say)
    assert "how often a thought was sampled" in {r.event.by for r in seen if isinstance(r.event, Substituted)}
    assert outcome.detail["path"][0] == 1, "right, the second thought, three times in five"
