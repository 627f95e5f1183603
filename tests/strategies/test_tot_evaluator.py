"""A search whose judge is a strategy: tot over a vote, as one tree."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from call_graph import SCRIPTED, prompt_of

from promptkit.cli.app import start
from promptkit.composition import inner
from promptkit.errors import BadInput, Unavailable
from promptkit.events import Best, NodeValued, Record, SpanStarted, VotesCounted
from promptkit.exchange import AMONG, read
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.plan import Plan, RunOptions
from promptkit.runtime.run import execute
from promptkit.types import Capabilities, Completion, Outcome, Problem, Request

VOTES = {"left": ("sure", "likely", "sure"), "right": ("likely", "sure", "likely")}


def say(request: Request) -> str:
    """Two ways, one of which two of three judges take for sure."""
    prompt = prompt_of(request)
    if "Judge whether these steps" in prompt:
        way = "left" if "go left" in prompt else "right"
        return f"Let me think.\nAnswer: {VOTES[way][request.index % 3]}"
    if "next step" in prompt:
        return ["go left", "go right"][request.index % 2]
    return "Answer: home"


def run(
    search: str, script: Any = say, capabilities: Capabilities = SCRIPTED, **how: Any
) -> tuple[Outcome, list[Record]]:
    seen: list[Record] = []
    strategy = inner(search)
    assert strategy
    with Journal.open(None) as journal:
        plan = Plan(
            run="r0",
            name="run",
            strategy=strategy,
            problem=Problem(text="Which way?", **how),
            provider=Scripted(script, name="judge", capabilities=capabilities),
            journal=journal,
            options=RunOptions(attempts=1),
        )
        return asyncio.run(execute(plan, [seen.append])), seen


def test_a_vote_judges_every_state_and_its_share_counts() -> None:
    outcome, seen = run('tot(evaluator="sc(n=3)", depth=1, k=2)')
    assert (outcome.answer, outcome.status) == ("home", "done")
    valued = {r.event.node: r.event for r in seen if isinstance(r.event, NodeValued)}
    assert {node: (round(event.score, 3), event.verdicts) for node, event in valued.items()} == {
        (0,): (round(20 * 2 / 3, 3), ("sure",)),
        (1,): (round(1 * 2 / 3, 3), ("likely",)),
    }
    assert outcome.detail["path"] == (0,)
    spans = [r.span for r in seen if isinstance(r.event, SpanStarted)]
    assert {"run/level-1/judge/~0", "run/level-1/judge/~1"} <= set(spans), "one tree"
    votes = [r.span for r in seen if isinstance(r.event, VotesCounted)]
    assert votes
    assert all(span.startswith("run/level-1/judge/~") for span in votes)
    assert [r.event.answer for r in seen if isinstance(r.event, Best) and "~" not in r.span] == ["home"]


def test_it_is_remembered_by_its_name() -> None:
    _, seen = run('tot(evaluator="sc(n=3)", depth=1, k=2)')
    started = next(r.event for r in seen if type(r.event).__name__ == "RunStarted")
    assert started.params["evaluator"]["strategy"] == "sc"  # type: ignore[union-attr]
    assert started.params["evaluator"]["params"]["n"] == 3  # type: ignore[union-attr]


def test_a_judge_that_cannot_be_read_or_reached_is_counted_and_not_guessed() -> None:
    def broken(request: Request) -> str:
        if "Judge whether" in prompt_of(request):
            if "go left" in prompt_of(request):
                raise Unavailable("busy")
            return "Answer: perhaps"
        return say(request)

    outcome, seen = run("best-first(evaluator=cot, depth=1, k=2)", broken)
    valued = {r.event.node: (r.event.score, r.event.verdicts) for r in seen if isinstance(r.event, NodeValued)}
    assert valued == {(0,): (0.0, (None,)), (1,): (0.0, (None,))}
    assert outcome.detail["failed"] == 1
    assert outcome.answer == "home"


SHY = Capabilities(seed=True, local=True, price=(0.0, 0.0), packs=("words",))


def test_a_model_that_knows_its_own_prompts_only_is_asked_in_those() -> None:
    """A vote of three verdicts, each in the words of the pack's own template and at its length."""
    asked: list[Request] = []

    def taught(request: Request) -> str:
        prompt = prompt_of(request)
        if "Are these steps right" in prompt:
            asked.append(request)
            return ["So it is.\nsure", "No.\nimpossible", "Yes.\nsure"][request.index % 3]
        assert "Judge whether" not in prompt
        return "6 * 2 = 12\nAnswer: 12"

    outcome, seen = run('tot(evaluator="sc(n=3)", depth=1, k=1, b=1)', taught, capabilities=SHY, pack="words")
    assert outcome.answer == "12"
    valued = [r.event for r in seen if isinstance(r.event, NodeValued)]
    assert [(round(event.score, 3), event.verdicts) for event in valued] == [(round(20 * 2 / 3, 3), ("sure",))]
    assert len(asked) == 3
    assert {request.max_tokens for request in asked} == {256}
    assert len({request.draw for request in asked}) == 3


@pytest.mark.parametrize("judge", ["few-shot", "persona(who=x)", "sc(n=3, of=few-shot)"])
def test_a_judge_with_other_prompts_is_refused_before_anything_is_asked(judge: str) -> None:
    with pytest.raises(BadInput, match="knows no prompts but its own") as refused:
        run(f"tot(evaluator='{judge}')", lambda request: pytest.fail("asked"), capabilities=SHY, pack="words")
    assert "--evaluator" in refused.value.hint


def test_a_judge_that_asks_further_is_refused_when_it_does() -> None:
    def taught(request: Request) -> str:
        return "Yes.\nsure" if "Are these steps right" in prompt_of(request) else "6 * 2 = 12\nAnswer: 12"

    with pytest.raises(BadInput, match="further question"):
        run('tot(evaluator="sc(n=3, vote=cisc)", depth=1, k=1, b=1)', taught, capabilities=SHY, pack="words")


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ("It may work.\nlikely", "likely"),
        ("Answer: **sure**.", "sure"),
        ("Verdict: impossible", "impossible"),
        ("sure, or likely", None),
        ("I am sure that it is impossible to tell", None),
        ("", None),
    ],
)
def test_a_reader_of_verdicts_reads_the_last_line_or_nothing(reply: str, word: str | None) -> None:
    answer = read(f"{AMONG}sure, likely, impossible", Completion(text=reply, model="m"))
    assert (answer.shown if answer else None) == word
    assert read(f"{AMONG}sure, likely", Completion(text="sure", model="m", finish="length")) is None


def test_from_the_command_line(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    replies = [
        {"when": "Judge whether", "say": "Answer: sure"},
        {"when": "next step", "say": ["go left", "go right"]},
        {"say": "Answer: home"},
    ]
    (tmp_path / "m.json").write_text(json.dumps({"replies": replies}), "utf-8")
    words = ["run", "tot", "Which way?", "--evaluator", "sc(n=3)", "--depth", "1", "--k", "2", "--json"]
    code = start([*words, "-m", f"scripted:{tmp_path / 'm.json'}"])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["answer"] == "home"
