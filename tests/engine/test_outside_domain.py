"""A model that was trained for a few kinds of question says so before it is asked another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

import promptkit as pk
from promptkit.events import Record, Warned
from promptkit.journal import Journal

COOKIES = "Anna has 6 boxes with 8 cookies each. She gives 13 cookies to Ben. How many cookies are left?"


def asked(question: str, pack: str) -> tuple[pk.Outcome, list[Record]]:
    heard: list[Record] = []
    outcome = pk.run("cot", question, pack=pack, model="builtin", journal="memory", sinks=[heard.append])
    return outcome, heard


def warnings(heard: list[Record]) -> list[Warned]:
    return [record.event for record in heard if isinstance(record.event, Warned)]


def test_a_question_of_another_kind_is_said_to_be_so_before_the_answer() -> None:
    _, heard = asked("When did the war end, 1945 or 1946?", "words")
    kinds = [type(record.event).__name__ for record in heard]
    (warning,) = warnings(heard)
    assert "arithmetic word problems only" in warning.message
    for way in ("-m ollama:", "-m groq:", "-m openai:", "-m llamacpp:"):
        assert way in (warning.hint or "")
    assert kinds.index("Warned") < kinds.index("Delta")


def test_a_word_problem_is_asked_without_a_word() -> None:
    _, heard = asked(COOKIES, "words")
    assert not warnings(heard)


@pytest.mark.parametrize(("question", "pack"), [(COOKIES, "words"), ("1 4 9 11", "game24")])
def test_without_a_pack_the_one_that_fits_is_named(question: str, pack: str) -> None:
    outcome, heard = asked(question, "general")
    assert outcome.status == "undecided"
    assert outcome.usage.calls == 0
    (warning,) = warnings(heard)
    assert f"-P {pack}" in warning.message


def test_without_a_pack_another_question_is_declined_with_the_ways_to_a_real_model() -> None:
    outcome, heard = asked("Why is the sky blue?", "general")
    assert (outcome.status, outcome.usage.calls) == ("undecided", 0)
    assert "-m ollama:" in (warnings(heard)[0].hint or "")


def test_a_question_that_is_declined_leaves_no_run(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db") as journal:
        outcome = pk.run("cot", "Why is the sky blue?", model="builtin", journal=journal)
        assert (outcome.status, outcome.run) == ("undecided", "")
        assert journal.runs() == []
        kept = pk.run("cot", COOKIES, pack="words", model="builtin", journal=journal)
        assert [row.id for row in journal.runs()] == [kept.run]


def test_a_prompt_it_was_not_trained_on_is_told_once() -> None:
    """The pack fits, and three templates that the strategy asks in are general's: that is one warning."""
    heard: list[Record] = []
    pk.run("cove", COOKIES, pack="words", model="builtin", journal="memory", sinks=[heard.append])
    (warning,) = warnings(heard)
    assert warning.message.startswith("builtin was not trained on the prompt general/")
    assert "prompts list -P words" in (warning.hint or "")


def test_a_model_that_takes_any_prompt_is_not_warned_of() -> None:
    heard: list[Record] = []
    model = pk.Scripted(lambda request: "Answer: 35")
    pk.run("plan-and-solve", COOKIES, pack="words", model=model, journal="memory", sinks=[heard.append])
    assert not warnings(heard)
