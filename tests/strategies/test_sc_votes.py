"""Self-consistency under every way to vote: what counts as the same answer, ties, lost samples, and what is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from call_graph import prompt_of

from promptkit import api, events
from promptkit.balloting.options import options_of
from promptkit.balloting.rankings import ranking
from promptkit.balloting.votes import VOTES
from promptkit.composition import inner
from promptkit.errors import BadInput, CapabilityMissing, Unavailable
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Outcome, Request, Token

ABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0), logprobs=True, grammar=True)
UNABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0))
CITY = "Which city?\nA) Rome\nB) Oslo\nC) Lima"
Script = Callable[[Request], "str | Completion"]


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_RETRY_ATTEMPTS", "1")


def vote(
    said: Sequence[str] | Script, how: str = "majority", *, question: str = "How much?", able: bool = True, **more: Any
) -> Outcome:
    """A vote over what the samples say, by number; further questions get an answer that changes nothing."""

    def script(request: Request) -> str | Completion:
        asked = prompt_of(request)
        if "write 1, otherwise 0" in asked:
            return told("1", -0.5)
        if "whole number from 0" in asked:
            return "50"
        if "entail" in asked:
            return "no"
        if "most consistent" in asked:
            return "The most consistent response is Response 1"
        if callable(said):
            return said(request)
        text = f"So it is.\nAnswer: {said[request.index]}"
        if "Ranking:" in asked:
            text = f"So it is.\nRanking: {said[request.index]}"
        return told(text, -0.5) if request.logprobs else text

    how_many = more.pop("n", len(said) if not callable(said) else 5)
    model = Scripted(script, capabilities=ABLE if able else UNABLE)
    return api.run("sc", question, model=model, n=how_many, vote=how, journal="memory", **more)


def told(text: str, logprob: float, top: float = -3.0) -> Completion:
    """A reply whose tokens have this log-probability, and one other token beside each."""
    words = tuple(Token(word, logprob, ((word, logprob), ("z", top))) for word in text.split())
    return Completion(text=text, model="scripted", logprobs=words)


HEADS = ["majority", "weighted", "cisc", "complexity", "cluster", "borda", "deepconf"]


@pytest.mark.parametrize("how", HEADS)
def test_one_number_in_several_spellings_is_one_answer(how: str) -> None:
    outcome = vote(["17", "18", "$18", "18.0", "17"], how, reader="number")
    assert (outcome.answer, outcome.status) == ("18", "done")


@pytest.mark.parametrize("how", HEADS)
def test_a_tie_is_told_and_not_broken(how: str) -> None:
    outcome = vote(["b", "a", "a", "b"], how)
    assert (outcome.answer, outcome.status) == (None, "undecided")
    assert set(outcome.detail["tied"]) == {"a", "b"}
    assert outcome.detail["accepted"] == []


@pytest.mark.parametrize("how", [name for name in VOTES if name not in ("universal", "choice-shuffle")])
def test_samples_that_cannot_be_read_vote_for_nothing_and_are_counted(how: str) -> None:
    outcome = vote(lambda request: "", how)
    assert (outcome.answer, outcome.status) == (None, "undecided")
    assert outcome.detail["unread"] == 5
    assert outcome.usage.samples == 5, "nothing further is asked about them"


@pytest.mark.parametrize("how", VOTES)
def test_a_sample_that_fails_is_counted_and_no_vote(how: str) -> None:
    """An error's text is never an answer."""

    def script(request: Request) -> str | Completion:
        if request.index in (1, 3):
            raise Unavailable("Answer: 41")
        if "Ranking:" in prompt_of(request):
            return "Ranking: 42 > 41" if "Oslo" not in prompt_of(request) else "Ranking: B > A"
        letter = next((line[0] for line in prompt_of(request).splitlines() if line.endswith(") Oslo")), "42")
        return told(f"Answer: {letter}", -0.5) if request.logprobs else f"Answer: {letter}"

    question = CITY if how == "choice-shuffle" else "How much?"
    outcome = vote(script, how, question=question)
    assert outcome.answer == ("B" if how == "choice-shuffle" else "42")
    assert outcome.detail["failed"] == 2
    assert [row for row in outcome.detail["votes"] if "41" in row[0]] == []


def test_a_reply_cut_off_at_its_limit_is_no_vote() -> None:
    outcome = vote(lambda request: "Answer: 7 of the way " + "and on " * 50, n=3, reply_tokens=20)
    assert (outcome.answer, outcome.detail["unread"]) == (None, 3)


def test_a_likely_chain_outweighs_two_unlikely_ones() -> None:
    def script(request: Request) -> Completion:
        return told("Answer: a", -0.05) if request.index == 0 else told("Answer: b", -2.0)

    outcome = vote(script, "weighted", n=3)
    assert (outcome.answer, dict(outcome.detail["votes"])) == ("a", {"a": 1, "b": 2})
    assert outcome.detail["weights"][0] == ("a", 1.0)


@pytest.mark.parametrize("how", ["weighted", "deepconf"])
def test_a_vote_that_reads_log_probabilities_is_refused_where_there_are_none(how: str) -> None:
    with pytest.raises(CapabilityMissing, match="log-probabilities") as caught:
        vote(["a"], how, able=False)
    assert "promptkit run sc --vote cisc" in caught.value.hint, "deepconf has no --vote"


@pytest.mark.parametrize("how", ["weighted", "deepconf", "borda"])
def test_a_vote_on_what_the_model_wrote_takes_no_other_strategy(how: str) -> None:
    with pytest.raises(BadInput, match="what the model itself wrote"):
        vote(["a"], how, of="cot")


def test_p_true_is_asked_once_a_sample_after_its_own_conversation() -> None:
    asked: list[Request] = []

    def script(request: Request) -> Completion | str:
        asked.append(request)
        if request.messages[-1].text.startswith("Now I will ask you"):
            return told("1", -0.1) if "Answer: b" in prompt_of(request) else told("0", -0.1)
        return f"Answer: {'aab'[request.index]}"

    model = Scripted(script, capabilities=ABLE)
    outcome = api.run("sc", "Which?", model=model, n=3, vote="cisc(0.1)", journal="memory")
    assert outcome.answer == "b", "the one it believes in outweighs two that it does not"
    believed = [request for request in asked if request.logprobs]
    assert {request.max_tokens for request in believed} == {1}
    assert {tuple(turn.role for turn in request.messages) for request in believed} == {("user", "assistant", "user")}
    assert believed[0].messages[0] == asked[0].messages[0]


def test_without_log_probabilities_the_confidence_is_asked_in_words_and_that_is_told() -> None:
    seen: list[events.Event] = []

    def script(request: Request) -> str:
        if "whole number from 0" in request.messages[-1].text:
            return "I checked it.\n95" if "Answer: b" in prompt_of(request) else "Well.\n5"
        return f"Answer: {'aab'[request.index]}"

    outcome = api.run(
        "sc", "Which?", model=Scripted(script, capabilities=UNABLE), n=3, vote="cisc(0.1)", journal="memory",
        sinks=[lambda record: seen.append(record.event)],
    )  # fmt: skip
    assert outcome.answer == "b"
    assert "P(True)" in [event.wanted for event in seen if isinstance(event, events.Substituted)]


def test_a_confidence_that_cannot_be_read_sets_its_sample_aside() -> None:
    def script(request: Request) -> Completion | str:
        if request.messages[-1].text.startswith("Now I will ask you"):
            return told("maybe", -0.1) if "Answer: a" in prompt_of(request) else told("1", -0.1)
        return f"Answer: {'aab'[request.index]}"

    model = Scripted(script, capabilities=ABLE)
    outcome = api.run("sc", "Which?", model=model, n=3, vote="cisc", journal="memory")
    assert (outcome.answer, outcome.detail["aside"]) == ("b", 2)


def test_only_the_longest_chains_vote() -> None:
    def script(request: Request) -> str:
        return "one\ntwo\nthree\nAnswer: b" if request.index > 2 else "Answer: a"

    outcome = vote(script, "complexity(0.4)")
    assert (outcome.answer, outcome.detail["aside"], outcome.detail["votes"]) == ("b", 3, (("b", 2),))


def test_answers_that_entail_each_other_both_ways_are_one() -> None:
    """`big` entails `large` and the other way round; `red` entails `coloured`, which is not enough."""
    said = ["big", "red", "large", "red", "large", "big", "coloured"]

    def script(request: Request) -> str:
        asked = prompt_of(request)
        if "entail" not in asked:
            return f"Answer: {said[request.index]}"
        first, second = (asked.split(f"{which} answer:\n")[1].split("\n")[0] for which in ("First", "Second"))
        joined = {first, second} == {"big", "large"} or (first, second) == ("red", "coloured")
        return f"I think so.\n{'yes' if joined else 'no'}"

    model = Scripted(script, capabilities=ABLE)
    outcome = api.run("sc", "How is it?", model=model, n=7, vote="cluster", journal="memory")
    assert (outcome.answer, outcome.detail["accepted"]) == ("big", [0, 2, 4, 5])
    assert outcome.detail["votes"] == (("big", 4), ("red", 2))


@pytest.mark.parametrize(("place", "answer"), [("both", "a"), ("first", None), ("unread", None)])
def test_the_replies_are_shown_in_both_orders_and_picks_that_disagree_are_a_tie(place: str, answer: str | None) -> None:
    shown: list[str] = []

    def script(request: Request) -> str:
        asked = prompt_of(request)
        if "now give only your verdict" in asked.lower():
            return "?"
        if "most consistent" not in asked:
            return f"Answer: {'abab'[request.index]}"
        shown.append(asked)
        at = {"both": 1 if asked.index("Answer: a") < asked.index("Answer: b") else 2, "first": 1}.get(place)
        return f"They differ.\nThe most consistent response is Response {at}" if at else "All of them."

    model = Scripted(script, capabilities=UNABLE)
    outcome = api.run("sc", "Which?", model=model, n=4, vote="universal", journal="memory")
    first, second = shown[:2]
    assert first.index("Answer: a") < first.index("Answer: b")
    assert second.index("Answer: b") < second.index("Answer: a")
    assert (outcome.answer, outcome.status) == (answer, "done" if answer else "undecided")
    assert outcome.detail["samples"] == 4


def test_nobody_is_asked_to_pick_among_replies_that_say_the_same() -> None:
    outcome = vote(["a"] * 4, "universal")
    assert (outcome.answer, outcome.usage.samples) == ("a", 4)


def test_free_text_without_an_answer_can_be_picked() -> None:
    """A reply that no reader finds an answer in stands for itself."""

    def script(request: Request) -> str:
        return (
            "The most consistent response is Response 2"
            if "most consistent" in prompt_of(request)
            else ("One way." if request.index % 2 else "Another way.")
        )

    model = Scripted(script, capabilities=ABLE)
    outcome = api.run("sc", "Tell me.", model=model, n=3, vote="universal", reader="number", journal="memory")
    assert (outcome.answer, outcome.status) == ("One way.", "done"), "in both orders it is the second of three"


def test_places_are_counted_over_rankings() -> None:
    """b is first once only, and wins by its places."""
    said = ["a > b > c", "c > b > a", "b > a > c", "a > b > c", "c > b"]
    outcome = vote(said, "borda")
    assert (outcome.answer, outcome.detail["weights"]) == ("b", (("b", 6.0), ("a", 5.0), ("c", 4.0)))
    assert dict(outcome.detail["votes"]) == {"a": 2, "c": 2, "b": 1}


def test_rankings_of_options_are_rankings_of_letters() -> None:
    outcome = vote(["B > A > C", "(B) > C", "b > a"], "borda", question=CITY)
    assert outcome.answer == "B"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Well.\nRanking: 18 > $17 > 3", [["18"], ["17"], ["3"]]),
        ("**Ranking:** 18 = 17 > 3", [["18", "17"], ["3"]]),
        ("Ranking: 18 > 17\nI hope so.", []),
        ("18 > 17", []),
        ("", []),
    ],
)
def test_a_ranking_is_read_from_the_last_line_alone(text: str, places: list[list[str]]) -> None:
    assert [[each.key for each in group] for group in ranking(text, "number")] == places


def test_options_are_shown_in_different_orders_and_letters_mapped_back(journal: Journal) -> None:
    """A model that likes the first place is no longer heard; one that knows is, wherever the option stands."""
    shown: list[str] = []

    def knows(request: Request) -> str:
        shown.append(prompt_of(request))
        return "Answer: " + next(line[0] for line in shown[-1].splitlines() if line.endswith(") Oslo"))

    model = Scripted(knows, capabilities=UNABLE)
    outcome = api.run("sc", CITY, model=model, n=6, vote="choice-shuffle", journal=journal)
    assert (outcome.answer, dict(outcome.detail["votes"])) == ("B", {"B": 4})
    assert CITY in shown[0]
    assert len(set(shown)) == 4

    likes_the_first = Scripted(lambda request: "Answer: A", capabilities=UNABLE)
    biased = api.run("sc", CITY, model=likes_the_first, n=6, vote="choice-shuffle", journal=journal)
    assert (biased.answer, set(dict(biased.detail["votes"]).values())) == (None, {2}), "each option, as often"


def test_shuffled_options_can_be_another_strategys_question(journal: Journal) -> None:
    def knows(request: Request) -> str:
        return "Answer: " + next(line[0] for line in prompt_of(request).splitlines() if line.endswith(") Oslo"))

    model = Scripted(knows, capabilities=UNABLE)
    outcome = api.run("sc", CITY, model=model, n=5, of="cot", vote="choice-shuffle", journal=journal)
    assert outcome.answer == "B"


@pytest.mark.parametrize("question", ["Which city?", "A) only one", "A) x\nC) y", "See A) or B)"])
def test_a_question_without_options_is_not_shuffled(question: str) -> None:
    assert options_of(question) is None
    with pytest.raises(BadInput, match="needs a question with options"):
        vote(["A"], "choice-shuffle", question=question)


def test_the_most_confident_traces_vote() -> None:
    def script(request: Request) -> Completion:
        unsure = request.index < 3
        return told(f"Answer: {'a' if unsure else 'b'}", -0.7, -0.8) if unsure else told("Answer: b", -0.01, -9.0)

    outcome = vote(script, "deepconf(0.4, window=2)")
    assert (outcome.answer, outcome.detail["aside"]) == ("b", 3)


def test_temperature_nought_would_count_one_sample_many_times() -> None:
    with pytest.raises(BadInput, match="at temperature 0 all votes would be the same"):
        vote(["a"], temperature=0.0)
    with pytest.raises(BadInput, match="at temperature 0 all answers of the strategy inside would be the same"):
        vote(["a"] * 3, of="cot(temperature=0)")


@pytest.mark.parametrize("of", ["cove(draft=cot(temperature=0))", "reflect(of=cove(draft=cot(temperature=0)))"])
def test_a_strategy_inside_is_followed_by_whatever_name_its_field_has(of: str) -> None:
    with pytest.raises(BadInput, match="temperature 0"):
        inner(f"sc(n=3, of='{of}')")


def test_one_that_only_judges_may_be_as_cold_as_it_likes() -> None:
    assert inner("sc(n=3, of='tot(evaluator=cot(temperature=0))')")
    assert inner("best-of-n(n=3, of='beam(evaluator=cot(temperature=0))')")


def test_a_strategy_inside_is_sampled_at_the_votes_temperature_each_on_draws_of_its_own() -> None:
    asked: list[Request] = []

    def script(request: Request) -> str:
        asked.append(request)
        return "Answer: 1"

    model = Scripted(script, capabilities=UNABLE)
    outcome = api.run("sc", "Which?", model=model, n=5, of="few-shot(n=0, rationale=true)", journal="memory")
    assert {request.temperature for request in asked} == {0.7}
    assert [request.draw for request in asked] == [(0, 0), (1, 0), (2, 0)]
    assert outcome.answer == "1"
    kept = api.run("sc", "Which?", model=model, n=3, of="cot(temperature=1.2)", journal="memory")
    assert (kept.answer, asked[-1].temperature) == ("1", 1.2)


def test_answers_of_a_strategy_inside_are_compared_in_canonical_form() -> None:
    said = ["$18", "18.0", "17"]
    model = Scripted(lambda request: f"Answer: {said[request.draw[0]]}", capabilities=UNABLE)
    outcome = api.run("sc", "How much?", model=model, n=3, of="cot", journal="memory")
    assert outcome.detail["votes"] == (("$18", 2),)


def test_a_strategy_inside_that_fails_loses_its_sample_only() -> None:
    def script(request: Request) -> str:
        if request.draw[0] == 1:
            raise Unavailable("gone")
        return "Answer: 1"

    outcome = api.run(
        "sc", "Which?", model=Scripted(script, capabilities=UNABLE), n=5, of="cot", journal="memory", max_calls=40
    )
    assert (outcome.answer, outcome.detail["failed"]) == ("1", 1)


def test_the_best_of_a_vote_over_a_strategy_is_the_votes() -> None:
    cut = api.run(
        "sc", "Which?", model=Scripted(lambda request: "Answer: 1", capabilities=UNABLE), n=9, of="cot",
        journal="memory", max_calls=2, concurrency=1,
    )  # fmt: skip
    assert (cut.status, cut.answer) == ("budget", "1")
