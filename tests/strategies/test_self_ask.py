"""Self-ask: a line at a time, read from its beginning; follow-up questions answered by themselves, and not for ever."""

from __future__ import annotations

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import within
from promptkit.errors import BadInput
from promptkit.strategies.prompting.self_ask import SelfAsk
from promptkit.types import Completion, Problem, Request

TURN, LAST, ASIDE = 'one that begins with "Follow up:"', "Ask nothing more.", "Answer in at most five sentences"
FOLLOW_UPS = ["Follow up: How many boxes?", "Follow up: How many in each?", "So the final answer is: 42"]


def turns(request: Request) -> str:
    """The next line, by how many there are."""
    prompt = request.messages[-1].text
    return FOLLOW_UPS[prompt.rpartition("Question: ")[2].count("Intermediate answer:")]


def test_follow_up_questions_are_answered_out_of_sight_of_the_question() -> None:
    script = Script((TURN, turns), ("How many boxes?\n\nAnswer in", "Six.\nReally."), (ASIDE, "Seven."))
    done = run(SelfAsk(), script, "How many cookies?")
    first, aside, _, other, last = script.prompts
    assert "Question: How many cookies?\nAre follow up questions needed here:" in first
    assert aside.startswith("How many boxes?")
    assert "cookies" not in aside + other
    told = " Yes.\nFollow up: How many boxes?\nIntermediate answer: Six. Really.\nFollow up: How many in each?"
    assert f"{told}\nIntermediate answer: Seven." in last
    assert (done.outcome.answer, done.best) == ("42", ["42"])
    assert [question for question, _ in done.outcome.detail["follow_ups"]] == ["How many boxes?", "How many in each?"]


def test_it_stops_where_the_model_would_answer_itself() -> None:
    script = Script((TURN, turns), (ASIDE, "Six."))
    run(SelfAsk(), script)
    assert script.asked[0].stop == ("Intermediate answer:",)
    assert script.asked[1].stop == ()


def test_only_the_first_line_of_the_form_counts() -> None:
    made_up = "Follow up: How many boxes?\nIntermediate answer 99.\nSo the final answer is: 99"
    script = Script((LAST, "So the final answer is: 42"), (TURN, made_up), (ASIDE, "Six."))
    done = run(SelfAsk(most=1), script, **NUMBER)
    assert done.outcome.answer == "42"
    assert not any("99" in prompt for prompt in script.prompts)


@pytest.mark.parametrize("mention", ["I could ask a follow up: why?", "Is the final answer is: 7? Perhaps."])
def test_what_is_mentioned_in_a_sentence_is_neither(mention: str) -> None:
    script = Script((LAST, "So the final answer is: 42"), (TURN, mention))
    done = run(SelfAsk(), script, **NUMBER)
    assert (len(script.asked), done.outcome.answer) == (2, "42")


def test_no_more_questions_than_allowed() -> None:
    numbered = iter(range(99))
    script = Script(
        (LAST, "So the final answer is: 42"),
        (TURN, lambda request: f"Follow up: What about {next(numbered)}?"),
        (ASIDE, "So."),
    )
    done = run(SelfAsk(most=3), script)
    assert len(script.asked) == 3 * 2 + 1
    assert done.outcome.answer == "42"
    assert "3 follow-up questions" in done.told


def test_a_question_asked_again_ends_the_asking() -> None:
    script = Script((LAST, "So the final answer is: 42"), (TURN, "Follow up: Why?"), (ASIDE, "So."))
    done = run(SelfAsk(), script)
    assert len(script.asked) == 4
    assert "it asks the same again: Why?" in done.told


@pytest.mark.parametrize("reply", [cut("Follow up: How many bo"), "", "**"])
def test_half_a_question_is_not_asked(reply: str | Completion) -> None:
    script = Script((LAST, "So the final answer is: 42"), (TURN, reply))
    done = run(SelfAsk(), script)
    assert (len(script.asked), done.outcome.answer) == (2, "42")


def test_half_an_answer_is_none() -> None:
    done = run(SelfAsk(), Script(("", cut("So the final answer is: 4"))), **NUMBER)
    assert (done.outcome.answer, done.outcome.status) == (None, "undecided")


def test_a_whole_answer_counts_though_what_was_written_behind_it_was_cut_off() -> None:
    done = run(SelfAsk(), Script(("", cut("So the final answer is: 42\nQuestion: How ma"))), **NUMBER)
    assert (done.outcome.answer, len(done.best)) == ("42", 1)


def test_an_intermediate_answer_that_is_missing_is_counted() -> None:
    script = Script((TURN, turns), ("boxes?\n\nAnswer in", cut("Six bo")), (ASIDE, "Seven."))
    done = run(SelfAsk(), script)
    assert "Intermediate answer: ?" in script.prompts[-1]
    assert done.outcome.detail["unanswered"] == 1


def test_a_strategy_inside_answers_the_follow_up_questions() -> None:
    script = Script((TURN, turns), ("step by step", "Let me see.\nAnswer: six"))
    done = run(SelfAsk(of="cot"), script)
    assert [answer for _, answer in done.outcome.detail["follow_ups"]] == ["six", "six"]
    assert done.best == ["42"]


def test_an_output_is_asked_for_in_a_call_of_its_own() -> None:
    script = Script((LAST, '{"n": 42}'), (TURN, turns), (ASIDE, "Six."))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    done = run(SelfAsk(), script, output=schema)
    assert done.outcome.value == {"n": 42}
    assert [request for request in script.asked if "JSON" in request.messages[-1].text] == [script.asked[-1]]


def test_what_it_may_take() -> None:
    problem = Problem(text="How many?")
    assert SelfAsk().forecast(problem).most == 11
    assert within(SelfAsk(), problem, 6) == SelfAsk(most=2)
    assert within(SelfAsk(), problem, 2) is None
    with pytest.raises(BadInput, match="--most"):
        SelfAsk(most=0)
