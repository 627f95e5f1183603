"""The descriptive layer: what the linter misses is assumed by one call, and stated behind the question's own words."""

from __future__ import annotations

import pytest
from script_by_prompt import Script, cut, run

from promptkit import api
from promptkit.announced import forecast, within
from promptkit.errors import BadInput
from promptkit.layering.lacking import KINDS, lint
from promptkit.strategies.layers.descriptive import Descriptive
from promptkit.types import Problem

ASKED = "nobody can be asked"
VAGUE = "Tell me about {{ rain }}  in Lyon."
WHOLE = (
    "We are planning a picnic. For children, list in three bullet points, without numbers, what rain does to it, "
    "for example: wet bread."
)


def lacks(prompt: str) -> list[str]:
    return [each.kind for each in lint(prompt)]


def test_what_a_prompt_says_is_not_missed() -> None:
    assert lacks("Tell me about rain.") == list(KINDS)
    assert lacks(WHOLE) == []


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ("audience", "Explain rain to a ten-year-old child."),
        ("audience", "Explain rain to a 10-year-old."),
        ("audience", "Write for busy hospital managers about rain."),
        ("audience", "Tell me about rain. Audience: sailors."),
        ("format", "Give me a table of rainy cities."),
        ("format", "Rainy cities as JSON."),
        ("length", "Tell me about rain in at most 120 words."),
        ("length", "Tell me about rain in two short sentences."),
        ("length", "Tell me about rain, briefly."),
        ("constraints", "Tell me about rain. Do not mention clouds."),
        ("examples", "Cities with rivers, e.g. Lyon."),
        ("examples", "Input: Lyon\nOutput: Rhône\nInput: Paris"),
        ("context", "I'm planning a picnic. Does it rain?"),
    ],
)
def test_each_thing_is_found_where_it_is_said(kind: str, prompt: str) -> None:
    assert kind not in lacks(prompt)
    assert kind in lacks("Tell me about rain.")


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ("audience", "What did the doctors say?"),  # whom it is about, not who reads it
        ("length", "How many people live in Lyon?"),
        ("format", "What did the Romans build?"),
        ("examples", "What is an exemplary life?"),
    ],
)
def test_words_that_only_look_like_it_do_not_count(kind: str, prompt: str) -> None:
    assert kind in lacks(prompt)


def test_every_finding_says_what_to_add() -> None:
    assert all(each.what and each.add for each in lint("Tell me about rain."))


def test_assumptions_are_stated_behind_the_user_s_own_words() -> None:
    script = Script((ASKED, "Audience: **grown-ups**\n- length: two lines\nmood: gay\nformat: none"))
    done = run(Descriptive(), script, VAGUE)
    first, second = script.prompts
    assert VAGUE in first
    assert "- audience: who will read" in first
    assert second.startswith(f"{VAGUE}\n\nWhere the question leaves it open, assume:\n- audience: grown-ups\n")
    assert "- length: two lines" in second
    assert "mood" not in second
    assert dict(done.outcome.detail["descriptive"]) == {
        "lacks": list(KINDS),
        "assumed": {"audience": "grown-ups", "length": "two lines"},
    }
    assert done.outcome.answer == "42"


def test_a_question_that_lacks_nothing_is_asked_as_it_is() -> None:
    script = Script()
    done = run(Descriptive(), script, WHOLE)
    assert len(script.asked) == 1
    assert script.prompts[0].startswith(f"{WHOLE}\n\nLet's think")
    assert done.outcome.detail["descriptive"] == {"lacks": [], "assumed": {}}


@pytest.mark.parametrize(
    ("reply", "told"), [("none", ""), ("None.", ""), ("Well, it rains.", "no assumptions"), ("", "no")]
)
def test_without_assumptions_the_question_goes_as_it_is(reply: str, told: str) -> None:
    script = Script((ASKED, reply))
    done = run(Descriptive(), script, VAGUE)
    assert script.prompts[1].startswith(f"{VAGUE}\n\nLet's think")
    assert (told in done.told) if told else not done.told


def test_half_an_assumption_is_none() -> None:
    script = Script((ASKED, cut("audience: pupils\nlength: at mo")))
    run(Descriptive(), script, VAGUE)
    assert "pupils" in script.prompts[1]
    assert "at mo" not in script.prompts[1]


def test_what_is_known_from_elsewhere_is_not_assumed() -> None:
    script = Script((ASKED, "audience: adults\nlength: short"))
    run(Descriptive(known=["audience"]), script, VAGUE)
    assert "- audience:" not in script.prompts[0]
    assert "adults" not in script.prompts[1]
    with pytest.raises(BadInput, match="no thing to know 'audiance'"):
        Descriptive(known=["audiance"])


def test_a_puzzle_goes_as_it_is() -> None:
    with pytest.raises(BadInput, match="puzzles of game24 go as they are"):
        api.plan(Descriptive(), "4 5 6 10", pack="game24")


def test_what_it_announces_is_what_it_takes() -> None:
    vague, whole = Problem(text=VAGUE), Problem(text=WHOLE)
    assert (forecast(Descriptive(), vague).most, forecast(Descriptive(), whole).most) == (2, 1)
    assert within(Descriptive(of="sc(n=9)"), vague, 4) == Descriptive(of="sc(n=3)")
    assert within(Descriptive(), vague, 1) is None
