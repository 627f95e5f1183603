"""The flipped dialogue: one question a turn until a typed condition holds, then what was wanted is written."""

from __future__ import annotations

from typing import Any

import pytest
from script_by_prompt import Done, Said, Script, cut, run

from promptkit import api
from promptkit.announced import Forecast, forecast, within
from promptkit.errors import BadInput, PromptkitError, Unavailable
from promptkit.events import HumanAnswered, HumanAsked
from promptkit.layering.questioning import asks_once, ended
from promptkit.strategies.layers.flipped import Flipped
from promptkit.types import Completion, Message, Problem, Request

GOAL = "Plan a {{ trip }} for me."
ASK, ONCE, ENOUGH, WRITE = "ask me questions", "no more and no less", "has to be known before", "the finished result"
ASKED = ["How much may it cost?", "When does it begin?", "Who comes with you?", "Where does it begin?"]


def questions(request: Request) -> str:
    """The next question, by how many were answered."""
    return ASKED[len(request.messages) // 2]


def talk(strategy: Flipped | None = None, *rules: tuple[str, Said], answers: Any, **how: Any) -> tuple[Done, Script]:
    script = Script(*rules, (ONCE, "Is it so?"), (WRITE, "The whole plan."), ("", questions))
    return run(strategy or Flipped(questions=3), script, GOAL, answers=answers, **how), script


def told(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = done.outcome.detail["flipped"]
    return found


def test_the_model_asks_one_question_a_turn_and_then_writes() -> None:
    done, script = talk(answers=["500 {{ euros }}", "in [[system]] May", "nobody"])
    assert done.outcome.answer == "The whole plan."
    assert done.best == ["The whole plan."]
    first, second, third, last = script.asked
    assert GOAL in first.messages[0].text
    assert "until you have asked 3 questions" in first.messages[0].text
    assert second.messages == (*first.messages, *spoken((ASKED[0], "500 {{ euros }}")))
    assert third.messages == (*second.messages, *spoken((ASKED[1], "in [[system]] May")))
    (written,) = last.messages
    assert written.text.startswith(GOAL)
    assert f"Question: {ASKED[0]}\nAnswer: 500 {{{{ euros }}}}\n" in written.text
    assert told(done) == {
        "asked": [[ASKED[0], "500 {{ euros }}"], [ASKED[1], "in [[system]] May"], [ASKED[2], "nobody"]],
        "ended": "questions",
    }


def spoken(*said: tuple[str, str]) -> list[Message]:
    from promptkit.types import message

    return [turn for asked, answered in said for turn in (message("assistant", asked), message("user", answered))]


def test_what_is_asked_and_answered_is_told() -> None:
    done, _ = talk(Flipped(questions=1), answers=["500"])
    assert done.of(HumanAsked) == [HumanAsked(1, ASKED[0])]
    assert done.of(HumanAnswered) == [HumanAnswered(1, ASKED[0], "500", "caller")]


@pytest.mark.parametrize("end", ["", "  ", "done", "Done.", "/done", None])
def test_whoever_answers_ends_the_questions(end: str | None) -> None:
    said = iter(["500", end])
    done, script = talk(answers=lambda question: next(said))
    assert told(done) == {"asked": [[ASKED[0], "500"]], "ended": "you"}
    assert len(script.asked) == 3
    assert ASKED[1] not in script.prompts[-1]


def test_without_any_answer_it_is_written_from_what_was_said_at_first() -> None:
    done, script = talk(answers=["done"])
    assert done.outcome.answer == "The whole plan."
    assert "I answered" not in script.prompts[-1]


def test_facts_end_the_questions_as_soon_as_they_are_known() -> None:
    known = (ENOUGH, lambda request: "All.\nyes" if "Answer: May" in request.messages[-1].text else "One lacks.\nno")
    done, script = talk(Flipped(facts=["budget, date", "budget"]), known, answers=["500", "May"])  # type: ignore[arg-type]
    assert (told(done)["ended"], len(told(done)["asked"])) == ("facts", 2)
    assert "- budget\n- date\n" in script.prompts[0]
    assert "- budget\n- date\n" in script.prompts[1]
    assert "until you know each of these, or until you have asked 6 questions" in script.prompts[1]
    assert [ENOUGH in prompt for prompt in script.prompts] == [True, False, True, False, True, False]


def test_facts_that_the_task_has_already_need_no_question() -> None:
    done, script = talk(Flipped(facts="budget"), (ENOUGH, "yes"), answers=[])
    assert (told(done)["asked"], len(script.asked)) == ([], 2)


def test_a_verdict_that_cannot_be_read_is_no_yes() -> None:
    done, _ = talk(Flipped(facts="budget", questions=1), (ENOUGH, "Perhaps."), ("one of these", "Hm."), answers=["500"])
    assert told(done)["ended"] == "questions"
    assert "could not be read whether the facts are known" in done.told


@pytest.mark.parametrize(
    "reply",
    ["Here is your plan: take the train.", "How much? And when?", "1. How much?\n2. When?", cut("How much may it cos")],
)
def test_a_reply_that_is_not_one_question_is_asked_for_once_more(reply: Said) -> None:
    done, script = talk(Flipped(questions=1), (ASK, reply), answers=["500"])
    assert told(done)["asked"] == [["Is it so?", "500"]]
    assert done.told == ""
    assert [turn.role for turn in script.asked[1].messages] == ["user", "assistant", "user"]


def test_one_that_is_none_again_is_taken_as_it_is_and_told() -> None:
    done, _ = talk(Flipped(questions=1), (ASK, "A plan."), (ONCE, "How much? When?"), answers=["500"])
    assert told(done)["asked"] == [["How much? When?", "500"]]
    assert "taken as it is" in done.told


def test_a_model_that_says_nothing_asks_nothing() -> None:
    done, script = talk(Flipped(questions=2), (ONCE, " "), (ASK, ""), answers=[])
    assert told(done) == {"asked": [], "ended": "silence"}
    assert done.outcome.answer == "The whole plan."
    assert "asks nothing" in done.told
    assert [turn.role for turn in script.asked[1].messages] == ["user"]  # two turns of one speaker are refused by some


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("What is your budget?", True),
        ("Question 1: **What is your budget?**", True),
        ("What is your budget (500? 1000?), roughly?", True),
        ('Do you mean "when?" or "where?"', True),  # none outside the quotes: it is asked again
        ("Really??", True),
        ("预算是多少？", True),
        ("予算はいくらですか。", True),
        ("ما هي ميزانيتك؟", True),
        ("Ποιος είναι ο προϋπολογισμός;", True),
        ("I know; it is so.", False),
        ("Tell me all.", False),
        ("Who? When?", False),
    ],
)
def test_what_counts_as_one_question(text: str, one: bool) -> None:
    expected = one and text != 'Do you mean "when?" or "where?"'
    assert asks_once(Completion(text=text, model="m")) is expected


def test_the_word_before_a_question_goes() -> None:
    done, _ = talk(Flipped(questions=1), (ASK, "**Question 1:** How much?"), answers=["500"])
    assert told(done)["asked"] == [["How much?", "500"]]


def test_only_the_word_alone_ends() -> None:
    assert not any(map(ended, ["done by Friday", "it is done", "no", "0", "?"]))


def test_another_strategy_writes_it() -> None:
    done, script = talk(Flipped(questions=1, of="cot"), ("step by step", "So.\nAnswer: 42"), answers=["500"])
    assert done.outcome.answer == "42"
    assert done.best == ["42"]
    assert GOAL in script.prompts[-1]
    assert "Answer: 500" in script.prompts[-1]


def test_an_output_with_a_form_is_that_of_what_is_written() -> None:
    script = Script(("JSON", '{"days": 2}'), ("", questions))
    done = run(Flipped(questions=1), script, GOAL, answers=["500"], output={"type": "object", "required": ["days"]})
    assert done.outcome.value == {"days": 2}
    assert "JSON" not in script.prompts[0]


def test_a_call_that_is_lost_ends_the_run_and_the_answers_are_kept() -> None:
    with api.open_journal("memory") as journal:
        script = Script(("500", Unavailable("away")), ("", questions))
        with pytest.raises(PromptkitError) as caught:
            run(Flipped(questions=2), script, GOAL, answers=["500", "May"], journal=journal)
        assert [each.answer for each in journal.answers(caught.value.run)] == ["500"]


def test_a_puzzle_goes_as_it_is() -> None:
    with pytest.raises(BadInput, match="puzzles of game24 go as they are"):
        api.plan("flipped", "4 5 6 10", pack="game24", answers=["x"])


@pytest.mark.parametrize("given", [{"questions": 0}, {"facts": " , "}, {"temperature": -1.0}])
def test_what_it_cannot_be(given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Flipped(**given)


def test_the_same_answers_give_the_same_calls() -> None:
    asked = [talk(answers=["500", "May", "two"])[1].asked for _ in range(2)]
    assert asked[0] == asked[1]


def test_what_it_announces_is_what_it_takes() -> None:
    problem = Problem(text=GOAL)
    assert forecast(Flipped(questions=3), problem) == Forecast(2, 4, 7)
    assert forecast(Flipped(questions=3, facts="a, b"), problem) == Forecast(2, 6, 13)
    _, script = talk(Flipped(questions=3), (ASK, "No."), ("", "No."), answers=["1", "2", "3"])
    assert len(script.asked) <= 7
    _, script = talk(Flipped(questions=3), answers=["done"])
    assert len(script.asked) == 2
    assert within(Flipped(), problem, 7) == Flipped(questions=3)
    assert within(Flipped(), problem, 2) is None
    assert within(Flipped(of="sc(n=9)"), problem, 6) == Flipped(questions=1, of="sc(n=4)")
    assert within(Flipped(facts="a"), problem, 5) == Flipped(questions=1, facts="a")
