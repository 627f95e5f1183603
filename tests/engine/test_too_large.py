"""A request larger than an account may send: smaller once, where that cannot change what is stored; never blindly."""

from __future__ import annotations

import pytest
from watching import Seen, facts

from promptkit import api, errors, events
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Request, Usage

PRICED = Capabilities(price=(1.0, 1.0))


class Account:
    """May send `limit` tokens at once, of which a prompt takes 100; a reply has `length`."""

    def __init__(self, limit: int, length: int, *, told: bool = True) -> None:
        self.limit, self.length, self.told = limit, length, told
        self.rooms: list[int | None] = []

    def __call__(self, request: Request) -> Completion:
        self.rooms.append(request.max_tokens)
        room = request.max_tokens or 0
        if 100 + room > self.limit:
            said = {"limit": self.limit, "requested": 100 + room} if self.told else {}
            raise errors.TooLarge("too large for the tier", hint="upgrade", **said)
        usage = Usage(input_tokens=100, output_tokens=min(room, self.length))
        return Completion(text="Answer: 4", model="m", finish="stop" if self.length <= room else "length", usage=usage)


def model(account: Account) -> Scripted:
    return Scripted(account, name="account", capabilities=PRICED)


def test_a_reply_that_ends_within_the_smaller_limit_is_what_was_asked_for(journal: Journal) -> None:
    account, seen = Account(600, 30), Seen()
    outcome = api.run("direct", "q?", model=model(account), reply_tokens=1_000, journal=journal, sinks=[seen])
    assert (outcome.status, outcome.answer) == ("done", "4")
    assert account.rooms == [1_000, 500]
    (warned,) = seen.of(events.Warned)
    assert "600" in warned.message
    assert "500" in warned.message
    again = api.run("direct", "q?", model=model(account), reply_tokens=1_000, journal=journal)
    assert len(account.rooms) == 2, "it is stored under what was asked for"
    assert facts(again) == facts(outcome) == facts(api.replay(outcome.run, journal=journal))
    api.run("direct", "q?", model=model(account), reply_tokens=500, journal=journal)
    assert len(account.rooms) == 3, "and under nothing else"
    spent = journal.spent(outcome.run)
    assert (spent.calls, spent.tokens) == (2, 130)


def test_a_reply_that_was_cut_there_is_an_error_with_what_to_type_and_is_not_stored(journal: Journal) -> None:
    account = Account(600, 700)
    with pytest.raises(errors.TooLarge, match="does not end within the 500 tokens") as raised:
        api.run("direct", "q?", model=model(account), reply_tokens=1_000, journal=journal)
    assert account.rooms == [1_000, 500]
    assert "--reply-tokens 500" in raised.value.hint
    assert journal.stats()["completions"] == 0
    assert journal.spent(raised.value.run).tokens == 600, "it was paid for"
    with pytest.raises(errors.TooLarge):
        api.replay(raised.value.run, journal=journal)
    assert len(account.rooms) == 2
    outcome = api.run("direct", "q?", model=model(account), reply_tokens=500, journal=journal)
    assert outcome.text == "Answer: 4", "who asks for that gets it"


@pytest.mark.parametrize(
    ("limit", "told", "rooms"), [(163, True, [1_000]), (164, True, [1_000, 64]), (600, False, [1_000])]
)
def test_what_cannot_be_made_to_fit_is_not_sent_again(
    journal: Journal, limit: int, told: bool, rooms: list[int]
) -> None:
    account = Account(limit, 10**6, told=told)
    with pytest.raises(errors.TooLarge) as raised:
        api.run("direct", "q?", model=model(account), reply_tokens=1_000, journal=journal)
    assert account.rooms == rooms
    assert raised.value.hint


def test_it_is_made_smaller_only_once(journal: Journal) -> None:
    rooms: list[int | None] = []

    def never(request: Request) -> Completion:
        rooms.append(request.max_tokens)
        raise errors.TooLarge("no", limit=500, requested=600)

    with pytest.raises(errors.TooLarge):
        api.run("direct", "q?", model=Scripted(never), reply_tokens=1_000, journal=journal)
    assert rooms == [1_000, 900]


def test_the_next_model_of_a_list_is_asked_when_it_does_not_fit(journal: Journal) -> None:
    other = Scripted(lambda request: "Answer: 7", name="other", capabilities=PRICED)
    outcome = api.run("direct", "q?", model=[model(Account(120, 5)), other], reply_tokens=1_000, journal=journal)
    assert outcome.answer == "7"


def test_a_call_that_is_too_large_and_then_refused_for_a_moment_is_tried_again(journal: Journal) -> None:
    account = Account(600, 30)
    faults = [errors.RateLimited("a moment", retry_after=0)]

    def script(request: Request) -> Completion:
        if faults and request.max_tokens == 500:
            raise faults.pop()
        return account(request)

    outcome = api.run("direct", "q?", model=Scripted(script), reply_tokens=1_000, journal=journal)
    assert outcome.answer == "4"
    assert account.rooms == [1_000, 500]
