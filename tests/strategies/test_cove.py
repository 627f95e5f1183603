"""Chain-of-verification: checks that do not see the draft, and a draft that stands where nothing speaks against it."""

from __future__ import annotations

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import within
from promptkit.errors import BadInput, Unavailable
from promptkit.strategies.prompting.cove import ChainOfVerification
from promptkit.types import Completion, Problem

PLAN, CHECK, REVISE = "Write verification questions", "Answer in at most five sentences", "Answer the question anew"
DRAFT = ("step by step.", "It was MARKED in 1911.\nAnswer: 1911")
QUESTIONS = "1. When was the bridge built?\n2. Who built it?"


def test_the_checks_do_not_see_the_draft() -> None:
    script = Script((PLAN, QUESTIONS), (CHECK, "In 1912."), (REVISE, "Answer: 1912"), DRAFT)
    done = run(ChainOfVerification(), script, "Which year?", **NUMBER)
    draft, plan, *checks, revision = script.prompts
    assert draft.startswith("Which year?")
    assert "MARKED" in plan
    assert [check.split("\n")[0] for check in checks] == ["When was the bridge built?", "Who built it?"]
    assert not any("MARKED" in check or "Which year?" in check or "1911" in check for check in checks)
    assert all(word in revision for word in ("MARKED", "Which year?", "Q: Who built it?\nA: In 1912."))
    assert done.best == ["1911", "1912"]  # the draft is the best there is until it is revised
    assert (done.outcome.answer, done.outcome.detail["draft"], done.outcome.detail["revised"]) == ("1912", "1911", True)


@pytest.mark.parametrize("reply", ["Nothing to check.", "", cut("1. When was the br")])
def test_without_questions_the_draft_stands(reply: str | Completion) -> None:
    script = Script((PLAN, reply), DRAFT)
    done = run(ChainOfVerification(), script, **NUMBER)
    assert (len(script.asked), done.outcome.answer, done.outcome.status) == (2, "1911", "done")
    assert "no verification question could be read" in done.told


def test_a_revision_that_cannot_be_read_leaves_the_draft() -> None:
    script = Script((PLAN, QUESTIONS), (CHECK, "In 1912."), (REVISE, cut("So it must be 19")), DRAFT)
    done = run(ChainOfVerification(), script, **NUMBER)
    assert (done.outcome.answer, done.outcome.detail["revised"], done.best) == ("1911", False, ["1911"])


def test_checks_that_fail_are_counted_and_not_shown() -> None:
    script = Script((PLAN, QUESTIONS), ("Who built it?\n\nAnswer", Unavailable("down")), (CHECK, "In 1912."), DRAFT)
    done = run(ChainOfVerification(), script, **NUMBER)
    assert done.outcome.detail["unanswered"] == 1
    assert "Who built it?" not in script.prompts[-1]
    assert done.outcome.answer == "42"


def test_when_every_check_fails_so_does_the_run() -> None:
    with pytest.raises(Unavailable):
        run(ChainOfVerification(), Script((PLAN, QUESTIONS), (CHECK, Unavailable("down")), DRAFT))


def test_checks_that_say_nothing_leave_the_draft() -> None:
    done = run(ChainOfVerification(), Script((PLAN, QUESTIONS), (CHECK, cut("In 19")), DRAFT), **NUMBER)
    assert (done.outcome.answer, done.outcome.detail["unanswered"]) == ("1911", 2)


def test_questions_are_asked_once_and_no_more_than_allowed() -> None:
    listed = "1. Who built it?\n2. who built it\n3. When?\n4. Where?"
    script = Script((PLAN, listed), (CHECK, "So."), (REVISE, "Answer: 1912"), DRAFT)
    run(ChainOfVerification(most=2), script)
    assert [p.split("\n")[0] for p in script.prompts if CHECK in p] == ["Who built it?", "When?"]


def test_a_draft_that_a_program_finds_right_is_not_touched() -> None:
    script = Script(("", "Answer: 4 + 5 * 6 - 10"))
    done = run(ChainOfVerification(), script, "4 5 6 10", pack="game24")
    assert (len(script.asked), done.outcome.verified, done.outcome.detail["revised"]) == (1, True, False)


def test_strategies_draft_and_check() -> None:
    script = Script((PLAN, QUESTIONS), (REVISE, "Answer: 1912"), ("Give the answer directly", "1911"))
    done = run(ChainOfVerification(draft="direct", of="direct"), script)
    assert len(script.asked) == 1 + 1 + 2 + 1
    assert done.outcome.detail["checks"][0] == ("When was the bridge built?", "1911")
    assert done.best == ["1911", "1912"]


def test_what_it_may_take() -> None:
    problem = Problem(text="How many?")
    assert ChainOfVerification().forecast(problem).most == 8
    assert within(ChainOfVerification(), problem, 6) == ChainOfVerification(most=3)
    smaller = within(ChainOfVerification(draft="sc(n=9)"), problem, 8)
    assert smaller == ChainOfVerification(draft="sc(n=5)", most=1)
    assert within(ChainOfVerification(), problem, 3) is None
    for wrong in ({"most": 0}, {"draft": None}):
        with pytest.raises(BadInput):
            ChainOfVerification(**wrong)
