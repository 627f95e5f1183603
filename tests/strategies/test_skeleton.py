"""Skeleton-of-thought: points in parallel, put together in their order by program."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from script_by_prompt import Script, cut, run

from promptkit import api
from promptkit.announced import within
from promptkit.errors import BadInput, Unavailable
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.strategies.prompting.skeleton import SkeletonOfThought
from promptkit.types import Problem, Request

SKELETON, POINT = "giving the skeleton", "Continue and only continue the writing of point"
POINTS = "1. Sleep enough\n2. Eat well\n3. Walk daily"


def write(request: Request) -> str:
    number = request.messages[-1].text.partition(POINT)[2].strip()[0]
    return {"1": "Eight hours do.", "2": "2. **Eat well**: Greens and beans.", "3": "Walk daily. It helps."}[number]


TEXT = "1. Sleep enough: Eight hours do.\n\n2. Eat well: Greens and beans.\n\n3. Walk daily: It helps."


def test_points_are_written_out_and_put_together() -> None:
    script = Script((SKELETON, POINTS), (POINT, write))
    done = run(SkeletonOfThought(), script, "How to stay well?")
    assert done.outcome.answer == done.outcome.text == TEXT
    assert done.best == [TEXT]
    assert all(f"How to stay well?\n\nThe skeleton of the answer is:\n\n{POINTS}" in p for p in script.prompts[1:])
    assert done.outcome.detail["points"] == 3


def test_the_order_of_arrival_changes_nothing() -> None:
    async def late(request: Request) -> str:
        if SKELETON in request.messages[-1].text:
            return POINTS
        said = write(request)
        await asyncio.sleep(0.004 if said.startswith("Eight") else 0.001)
        return said

    with Journal.open(None) as journal:
        assert api.run(SkeletonOfThought(), "How?", model=Scripted(late, name="late"), journal=journal).answer == TEXT


def test_a_question_without_points_is_answered_in_one_go() -> None:
    script = Script((SKELETON, "It is not that kind of question."), ("Give the answer directly", "42"))
    done = run(SkeletonOfThought(), script)
    assert (len(script.asked), done.outcome.answer, done.outcome.detail["points"]) == (2, "42", 0)
    assert "no skeleton could be read" in done.told


def test_the_last_point_of_a_skeleton_that_was_cut_off_is_left_out() -> None:
    script = Script((SKELETON, cut("1. Sleep enough\n2. Ea")), (POINT, write))
    assert run(SkeletonOfThought(), script).outcome.answer == "1. Sleep enough: Eight hours do."


def test_a_point_that_fails_is_told_and_keeps_its_title() -> None:
    script = Script((SKELETON, POINTS), ("point 2:", Unavailable("down")), ("point 3:", cut("It hel")), (POINT, write))
    done = run(SkeletonOfThought(), script)
    assert done.outcome.answer == "1. Sleep enough: Eight hours do.\n\n2. Eat well\n\n3. Walk daily: It hel"
    assert (done.outcome.detail["failed"], done.outcome.detail["cut_off"]) == (1, 1)
    assert "1 of 3 points could not be written" in done.told


@pytest.mark.parametrize(
    ("point", "said", "body"),
    [
        ("Cost", "Costs are rising.", "Costs are rising."),
        ("Non", "Non-profit groups help.", "Non-profit groups help."),
        ("Model", "Model's size matters.", "Model's size matters."),
        ("Cost", "**Cost**: It is low.", "It is low."),
        ("Cost", "1. Cost – it is low.", "it is low."),
    ],
)
def test_a_title_said_again_is_left_out_and_no_part_of_a_word_is(point: str, said: str, body: str) -> None:
    script = Script((SKELETON, f"1. {point}"), (POINT, said))
    assert run(SkeletonOfThought(), script).outcome.answer == f"1. {point}: {body}"


def test_when_every_point_fails_so_does_the_run() -> None:
    with pytest.raises(Unavailable):
        run(SkeletonOfThought(), Script((SKELETON, POINTS), (POINT, Unavailable("down"))))


@pytest.mark.parametrize(
    ("how", "answer"),
    [
        ({"reader": "number"}, "42"),
        ({"output": {"type": "integer"}}, "42"),
        ({"pack": "game24"}, "4 + 5 * 6 - 10"),
    ],
)
def test_an_answer_that_must_be_read_is_drawn_from_the_text(how: dict[str, Any], answer: str) -> None:
    drawn = answer if "output" in how else f"Answer: {answer}"
    script = Script((SKELETON, POINTS), (POINT, write), ("Draw the conclusion", drawn))
    done = run(SkeletonOfThought(), script, "4 5 6 10", **how)
    assert done.outcome.answer == answer
    assert TEXT in script.prompts[-1]
    assert SkeletonOfThought().forecast(Problem(text="4 5 6 10", reader="number")).most == 12


def test_what_it_may_take() -> None:
    problem = Problem(text="How?")
    assert SkeletonOfThought().forecast(problem).most == 11
    assert within(SkeletonOfThought(), problem, 4) == SkeletonOfThought(most=3)
    assert within(SkeletonOfThought(), problem, 1) is None
    with pytest.raises(BadInput, match="--most"):
        SkeletonOfThought(most=0)
