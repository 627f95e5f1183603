"""Lessons in hidden rules say what few-shot says."""

from __future__ import annotations

import random

from promptkit import prompts
from training.patterns import pattern


def test_a_lesson_renders_as_turns_of_few_shot() -> None:
    rng = random.Random(2)
    lessons = [pattern(rng) for _ in range(100)]
    for lesson in lessons:
        template = prompts.find(lesson.pack, lesson.template)
        assert template.pack == "patterns"
        for inputs, reply in (*lesson.shots, (lesson.inputs, lesson.reply)):
            (turn,) = template.render(**inputs)
            assert turn.text == f"Input: {inputs['question']}\nOutput:"
            (said,) = prompts.find("patterns", "example").render(answer=reply, rationale="")
            assert said.text == reply
    assert {len(lesson.shots) for lesson in lessons} >= {4, 8, 12}


def test_the_same_seed_gives_the_same_lesson() -> None:
    assert pattern(random.Random(4), "test") == pattern(random.Random(4), "test")
