"""Self-consistency under stopping rules: when it stops, on which answer, and what it says that this is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from promptkit import announced, api, events
from promptkit.algorithms.stopping.rule import StoppingRule, decide
from promptkit.balloting.stops import STOPS, stopping
from promptkit.balloting.votes import VOTES
from promptkit.errors import BadInput
from promptkit.providers.scripted import Scripted
from promptkit.render import summary
from promptkit.render.state import RunState
from promptkit.strategies.voting.sc import SelfConsistency
from promptkit.types import Capabilities, Completion, Outcome, Problem, Request, Strategy, Token

ABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0), logprobs=True, grammar=True)


def vote(said: Sequence[str] | str, **how: Any) -> Outcome:
    """A vote over what the samples say by number, the list over and over."""
    model = Scripted(lambda request: f"Answer: {said[request.index % len(said)]}", capabilities=ABLE)
    return api.run("sc", "Which?", model=model, journal="memory", **how)


def solved(strategy: Strategy, script: Any, question: str = "Which?") -> tuple[Outcome, int]:
    """The outcome without an engine around it, and the samples it took."""
    asked: list[Request] = []

    def counted(request: Request) -> Any:
        asked.append(request)
        return script(request)

    model = Scripted(counted, capabilities=ABLE)
    return asyncio.run(strategy.solve(Problem(text=question), model)), len(asked)


RULES = {"ppr": "ppr(0.1)", "certified": "certified(0.2)", "futility": "futility(lead(2))"}


@pytest.mark.parametrize("batch", [1, 4, 40])
@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize("said", ["a", "ab", "aab", "abc", "bbaaa"])
def test_a_vote_stops_where_its_rule_says_so(name: str, batch: int, said: str) -> None:
    """Sample by sample, the rule ends it nowhere before; and the answer is the rule's, else that of all samples."""
    word = RULES.get(name, name)
    n, rule = 24, stopping(word)
    strategy = SelfConsistency(n=n, stop=word, batch=batch)
    outcome, _ = solved(strategy, lambda request: f"Answer: {said[request.index % len(said)]}")
    answers = [said[at % len(said)] for at in range(outcome.detail["samples"])]
    assert decide(rule, answers, n).stop
    assert outcome.answer == decide(rule, answers, n).answer
    if batch == 1:
        assert not any(decide(rule, answers[:at], n).stop for at in range(len(answers)))


def test_without_a_rule_only_what_cannot_matter_is_left_out() -> None:
    outcome = vote("a", n=10)
    assert (outcome.detail["samples"], outcome.detail["guarantee"]) == (6, "the winner is that of all n samples")


def test_a_wider_round_draws_more_at_once_and_changes_no_answer() -> None:
    rounds: list[int] = []

    def watch(record: events.Record) -> None:
        if isinstance(record.event, events.SpanStarted) and record.span.count("/") == 1:
            rounds.append(int(record.span.rpartition("-")[2]))

    outcome = vote("aab", n=9, batch=9, sinks=[watch])
    assert (rounds, outcome.answer, outcome.detail["samples"]) == ([0], "a", 9)


def test_what_a_rule_guarantees_is_said_with_its_level_and_interval() -> None:
    outcome = vote("a", n=40, stop="certified")
    detail = outcome.detail
    assert "the model's most likely answer" in detail["guarantee"]
    assert "not the truth" in detail["guarantee"]
    assert detail["ruled"]
    assert detail["level"] >= detail["needed"]
    low, high = detail["interval"]
    assert 0 < low < high == 1
    assert detail["margin"] == 1


def test_a_rule_that_did_not_decide_guarantees_nothing() -> None:
    outcome = vote("aab", n=9, stop="certified")
    assert not outcome.detail["ruled"]
    assert outcome.detail["guarantee"] in ("the winner is that of all n samples", "the winner of all n samples")


@pytest.mark.parametrize(
    ("stop", "said", "words"),
    [
        ("beta", "a", "beta holds: more frequent than the second answer with posterior probability 0.95"),
        ("certified", "aab", "certified had not decided (1.3 of 40)"),
        ("futility(beta(0.99))", "ab", "none: it is undecided"),
    ],
)
def test_the_closing_lines_say_in_one_what_holds(stop: str, said: str, words: str) -> None:
    state = RunState()
    outcome = vote(said, n=8, stop=stop, sinks=[state.feed])
    (line,) = [line for line, _ in summary.lines(outcome, state) if "share of the leader" in line]
    assert words in line
    assert not [line for line, _ in summary.lines(vote("a", n=4)) if "share of the leader" in line]


def test_a_rule_that_no_vote_of_this_size_could_satisfy_is_refused() -> None:
    with pytest.raises(BadInput, match="could never decide with --n 2"):
        SelfConsistency(n=2, stop="futility(beta(0.99))")


def test_futility_gives_up_and_says_why() -> None:
    seen: list[events.Event] = []
    outcome = vote("ab", n=8, stop="futility(beta(0.99))", sinks=[lambda record: seen.append(record.event)])
    assert (outcome.answer, outcome.status) == (None, "undecided")
    assert outcome.detail["samples"] < 8
    assert "would be enough" in outcome.detail["reason"]
    last = [event for event in seen if isinstance(event, events.Best)][-1]
    assert last.answer is None, "a best that is no longer the answer is taken back"
    assert any("undecided: not even" in line for line, _ in summary.lines(outcome))


def test_the_answer_of_a_rule_may_not_be_the_one_that_leads() -> None:
    """Two windows of five that disagree, then one that does not: early stopping takes the answer of that window."""
    said = ["a", "a", "a", "a", "b", "a", "a", "a", "a", "c", "b", "b", "b", "b", "b"]
    seen: list[events.Event] = []
    outcome = vote(said, n=40, stop="esc", sinks=[lambda record: seen.append(record.event)])
    assert (outcome.answer, outcome.detail["samples"]) == ("b", 15)
    assert outcome.confidence == pytest.approx(6 / 15)
    assert [event.answer for event in seen if isinstance(event, events.Best)][-1] == "b"


def test_unread_samples_are_evidence_for_nothing() -> None:
    model = Scripted(lambda request: "" if request.index % 2 else "Answer: a", capabilities=ABLE)
    outcome = api.run("sc", "Which?", model=model, journal="memory", n=20, stop="lead(3)", batch=1)
    assert (outcome.answer, outcome.detail["samples"], outcome.detail["unread"]) == ("a", 5, 2)


# what is announced -------------------------------------------------------------------------------------------------


def reply(said: str) -> Any:
    def script(request: Request) -> str | Completion:
        asked = "\n".join(turn.text for turn in request.messages)
        if "whole number from 0" in asked or "Now give only" in asked:
            return "nothing of the kind"
        if "most consistent" in asked or "entail" in asked:
            return "nothing of the kind"
        each = said[request.index % len(said)]
        text = f"Ranking: {each} > z" if "Ranking:" in asked else f"Answer: {each}"
        if "Which city" in asked:
            text = "Answer: A"
        words = tuple(Token(word, -0.5, ((word, -0.5), ("z", -3.0))) for word in text.split())
        return Completion(text=text, model="scripted", logprobs=words) if request.logprobs else text

    return script


CITY = "Which city?\nA) Rome\nB) Oslo\nC) Lima"
VOTED: list[SelfConsistency] = [
    *(SelfConsistency(n=n, vote=vote) for vote in VOTES for n in (1, 4)),
    *(SelfConsistency(n=n, stop=RULES.get(stop, stop)) for stop in STOPS for n in (2, 11)),
    SelfConsistency(n=4, vote="cisc(ask=verbal)"),
    SelfConsistency(n=3, of="sc(n=3)"),
    SelfConsistency(n=3, of="cot(extract=always)", vote="universal"),
]


@pytest.mark.parametrize("said", ["a", "abcdefgh"])
@pytest.mark.parametrize("strategy", VOTED, ids=str)
def test_a_forecast_holds(strategy: SelfConsistency, said: str) -> None:
    question = CITY if strategy.vote == "choice-shuffle" else "Which?"
    _, samples = solved(strategy, reply(said), question)
    told = strategy.forecast(Problem(text=question))
    assert told.most is not None
    assert told.least <= samples <= told.most


@pytest.mark.parametrize("samples", [1, 7])
@pytest.mark.parametrize("strategy", VOTED, ids=str)
def test_within_is_the_largest_vote_that_fits(strategy: SelfConsistency, samples: int) -> None:
    problem = Problem(text=CITY)
    smaller: Strategy | None = announced.within(strategy, problem, samples)
    if smaller is None:
        least = replace(strategy, n=2 if strategy.stop == "futility(lead(2))" else 1).forecast(problem).most
        assert least is not None
        assert least > samples
        return
    most = announced.forecast(smaller, problem).most
    assert isinstance(smaller, SelfConsistency)
    assert most is not None
    assert most <= samples
    if smaller.n < strategy.n:
        assert (replace(smaller, n=smaller.n + 1).forecast(problem).most or 0) > samples


def test_a_rule_is_one_that_the_algorithms_have() -> None:
    for name in STOPS:
        rule: StoppingRule | None = stopping(name)
        assert rule is not None
        assert rule.guarantee
