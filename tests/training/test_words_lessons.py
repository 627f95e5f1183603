"""Lessons in word problems: what is asked renders, what is replied is right and readable."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from promptkit import answers, examples, prompts
from promptkit.arithmetic import canonical
from promptkit.verdicts import ballot, verdict
from promptkit.worlds.words import draw, split_of
from training import words
from training.lesson import Lesson

LESSONS = [words.cot, words.direct, words.few_shot, words.judge, words.choose, words.critique, words.refine]


def asked(lesson: Lesson) -> str:
    return prompts.pack(lesson.pack).template(lesson.template).render(**lesson.inputs)[-1].text


def read(reply: str) -> str | None:
    found = answers.read(prompts.pack("words").reader, reply)
    return found.answer if isinstance(found, answers.Reading) else None


@pytest.mark.parametrize("make", LESSONS)
def test_a_lesson_renders_and_is_made_again_from_its_seed(make: Callable[[random.Random], Lesson]) -> None:
    for seed in range(20):
        lesson = make(random.Random(seed))
        assert str(lesson.inputs["question"]) in asked(lesson)
        assert lesson == make(random.Random(seed))


@pytest.mark.parametrize("make", [words.cot, words.direct, words.few_shot, words.refine])
def test_the_answer_can_be_read(make: Callable[[random.Random], Lesson]) -> None:
    rng = random.Random(2)
    for _ in range(30):
        lesson = make(rng)
        for reply in (lesson.reply, *(reply for _, reply in lesson.shots)):
            assert read(reply) == reply.rpartition("Answer: ")[2]


def test_a_judge_says_yes_to_the_right_answer_alone() -> None:
    rng, said = random.Random(3), []
    for _ in range(100):
        lesson = words.judge(rng)
        word = verdict(lesson.reply, prompts.pack("words").template("judge").scores)
        result = re.findall(r"= (\d+)", lesson.reply)[-1]
        assert (word == "yes") == (result == lesson.inputs["answer"])
        said.append(word)
    assert 30 < said.count("yes") < 70


def test_the_best_choice_is_the_result_of_the_steps() -> None:
    rng = random.Random(4)
    for _ in range(50):
        lesson = words.choose(rng)
        candidates = lesson.inputs["candidates"]
        assert isinstance(candidates, list)
        chosen = ballot(lesson.reply, len(candidates))
        assert chosen is not None
        assert candidates[chosen] == re.findall(r"= (\d+)", lesson.reply)[-1]
        assert len(set(candidates)) == len(candidates)


def test_a_false_draft_has_one_false_equation_and_goes_on_with_its_result() -> None:
    rng = random.Random(5)
    for _ in range(100):
        problem = draw(rng, level="hard", split="train")
        draft = words.draft_of(rng, problem, right=0)
        checked = words.check(draft)
        assert len(re.findall(r"\d wrong$", checked, re.M)) == 1
        assert checked.endswith("Verdict: wrong")
        assert draft.rpartition("Answer: ")[2] == re.findall(r"= (\d+)", draft)[-1]
    assert words.check(words.solution(problem)).endswith("Verdict: right")


def test_the_examples_of_the_pack_are_right_and_were_trained_on() -> None:
    for example in examples.of_pack("words"):
        assert words.check(example.rationale).endswith("Verdict: right")
        assert re.findall(r"= (\d+)", example.rationale)[-1] == example.answer
        assert split_of(_whole(example.rationale)) == "train"


def _whole(rationale: str) -> str:
    """The canonical expression that a chain spells out, each result put in its place."""
    worked: dict[str, str] = {}
    for left, sign, right, result in re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", rationale):
        worked[result] = f"({worked.get(left, left)}{sign}{worked.get(right, right)})"
    return canonical(worked[result])
