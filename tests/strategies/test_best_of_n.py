"""Best of N: one answer is returned, by the score of whoever scores it; ties and what has no score are told."""

from __future__ import annotations

from typing import Any

import pytest
from call_graph import prompt_of

from promptkit import announced, api, events
from promptkit.errors import BadInput, Unavailable
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.strategies.voting.best_of_n import BestOfN
from promptkit.types import Capabilities, Outcome, Problem, Request

ABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0), grammar=True)
SAID = ["7", "$7", "8", "9", "none of it"]


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_RETRY_ATTEMPTS", "1")


def best(verdict: Any = "yes", question: str = "How much?", **how: Any) -> Outcome:
    """Best of five; `verdict` says what a judge says of a proposed answer."""

    def script(request: Request) -> str:
        asked = prompt_of(request)
        if "Reply:" in asked:
            said = asked.split("Answer: ")[1].split("\n")[0]
            return f"I checked.\n{verdict(said) if callable(verdict) else verdict}"
        return f"Answer: {SAID[request.index % 5]}"

    model = Scripted(script, capabilities=ABLE)
    how = {"n": 5, "journal": "memory", "reader": "number", **how}
    return api.run("best-of-n", question, model=model, **how)


def test_a_judge_picks_the_answer_it_finds_right() -> None:
    outcome = best(lambda said: "yes" if said == "8" else "no")
    assert (outcome.answer, outcome.detail["scores"]) == ("8", [0, 0, 1, 0, None])
    assert (outcome.detail["accepted"], outcome.detail["rejected"]) == ([2], [0, 1, 3])
    assert outcome.detail["unread"] == 1


def test_a_rating_is_a_mean_of_several_verdicts() -> None:
    outcome = best(lambda said: {"9": "8"}.get(said, "3"), by="rating", verdicts=3)
    assert (outcome.answer, outcome.detail["score"], outcome.usage.samples) == ("9", 8, 5 + 4 * 3)


def test_a_function_rewards() -> None:
    outcome = best(reward=lambda question, answer: -abs(float(answer.strip("$")) - 8.6))
    assert (outcome.answer, outcome.detail["by"], outcome.usage.samples) == ("9", "reward", 5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_reward_that_is_no_number_cannot_win(value: float) -> None:
    outcome = best(reward=lambda question, answer: value if answer == "9" else 1.0)
    assert outcome.detail["scores"][3] is None
    assert outcome.answer == "7"


def test_a_tie_goes_to_the_answer_given_most_often_and_is_told() -> None:
    seen: list[events.Event] = []
    outcome = best("yes", sinks=[lambda record: seen.append(record.event)])
    assert (outcome.answer, outcome.detail["tied"]) == ("7", ["7", "8", "9"])
    (warned,) = [event for event in seen if isinstance(event, events.Warned)]
    assert "3 answers share the best score" in warned.message


def test_verdicts_that_cannot_be_read_score_nothing() -> None:
    outcome = best("who knows", by="judge")
    assert (outcome.answer, outcome.status) == (None, "undecided")
    assert outcome.detail["scores"] == [None] * 5
    assert outcome.detail["reason"] == "no answer has a score"


def test_a_program_stops_at_the_first_right_answer_and_says_so() -> None:
    said = ["4 * 6", "8 + 16", "(8 - 1 - 1) * 4", "8"]
    model = Scripted(lambda request: f"Answer: {said[request.index % 4]}", capabilities=ABLE)
    outcome = api.run("best-of-n", "1 1 4 8", pack="game24", model=model, n=20, batch=2, journal="memory")
    assert (outcome.answer, outcome.verified, outcome.usage.samples) == ("(8 - 1 - 1) * 4", True, 4)


def test_where_no_answer_is_right_there_is_none() -> None:
    """The best of many wrong answers is not the answer."""
    model = Scripted(lambda request: "Answer: 8 + 16", capabilities=ABLE)
    outcome = api.run("best-of-n", "1 1 4 8", pack="game24", model=model, n=3, journal="memory")
    assert (outcome.answer, outcome.detail["reason"]) == (None, "none of 3 answers was found right")


def test_a_right_answer_that_the_judge_did_not_pick_is_not_counted() -> None:
    """What is returned is one answer: that another sample was right does not make it so (any-of-n)."""

    def script(request: Request) -> str:
        if "Proposed answer" in prompt_of(request):
            return "yes" if "Proposed answer: 8 + 16" in prompt_of(request) else "no"
        return "Answer: (8 - 1 - 1) * 4" if request.index else "Answer: 8 + 16"

    model = Scripted(script, capabilities=ABLE)
    outcome = api.run("best-of-n", "1 1 4 8", pack="game24", model=model, n=3, by="judge", journal="memory")
    assert (outcome.answer, outcome.verified, outcome.detail["accepted"]) == ("8 + 16", False, [])


def test_a_failed_sample_is_counted_and_cannot_win() -> None:
    def script(request: Request) -> str:
        if "Reply:" in prompt_of(request):
            return "yes"
        if request.index == 0:
            raise Unavailable("Answer: 666")
        return f"Answer: {request.index}"

    outcome = api.run("best-of-n", "?", model=Scripted(script, capabilities=ABLE), n=3, journal="memory")
    assert (outcome.answer, outcome.detail["failed"], outcome.detail["scores"][0]) == ("1", 1, None)


def test_it_draws_from_another_strategy() -> None:
    outcome = best(lambda said: "yes" if said == "8" else "no", of="sc(n=2)", n=3)
    assert outcome.detail["samples"] == 3


def test_what_cannot_score_is_refused() -> None:
    with pytest.raises(BadInput, match="no program checks"):
        best(by="verifier")
    with pytest.raises(BadInput, match="Python function"):
        BestOfN(reward="os:system")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="needs something else"):
        BestOfN(by="reward")
    with pytest.raises(BadInput, match="all answers would be the same"):
        BestOfN(temperature=0)


@pytest.mark.parametrize("verdict", ["yes", "who knows"])
@pytest.mark.parametrize(
    "strategy", [BestOfN(n=5), BestOfN(n=3, by="rating", verdicts=2), BestOfN(n=3, of="cot"), BestOfN(n=1)], ids=str
)
def test_a_forecast_of_answers_and_verdicts_holds(strategy: BestOfN, verdict: str) -> None:
    model = Scripted(lambda request: verdict if "Reply:" in prompt_of(request) else "Answer: 7", capabilities=ABLE)
    outcome = api.run(strategy, "How much?", model=model, journal="memory")
    told = strategy.forecast(Problem(text="How much?"))
    assert told.most is not None
    assert told.least <= outcome.usage.samples <= told.most


def test_within_takes_fewer_answers() -> None:
    problem = Problem(text="How much?")
    smaller = announced.within(BestOfN(n=9), problem, 10)
    assert isinstance(smaller, BestOfN)
    assert (smaller.n, smaller.forecast(problem).most) == (3, 9)
    assert announced.within(BestOfN(n=9), problem, 2) is None


def test_a_judge_that_is_lost_in_the_last_round_loses_that_answer_alone() -> None:
    """The last round is of one answer: its call is all of it."""

    def verdict(said: str) -> str:
        if said == "9":
            raise Unavailable("the judge is away")
        return "yes" if said == "8" else "no"

    outcome = best(verdict, n=4, batch=3)
    assert (outcome.answer, outcome.detail["scores"]) == ("8", [0, 0, 1, None])


def test_a_judge_that_is_always_lost_is_an_error() -> None:
    def verdict(said: str) -> str:
        raise Unavailable("the judge is away")

    with pytest.raises(Unavailable):
        best(verdict, n=4, batch=3)


def test_a_reward_may_leave_an_answer_open() -> None:
    outcome = best(reward=lambda question, answer: 1.0 if answer == "8" else None)
    assert (outcome.answer, outcome.detail["scores"]) == ("8", [None, None, 1.0, None, None])


def test_a_reward_that_gives_no_number_is_told() -> None:
    with pytest.raises(BadInput, match="a reward is a number, not 'much'"):
        best(reward=lambda question, answer: "much")


def test_a_run_with_a_reward_says_why_it_cannot_be_made_again() -> None:
    with Journal.open(None) as journal:
        run = best(reward=lambda question, answer: 1.0, journal=journal).run
        with pytest.raises(BadInput) as caught:
            api.replay(run, journal=journal)
    assert caught.value.message == "a reward is a Python function: no journal and no command line has it"
