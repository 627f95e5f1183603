"""What the tiny model can read is told from everything else by a question's form, before anything is asked.

tests/data/domain.yaml was written without sight of the check; its entries at odd places were never looked at while the
check was tuned.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import yaml

from promptkit.worlds.words import Level, draw
from promptkit.worlds.words.domain import KNOWN, fault

LEVELS: tuple[Level, ...] = ("easy", "hard")
WRITTEN = yaml.safe_load((Path(__file__).parents[1] / "data" / "domain.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("half", [0, 1], ids=["tuned", "unseen"])
def test_other_questions_are_flagged(half: int) -> None:
    others = WRITTEN["other"][half::2]
    flagged = [question for question in others if fault(question)]
    assert len(flagged) >= 0.95 * len(others)


def test_half_of_the_other_questions_hold_numbers() -> None:
    assert len(WRITTEN["other"]) >= 200
    assert sum(bool(re.search(r"\d", question)) for question in WRITTEN["other"]) >= 100


@pytest.mark.parametrize("half", [0, 1], ids=["tuned", "unseen"])
def test_arithmetic_is_let_through(half: int) -> None:
    problems = WRITTEN["arithmetic"][half::2]
    assert len([question for question in problems if fault(question)]) <= 0.02 * len(problems)


def test_every_generated_problem_is_let_through() -> None:
    rng = random.Random(12)
    assert not [q for _ in range(400) for q in [draw(rng, level="hard", split="test").question] if fault(q)]
    assert not [q for _ in range(400) for q in [draw(rng, level="easy", split="test").question] if fault(q)]


def test_the_known_words_are_words_of_generated_problems() -> None:
    rng = random.Random(5)
    texts = (draw(rng, level=level, split="train").question for level in LEVELS for _ in range(4000))
    assert set(re.findall(r"[a-z]+", " ".join(texts).lower())) >= KNOWN


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("What is the capital of France?", "does not ask how many"),
        ("Tom has five apples. How many does he have?", "fewer than two numbers"),
        ("How many moons does Jupiter have, 79 or 80?", "before it tells a number"),
    ],
)
def test_the_fault_is_named(question: str, why: str) -> None:
    assert why in (fault(question) or "")
