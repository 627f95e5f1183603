"""Least-to-most: sub-questions in order, each with the answers so far, and the question last."""

from __future__ import annotations

import pytest
from script_by_prompt import Script, cut, run

from promptkit.announced import within
from promptkit.errors import BadInput, Rejected
from promptkit.strategies.prompting.least_to_most import LeastToMost
from promptkit.types import Completion, Problem, Request, message

PARTS = "1. How many boxes are there?\n2. How many cookies are in one?"
DECOMPOSE, LAST = "which simpler questions", 'begins with "Answer:"'


def told(request: Request) -> str:
    return "There are 6 boxes." if "boxes are there?\n\nAnswer" in request.messages[-1].text else "7 cookies in each."


def test_each_part_is_asked_with_the_answers_before_it() -> None:
    script = Script((DECOMPOSE, PARTS), (LAST, "6 * 7 = 42\nAnswer: 42"), ("Answer only this", told))
    done = run(LeastToMost(), script, "How many cookies?")
    decompose, first, second, last = script.prompts
    assert "How many cookies?" in decompose
    assert "at most 10" in decompose
    assert "How many cookies?" in first
    assert "There are 6 boxes." not in first
    assert "Q: How many boxes are there?\nA: There are 6 boxes.\n\nQ: How many cookies are in one?" in second
    assert "A: There are 6 boxes." in last
    assert "A: 7 cookies in each.\n\nQ: How many cookies?" in last
    assert (done.outcome.answer, done.best) == ("42", ["42"])
    assert done.outcome.detail["unanswered"] == 0
    assert [part for part, _ in done.outcome.detail["solved"]] == [line[3:] for line in PARTS.splitlines()]


@pytest.mark.parametrize("reply", ["None", "It is simple enough.", "", cut("1. How many bo")])
def test_a_question_that_is_not_broken_down_is_asked_alone(reply: str | Completion) -> None:
    script = Script((DECOMPOSE, reply))
    done = run(LeastToMost(), script)
    assert (len(script.asked), done.outcome.answer) == (2, "42")
    assert script.prompts[1].startswith("How many?\n\nLet's think step by step.")


def test_parts_are_asked_once_and_the_question_itself_comes_last_anyway() -> None:
    script = Script((DECOMPOSE, "1. Why?\n2. why\n3. how many"), (LAST, "Answer: 42"), ("Answer only", "So."))
    run(LeastToMost(), script)
    assert sum("Answer only this" in prompt for prompt in script.prompts) == 1


def test_no_more_parts_than_allowed_and_it_is_said() -> None:
    listed = "\n".join(f"{n}. Part {n}?" for n in range(1, 9))
    script = Script((DECOMPOSE, listed), (LAST, "Answer: 42"), ("Answer only", "So."))
    done = run(LeastToMost(most=3), script)
    assert len(script.asked) == 1 + 3 + 1
    assert "5 of 8 sub-questions were left out" in done.told


def test_an_answer_that_was_cut_off_is_not_shown_and_counted() -> None:
    half = cut("There are 6 bo")
    script = Script(
        (DECOMPOSE, PARTS), (LAST, "Answer: 42"), ("boxes are there?\n\nAnswer", half), ("Answer only", "7.")
    )
    done = run(LeastToMost(), script)
    assert not any("6 bo" in prompt for prompt in script.prompts)
    assert (done.outcome.detail["unanswered"], len(done.outcome.detail["solved"])) == (1, 1)


def test_a_strategy_inside_answers_the_parts() -> None:
    script = Script((DECOMPOSE, PARTS), ("Therefore", "Answer: 7"), (LAST, "Answer: 42"))
    done = run(LeastToMost(of="cot(extract=always)"), script, history=[message("user", "Hello")])
    assert len(script.asked) == 1 + 2 * 2 + 1
    assert all(request.messages[0].text == "Hello" for request in script.asked)
    assert done.best == ["42"]  # those of the parts are not the run's
    assert done.outcome.detail["solved"][0] == ("How many boxes are there?", "7")


def test_the_parts_of_a_puzzle_are_no_puzzles() -> None:
    script = Script((DECOMPOSE, PARTS), (LAST, "Answer: 4 + 5 * 6 - 10"), ("Answer only", "So."))
    done = run(LeastToMost(of="direct"), script, "4 5 6 10", pack="game24")
    assert (done.outcome.answer, done.outcome.verified) == ("4 + 5 * 6 - 10", True)


def test_a_call_that_fails_ends_the_run_with_its_error() -> None:
    script = Script((DECOMPOSE, PARTS), ("Answer only", Rejected("no")))
    with pytest.raises(Rejected, match="no"):
        run(LeastToMost(), script)


def test_what_it_may_take() -> None:
    problem = Problem(text="How many?")
    assert LeastToMost(most=4).forecast(problem).most == 6
    assert LeastToMost(most=4, of="sc(n=3)").forecast(problem).most == 14
    assert within(LeastToMost(), problem, 5) == LeastToMost(most=3)
    assert within(LeastToMost(of="sc(n=3)"), problem, 8) == LeastToMost(most=2, of="sc(n=3)")
    assert within(LeastToMost(), problem, 2) is None
    with pytest.raises(BadInput, match="--most"):
        LeastToMost(most=0)
