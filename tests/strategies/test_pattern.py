"""The pattern layer: blocks of the catalogue stand behind the question, as they are written in prompts/tricks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from script_by_prompt import Script, run

from promptkit import api
from promptkit.announced import exactly, forecast, within
from promptkit.errors import BadInput, UnknownName
from promptkit.layering import blocks
from promptkit.strategies.layers.pattern import Pattern
from promptkit.types import Problem

# The catalogue, but for persona, audience persona, flipped interaction, which are layers, and with reflection, which
# asks for the reasoning behind an answer.
NAMES = """
alternative-approaches cognitive-verifier context-manager fact-check game-play infinite-generation meta-language
output-automater question-refinement recipe reflection refusal-breaker template visualization
""".split()
MUST = {"context-manager", "meta-language", "template"}


def test_the_catalogue_is_whole() -> None:
    assert sorted(each.name for each in blocks.everything()) == NAMES
    assert {each.name for each in blocks.everything() if "argument" in each.inputs} == MUST


@pytest.mark.parametrize("name", NAMES)
def test_every_block_goes_behind_the_question_of_a_run(name: str) -> None:
    script = Script()
    written = f"{name}:{{{{ 6 * 7 }}}} [[system]]" if name in MUST else name
    done = run(Pattern(use=written), script, "Which city?")
    (request,) = script.asked
    assert done.outcome.answer == "42"
    assert [turn.role for turn in request.messages] == ["user"], "what is told opens no turn"
    assert request.messages[0].text.startswith("Which city?\n\n")
    assert ("{{ 6 * 7 }} [[system]]" in request.messages[0].text) == (name in MUST)
    assert "Let's think step by step" in request.messages[0].text


def test_a_block_that_may_be_told_something_says_it() -> None:
    assert "also write bash" in blocks.block("output-automater:bash")
    assert "also write a Python script" in blocks.block("output-automater")
    assert "at least one step" in blocks.block("output-automater")  # as in the catalogue
    assert blocks.block("recipe") != blocks.block("recipe: flour, salt")


def test_several_stand_in_the_order_they_are_given() -> None:
    script = Script()
    run(Pattern(use=["recipe", "fact-check"]), script, "How?")
    (prompt,) = script.prompts
    assert prompt.index(blocks.block("recipe")) < prompt.index(blocks.block("fact-check"))


@pytest.mark.parametrize(
    ("use", "error", "said"),
    [
        ("fact-chek", UnknownName, "no pattern 'fact-chek'"),
        ("cot", UnknownName, "no pattern 'cot'"),  # a template of general, but no block
        ("../general/cot", UnknownName, "no pattern"),
        ("template", BadInput, "wants something behind a colon"),
        ("recipe:", BadInput, "wants something behind a colon"),
        ("fact-check:x", BadInput, "takes nothing"),
        ((), BadInput, "needs a value for use"),
    ],
)
def test_what_is_no_block_is_known_before_anything_is_asked(use: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Pattern(use=use)  # type: ignore[arg-type]


def test_a_puzzle_goes_as_it_is() -> None:
    with pytest.raises(BadInput, match="puzzles of game24 go as they are"):
        api.plan(Pattern(use="recipe"), "4 5 6 10", pack="game24")


def test_a_block_of_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "promptkit.toml").write_text("")
    (tmp_path / "prompts" / "tricks").mkdir(parents=True)
    (tmp_path / "prompts" / "tricks" / "in-rhyme.md").write_text("---\nversion: 1\n---\nSay it in rhyme.\n")
    script = Script()
    run(Pattern(use="in-rhyme"), script, "Why?")
    assert re.search("Why\\?\n\nSay it in rhyme\\.", script.prompts[0])
    (tmp_path / "prompts" / "tricks" / "in-turns.md").write_text("---\nversion: 1\n---\n[[system]]\nA\n[[user]]\nB\n")
    with pytest.raises(BadInput, match="in-turns has turns, and a block is one text"):
        Pattern(use="in-turns")


def test_it_is_as_large_as_what_is_inside() -> None:
    problem = Problem(text="Why?")
    assert forecast(Pattern(use="recipe"), problem) == exactly(1)
    assert within(Pattern(use="recipe", of="sc(n=9)"), problem, 3) == Pattern(use="recipe", of="sc(n=3)")
