"""Zero-shot chain of thought in two calls: the reasoning, then the answer alone."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

import promptkit as pk
from promptkit import events
from promptkit.errors import BadInput
from promptkit.journal import Journal
from promptkit.strategies.prompting.cot import ChainOfThought
from promptkit.types import Problem, Request, message

QUESTION = "A farmer has 12 sheep and sells 5. How many are left?"
READABLE, UNREADABLE = "12 - 5 = 7.\nAnswer: 7", "He sells some, so there are fewer of them."


class Script:
    """A model that reasons first and, asked for it, answers; it remembers what it was asked."""

    def __init__(self, reasoning: str, answer: str = "Answer: 7", shuffle: int = 0) -> None:
        self.asked: list[Request] = []
        self._replies = reasoning, answer
        self._dice = random.Random(shuffle)

    async def __call__(self, request: Request) -> str:
        self.asked.append(request)
        await asyncio.sleep(self._dice.random() * 0.003)
        return self._replies["Therefore" in request.messages[-1].text]


def ask(script: Script, extract: str | None, **how: Any) -> tuple[pk.Outcome, list[Any]]:
    """The outcome, and the events."""
    seen: list[events.Record] = []
    with Journal.open(None) as journal:
        given = {"reader": "number", "journal": journal, "sinks": [seen.append], "extract": extract, **how}
        outcome = pk.run("cot", QUESTION, model=pk.Scripted(script, name="taught"), **given)
    return outcome, [each.event for each in seen]


@pytest.mark.parametrize(
    ("extract", "reasoning", "calls"),
    [
        (None, READABLE, 1),
        ("never", UNREADABLE, 1),
        (None, UNREADABLE, 1),
        ("unread", READABLE, 1),
        ("unread", UNREADABLE, 2),
        ("always", READABLE, 2),
        ("always", UNREADABLE, 2),
    ],
)
def test_when_the_second_call_is_made(extract: str | None, reasoning: str, calls: int) -> None:
    script = Script(reasoning)
    outcome, _ = ask(script, extract)
    assert (len(script.asked), outcome.usage.calls) == (calls, calls)
    assert outcome.answer == (None if calls == 1 and reasoning is UNREADABLE else "7")
    assert outcome.status == ("undecided" if outcome.answer is None else "done")
    assert outcome.text.startswith(reasoning)


@pytest.mark.parametrize(
    ("reply", "calls"),
    [
        ("He sells 5 of 12.\nAnswer: 7", 1),
        ("He sells 5 of 12.\n\nSo 7 sheep are left with him.", 2),  # its last paragraph would be read
        ("12 - 5 = \\boxed{7}", 1),
    ],
)
def test_a_last_sentence_is_no_answer_that_was_marked(reply: str, calls: int) -> None:
    script = Script(reply)
    outcome, _ = ask(script, "unread", reader="final")
    assert (len(script.asked), outcome.answer) == (calls, "7")


def test_the_last_sentence_stays_where_the_second_call_has_no_answer() -> None:
    outcome, _ = ask(Script("So 7 are left.", "   "), "unread", reader="final")
    assert (outcome.answer, outcome.detail["extracted"]) == ("So 7 are left", False)


@pytest.mark.parametrize(
    ("extract", "output", "samples"),
    [
        (None, None, (1, 1)),
        ("never", None, (1, 1)),
        ("unread", None, (1, 2)),
        ("always", None, (2, 2)),
        ("always", "{}", (1, 2)),  # an output is mended instead
    ],
)
def test_what_it_may_take(extract: Any, output: str | None, samples: tuple[int, int]) -> None:
    said = ChainOfThought(extract=extract).forecast(Problem(text=QUESTION, output_schema=output))
    assert (said.least, said.most) == samples


def test_the_second_call_is_the_first_with_its_reply_and_a_question() -> None:
    script = Script(f"<think>Sheep are not goats.</think>{UNREADABLE}")
    history = [message("user", "Hello"), message("assistant", "Hi.")]
    ask(script, "always", history=history)
    first, second = script.asked
    assert second.messages[: len(first.messages)] == first.messages
    assert second.messages[len(first.messages)] == message("assistant", UNREADABLE)  # without its reasoning
    (last,) = second.messages[len(first.messages) + 1 :]
    assert last.role == "user"
    assert last.text.startswith("Therefore, ")


@pytest.mark.parametrize(
    ("reader", "reply", "answer", "word"),
    [
        ("number", "Answer: 7", "7", "number"),
        ("choice", "Answer: (B)", "B", "letter"),
        ("expression", "Answer: 12 - 5", "12 - 5", "expression"),
        ("boxed", "\\boxed{7}", "7", "\\boxed{"),
        ("final", "Answer: seven sheep", "seven sheep", "few words"),
        ("text", "Seven.", "Seven.", "only the final answer"),
        ("text", "Answer: Seven.", "Seven.", "only the final answer"),
    ],
)
def test_it_asks_for_what_the_reader_reads(reader: str, reply: str, answer: str, word: str) -> None:
    script = Script(UNREADABLE, reply)
    outcome, _ = ask(script, "always", reader=reader)
    assert outcome.answer == answer
    assert word in script.asked[1].messages[-1].text


def test_the_second_answer_counts() -> None:
    outcome, seen = ask(Script(READABLE, "Answer: 8"), "always")
    assert (outcome.answer, outcome.detail["extracted"]) == ("8", True)
    assert [each.answer for each in seen if isinstance(each, events.Best)] == ["7", "8"]
    assert [(each.index, each.answer) for each in seen if isinstance(each, events.SampleRead)] == [(0, "7"), (1, "8")]


def test_the_chains_own_answer_stays_where_the_second_has_none() -> None:
    outcome, _ = ask(Script(READABLE, "I would rather not say."), "always")
    assert (outcome.answer, outcome.detail["extracted"]) == ("7", False)
    outcome, _ = ask(Script(UNREADABLE, "I would rather not say."), "always")
    assert (outcome.answer, outcome.status, outcome.detail["extracted"]) == (None, "undecided", False)


def test_a_reply_that_is_all_reasoning_is_not_asked_about() -> None:
    script = Script("<think>Hm, sheep.</think>")
    outcome, _ = ask(script, "always")
    assert (len(script.asked), outcome.answer) == (1, None)


def test_a_chain_that_was_cut_off_is_asked_for_its_conclusion() -> None:
    outcome, _ = ask(Script("one two three four five six seven"), "unread", reply_tokens=4)
    assert (outcome.answer, outcome.status) == ("7", "done")


def test_the_chain_is_in_the_journal_already() -> None:
    with Journal.open(None) as journal:
        ask(Script(READABLE), None, journal=journal)
        script = Script(READABLE)
        outcome, _ = ask(script, "always", journal=journal)
        assert len(script.asked) == 1
        assert outcome.usage.cached_calls == 1
        assert pk.replay(outcome.run, journal=journal).answer == outcome.answer


def test_a_cap_between_the_two_leaves_the_chains_answer() -> None:
    script = Script(READABLE, "Answer: 8")
    outcome, _ = ask(script, "always", max_calls=1)
    assert (outcome.status, outcome.answer, len(script.asked)) == ("budget", "7", 1)


def test_a_program_has_the_last_word_on_a_puzzle() -> None:
    with Journal.open(None) as journal:
        script = Script("hm", "Answer: (10 - 6) * (5 + 4 - 3)")
        how: dict[str, Any] = {"pack": "game24", "journal": journal, "extract": "unread"}
        outcome = pk.run("cot", "4 5 6 10", model=pk.Scripted(script, name="taught"), **how)
        assert (outcome.status, outcome.detail["verified"]) == ("done", False)
        script = Script("hmm", "Answer: 4 + 5 * 6 - 10")
        assert pk.run("cot", "4 5 6 10", model=pk.Scripted(script, name="taught"), **{**how, "fresh": True}).detail[
            "verified"
        ]


def test_the_order_of_arrival_changes_nothing() -> None:
    async def once(shuffle: int) -> list[Any]:
        with Journal.open(None) as journal:
            how: dict[str, Any] = {"journal": journal, "extract": "unread", "concurrency": 1 + shuffle}
            model = pk.Scripted(Script(UNREADABLE, shuffle=shuffle))
            runs = [pk.arun("cot", f"{QUESTION} ({n})", model=model, **how) for n in range(10)]
            return [(each.answer, each.text, each.detail, each.usage.calls) for each in await asyncio.gather(*runs)]

    first, *others = [asyncio.run(once(shuffle)) for shuffle in range(6)]
    assert all(other == first for other in others)


@pytest.mark.parametrize("extract", ["sometimes", True, ""])
def test_another_word_is_refused(extract: Any) -> None:
    with pytest.raises(BadInput, match="'never', 'unread', 'always'"):
        ask(Script(READABLE), extract)
