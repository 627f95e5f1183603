"""A conversation is one run: its turns, what was stopped, taken back and gone on with are read from its events."""

from __future__ import annotations

import asyncio
import json

import pytest

from promptkit import conversation
from promptkit.chat import Chat
from promptkit.errors import BadInput, Rejected
from promptkit.events import Delta, emit
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Request


def counting(request: Request) -> str:
    return f"{len(request.messages)} turns, draw {request.index}"


def model(script: object = counting) -> Scripted:
    return Scripted(script, name="talker")  # type: ignore[arg-type]


def talk(chat: Chat, *lines: str) -> list[str | None]:
    return [chat.say(line).answer for line in lines]


def test_every_message_is_sent_with_those_before_it(journal: Journal) -> None:
    chat = Chat(model(), journal=journal, persona="Be brief.")
    assert talk(chat, "a", "b", "c") == ["2 turns, draw 0", "4 turns, draw 0", "6 turns, draw 0"]
    (row,) = journal.runs()
    assert (row.id, row.strategy, row.status, row.calls, row.attempt) == (chat.run, "chat", "done", 3, 1)
    assert row.outcome is not None
    assert row.outcome["usage"]["calls"] == 3
    assert [each.said for each in chat.so_far.exchanges] == ["a", "b", "c"]
    assert Chat.resumed(row.id, model(), journal=journal).so_far == chat.so_far


def test_another_reply_replaces_the_last_only_when_it_comes(journal: Journal) -> None:
    failing = False

    def script(request: Request) -> str:
        if failing:
            raise Rejected("no")
        return counting(request)

    chat = Chat(model(script), journal=journal)
    talk(chat, "a", "b")
    failing = True
    with pytest.raises(Rejected):
        asyncio.run(chat.aretry())
    assert [each.reply for each in chat.so_far.exchanges] == ["1 turns, draw 0", "3 turns, draw 0"]
    failing = False
    assert asyncio.run(chat.aretry()).answer == "3 turns, draw 1"
    assert [each.draw for each in chat.so_far.exchanges] == [0, 1]
    assert talk(chat, "c") == ["5 turns, draw 0"]


def test_what_is_taken_back_stays_taken_back(journal: Journal) -> None:
    chat = Chat(model(), journal=journal)
    talk(chat, "a", "b")
    assert chat.undo() == "b"
    again = Chat.resumed(chat.run, model(), journal=journal)
    assert [each.said for each in again.so_far.exchanges] == ["a"]
    assert talk(again, "c") == ["3 turns, draw 0"]
    assert [again.undo(), again.undo()] == ["c", "a"]
    with pytest.raises(BadInput):
        again.undo()


def test_a_reply_that_is_stopped_keeps_what_was_said(journal: Journal) -> None:
    reached = asyncio.Event()
    stopped: list[bool] = []

    async def endless(request: Request) -> str:
        if len(request.messages) > 1:
            return request.messages[1].text
        try:
            emit(Delta(request.draw, "<think>hm</think>half a "))
            emit(Delta(request.draw, "sentence"))
            reached.set()
            await asyncio.Event().wait()
        finally:
            stopped.append(True)
        return ""

    async def stop() -> Chat:
        chat = Chat(model(endless), journal=journal)
        task = asyncio.create_task(chat.asay("a"))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return chat

    chat = asyncio.run(stop())
    assert stopped == [True]
    (exchange,) = chat.so_far.exchanges
    assert (exchange.reply, exchange.cut) == ("half a sentence", True)
    assert talk(chat, "b") == ["half a sentence"]


def test_a_message_without_a_reply_is_remembered_until_it_is_taken_back(journal: Journal) -> None:
    def deaf(request: Request) -> str:
        raise Rejected("not today")

    chat = Chat(model(deaf), journal=journal)
    with pytest.raises(Rejected):
        chat.say("a")
    assert chat.so_far.pending is not None
    chat.use(model())
    chat.become("You listen.")
    assert asyncio.run(chat.aretry()).answer == "2 turns, draw 0"
    assert chat.so_far.pending is None


def test_bad_input_makes_no_run(journal: Journal) -> None:
    chat = Chat(model(), journal=journal)
    with pytest.raises(BadInput):
        chat.say("  ")
    assert (chat.run, journal.runs()) == ("", [])


def test_two_who_go_on_with_it_hear_each_other(journal: Journal) -> None:
    one = Chat(model(), journal=journal)
    talk(one, "a")
    other = Chat.resumed(one.run, model(), journal=journal)
    talk(other, "b")
    assert talk(one, "c") == ["5 turns, draw 0"]
    assert other.so_far == one.so_far


def test_a_conversation_travels_with_the_journal(journal: Journal, journal_file: Journal) -> None:
    from io import StringIO

    chat = Chat(model(), journal=journal)
    talk(chat, "a", "b")
    chat.undo()
    file = StringIO()
    journal.export(chat.run, file)
    file.seek(0)
    run = journal_file.import_(file)
    assert conversation.read(journal_file.events(run)) == chat.so_far


def test_the_document_is_plain_json(journal: Journal) -> None:
    chat = Chat(model(), journal=journal, persona="Be brief.")
    talk(chat, "a")
    document = json.loads(json.dumps(chat.so_far.document(chat.run)))
    assert document["schema"] == "promptkit.chat/1"
    assert [turn["role"] for turn in document["messages"]] == ["system", "user", "assistant"]


def test_a_model_that_draws_batches_is_asked_for_one(journal: Journal) -> None:
    assert Chat("builtin", journal=journal).capabilities.batch == 1
    assert Capabilities().batch == 1
