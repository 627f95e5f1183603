"""Verdicts: free judgement first, one re-ask held as tightly as the model allows, and nothing guessed."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import events
from promptkit.decisions import Decision, decide, decide_all
from promptkit.errors import BadInput, ContextOverflow, RateLimited
from promptkit.events import Decided, Record
from promptkit.providers.scripted import Scripted
from promptkit.render.stored import restore
from promptkit.types import Capabilities, Completion, Request, Token, message

WORDS = ("sure", "likely", "impossible")
ASKED = Request(messages=(message("user", "Judge."),), temperature=0.7, max_tokens=200, stop=("\n\n\n",))
AGAIN = "Now give only your verdict"
WAYS = {"grammar": "grammar", "json_schema": "schema", "logprobs": "logprobs"}

BAD = [
    "",
    " \n\t\n ",
    "sure/likely/impossible",
    "not sure",
    "I am sure",
    "sure or likely",
    "It is unlikely.",
    "surely",
    "sure\nThough on second thought I cannot tell.",
    "SURE SURE",
    "I cannot judge that.",
    '{"verdict": "sure"}',
    '{"verdict": ["sure"]}',
    "the verdict is: not impossible",
    "<answer>sure</answer>",
    "sure 100%",
    "s u r e",
    "sure\n\nlikely\n\n?",
    "probable",
    "确定",
    "\x00",
    "👍",
    "sure?likely",
    "1",
    "Verdict:",
    "- sure\n- likely\n- impossible (strike two)",
    "sure, with the caveat that I have not checked it",
    "\ud800",
]


class Judge:
    """Says one thing as a judgement and another when it is asked again; keeps what it was sent."""

    def __init__(self, first: str | Completion, then: str | Completion | Exception = "sure", **can: Any) -> None:
        self.first, self.then = first, then
        self.sent: list[Request] = []
        self.model = Scripted(self._say, capabilities=Capabilities(seed=True, local=True, **can))

    def _say(self, request: Request) -> str | Completion:
        self.sent.append(request)
        said = self.then if any(AGAIN in turn.text for turn in request.messages) else self.first
        if isinstance(said, Exception):
            raise said
        return said


def decided(judge: Judge, options: Any = WORDS, **how: Any) -> tuple[Decision, list[Decided]]:
    seen: list[Decided] = []

    def sink(record: Record) -> None:
        if isinstance(record.event, Decided):
            assert restore(json.loads(json.dumps(record.to_json()))) is not None
            seen.append(record.event)

    with events.watch(sink):
        (decision,) = asyncio.run(decide(judge.model, ASKED, options, where="value", **how))
    return decision, seen


def cut_off(text: str) -> Completion:
    return Completion(text=text, model="m", finish="length")


def told(*top: tuple[str, float]) -> Completion:
    """A reply of one token, with what it could have been and how probably."""
    tokens = tuple((text, math.log(share)) for text, share in top)
    return Completion(text=top[0][0], model="m", logprobs=(Token(*tokens[0], tokens),))


# reading ------------------------------------------------------------------------------------------------------------


def test_a_verdict_that_can_be_read_takes_one_free_call() -> None:
    judge = Judge("It works.\nVerdict: **sure**", grammar=True, json_schema=True, logprobs=True)
    decision, seen = decided(judge)
    assert (decision.verdict, decision.how) == ("sure", "read")
    assert judge.sent == [ASKED]
    assert seen == [Decided(WORDS, "sure", "read", "It works.\nVerdict: **sure**")]


def test_the_number_of_a_choice() -> None:
    assert decided(Judge("…\nThe best choice is 2"), 3)[0].verdict == "2"
    assert decided(Judge("I like two.", "2"), 3)[0].verdict == "2"
    assert decided(Judge("I like two.", "The best choice is 12."), 12)[0].verdict == "12"


@pytest.mark.parametrize("said", ["4", "0", "-2", "- 2", "2.5", "1 or 2", "1, 2", "two", "½", "2nd", "1/2", "²"])
def test_no_number_of_a_choice(said: str) -> None:
    decision, _ = decided(Judge("I like two.", said), 3)
    assert (decision.verdict, decision.how) == (None, "unreadable")


def test_a_reply_cut_off_is_not_read() -> None:
    said = "…\nThe best choice is 1"
    assert decided(Judge(cut_off(said), "12"), 12)[0] == Decision(0, "12", "reask", "12", judgement=said)


def test_options_with_marks_of_emphasis_in_them() -> None:
    assert decided(Judge("not_sure"), ("sure", "not_sure"))[0].verdict == "not_sure"


@pytest.mark.parametrize("options", [(), ("",), ("a", "A"), ("a", "*a*"), (" a",), 0, ("_",)])
def test_options_that_cannot_be_told_apart(options: Any) -> None:
    with pytest.raises(BadInput):
        decided(Judge("a"), options)


# asking again -------------------------------------------------------------------------------------------------------


def test_the_re_ask_is_a_fork_that_shows_the_judgement() -> None:
    judge = Judge("Hard to say.")
    decision, seen = decided(judge)
    assert (decision.verdict, decision.how, decision.text) == ("sure", "reask", "sure")
    first, again = judge.sent
    assert [turn.role for turn in again.messages] == ["user", "assistant", "user"]
    assert again.messages[1].text == "Hard to say."
    assert all(word in again.messages[2].text for word in WORDS)
    assert (again.draw, again.temperature, again.stop) == ((1, *first.draw), 0.0, ())
    assert [event.how for event in seen] == ["reask"]


def test_after_silence_no_empty_turn_is_sent() -> None:
    judge = Judge("  ")
    assert decided(judge)[0].verdict == "sure"
    assert [turn.role for turn in judge.sent[1].messages] == ["user"]
    assert judge.sent[1].messages[0].text.startswith("Judge.")


@pytest.mark.parametrize(
    ("can", "then", "field"),
    [
        ("grammar", "likely", 'root ::= "sure" | "likely" | "impossible"'),
        ("json_schema", '{"verdict": "likely"}', None),
        ("logprobs", told(("l", 0.6), ("sure", 0.3)), None),
    ],
)
def test_it_is_held_as_tightly_as_the_model_can_be(can: str, then: str | Completion, field: str | None) -> None:
    judge = Judge("Hard to say.", then, **{can: True})
    decision, _ = decided(judge)
    assert (decision.verdict, decision.how) == ("likely", WAYS[can])
    first, again = judge.sent
    assert (first.grammar, first.schema, first.logprobs) == (None, None, 0)
    assert again.grammar == field
    assert bool(again.schema) == (can == "json_schema")
    assert bool(again.logprobs) == (can == "logprobs")


def test_quotes_and_backslashes_in_a_grammar() -> None:
    judge = Judge("", 'a"\\b', grammar=True)
    assert decided(judge, ('a"\\b', "é"))[0].verdict == 'a"\\b'
    assert judge.sent[1].grammar == r'root ::= "a\"\\b" | "é"'


@pytest.mark.parametrize(
    ("said", "options", "verdict"),
    [
        (told(("s", 0.9), ("l", 0.05)), WORDS, "sure"),
        (told((" Imp", 0.5), ("s", 0.4)), WORDS, "impossible"),
        (told(("Well", 0.9), ("s", 0.05)), WORDS, None),  # it would rather say something else
        (told(("s", 0.45), ("l", 0.45)), WORDS, None),  # as likely as each other
        (told(("1", 0.9), ("2", 0.05)), 12, None),  # of 1, 10, 11 or 12
        (told(("3", 0.9), ("1", 0.05)), 12, "3"),
        (Completion(text="hm", model="m"), WORDS, None),
    ],
)
def test_log_probabilities(said: Completion, options: Any, verdict: str | None) -> None:
    said = Completion(text="" if verdict is None else said.text, model="m", logprobs=said.logprobs)
    how = "unreadable" if verdict is None else None
    decision, _ = decided(Judge("Hard to say.", said, logprobs=True), options)
    assert decision.verdict == verdict
    assert how in (None, decision.how)


def test_directly_one_short_call_held_to_the_options() -> None:
    judge = Judge("likely", grammar=True)
    decision, _ = decided(judge, direct=True)
    assert (decision.verdict, decision.how) == ("likely", "grammar")
    (sent,) = judge.sent
    assert sent.grammar
    assert (sent.max_tokens or 0) < 30
    assert sent.temperature == ASKED.temperature


def test_what_a_grammar_cuts_off_is_no_verdict() -> None:
    decision, _ = decided(Judge("?", cut_off("sure"), grammar=True))
    assert (decision.verdict, decision.how) == (None, "unreadable")


# nothing guessed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(
    ("can", "then"), [(can, bad) for can in (None, *WAYS) for bad in BAD if (can, bad) != ("json_schema", BAD[11])]
)
@pytest.mark.parametrize("first", ["I cannot tell.", ""])
def test_every_bad_answer_is_reported_and_none_is_guessed(first: str, then: str, can: str | None, direct: bool) -> None:
    judge = Judge(first, then, **({can: True} if can else {}))
    decision, seen = decided(judge, direct=direct)
    assert decision.verdict is None
    assert decision.how == "unreadable"
    assert decision.text == (then if then.strip() else first)
    assert len(judge.sent) == 2
    assert [(event.verdict, event.how) for event in seen] == [(None, "unreadable")]


@given(st.text(max_size=60))
def test_only_a_last_line_that_is_an_option_is_a_verdict(text: str) -> None:
    decision, _ = decided(Judge("I cannot tell.", text))
    assert (decision.verdict is None) == (decision.how == "unreadable")
    if decision.verdict:
        assert decision.verdict in text.casefold()


@pytest.mark.parametrize("error", [RateLimited("later"), ContextOverflow("too long")])
def test_a_re_ask_that_fails_loses_a_verdict_and_not_the_run(error: Exception) -> None:
    decision, seen = decided(Judge("Hard to say.", error))
    assert (decision.verdict, decision.how, decision.text) == (None, "unreadable", "Hard to say.")
    assert decision.error is error
    assert len(seen) == 1


def test_many_in_two_rounds_at_most() -> None:
    def say(request: Request) -> str:
        text = request.messages[0].text
        return "likely" if len(request.messages) > 1 else ("sure" if int(text) % 3 else "no idea")

    heard: list[int] = []
    spans: set[str] = set()
    each: Callable[[Decision], None] = lambda decision: heard.append(decision.index)  # noqa: E731
    asked = [Request(messages=(message("user", str(i)),)) for i in range(10)]
    with events.watch(lambda record: spans.add(record.span)):
        made = asyncio.run(decide_all(Scripted(say), asked, WORDS, where="value", each=each))
    assert [decision.index for decision in made] == list(range(10))
    assert [decision.verdict for decision in made] == ["sure" if i % 3 else "likely" for i in range(10)]
    assert heard == [1, 2, 4, 5, 7, 8, 0, 3, 6, 9]  # what can be read is not kept waiting
    assert {span for span in spans if span and "/" not in span} == {"value", "value-again"}
