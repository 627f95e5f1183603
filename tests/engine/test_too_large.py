"""A request larger than an account may send: smaller once, where that cannot change what is stored; never blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from watching import Seen, facts

from promptkit import api, errors, events
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.sampling import ask_all
from promptkit.types import Capabilities, Completion, Finish, Model, Outcome, Problem, Request, Usage, message

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


class Several(Scripted):
    """Draws several samples in one call, draw i of `lengths[i]` tokens; may send `limit` tokens at once."""

    def __init__(self, limit: int, *lengths: int) -> None:
        super().__init__(lambda _: "", name="several", capabilities=Capabilities(native_n=8, price=(1.0, 1.0)))
        self.limit, self.lengths = limit, lengths
        self.asked: list[tuple[list[int], int]] = []

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        room = requests[0].max_tokens or 0
        self.asked.append(([request.index for request in requests], room))
        if (requested := 100 + room * len(requests)) > self.limit:
            raise errors.TooLarge("too large for the tier", limit=self.limit, requested=requested)
        return [self._reply(request, room) for request in requests]

    def _reply(self, request: Request, room: int) -> Completion:
        length = self.lengths[request.index]
        usage = Usage(input_tokens=25, output_tokens=min(room, length))
        finish: Finish = "stop" if length <= room else "length"
        return Completion(text=f"draw {request.index}", model="m", finish=finish, usage=usage)


@dataclass(frozen=True)
class Four:
    """Four samples of one prompt, each shown, or named by its error."""

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        request = Request(messages=(message("user", problem.text),), temperature=1.0, max_tokens=600)
        requests = [request.at(index) for index in range(4)]
        got = await ask_all(model, requests, where="four", quorum=None, losing=errors.TooLarge)
        return Outcome(answer=", ".join(each.text or type(each.error).__name__ for each in got))


@pytest.mark.parametrize(("lengths", "cut"), [((30, 300, 30, 30), [1]), ((300, 300, 300, 300), [0, 1, 2, 3])])
def test_of_several_samples_those_that_ended_are_kept_and_the_others_asked_for_alone(
    journal: Journal, lengths: tuple[int, ...], cut: list[int]
) -> None:
    several = Several(900, *lengths)
    outcome = api.run(Four(), "q?", model=several, journal=journal)
    assert outcome.answer == "draw 0, draw 1, draw 2, draw 3"
    assert several.asked == [([0, 1, 2, 3], 600), ([0, 1, 2, 3], 200), *(([index], 600) for index in cut)]
    spent = journal.spent(outcome.run)
    assert spent.output_tokens == sum(min(200, length) for length in lengths) + 300 * len(cut), "all that was paid for"
    calls = len(several.asked)
    assert api.run(Four(), "q?", model=several, journal=journal).answer == outcome.answer
    assert len(several.asked) == calls, "all of it is in the journal"


def test_a_sample_that_does_not_end_alone_either_loses_only_itself(journal: Journal) -> None:
    several = Several(560, 30, 400, 999, 30)
    outcome = api.run(Four(), "q?", model=several, journal=journal)
    assert outcome.answer == "draw 0, draw 1, TooLarge, draw 3"
    assert several.asked[:2] == [([0, 1, 2, 3], 600), ([0, 1, 2, 3], 115)]
    assert sorted(several.asked[2:]) == [([1], 460), ([1], 600), ([2], 460), ([2], 600)]
    assert journal.stats()["completions"] == 3


def test_the_next_model_of_a_list_is_asked_when_it_does_not_fit(journal: Journal) -> None:
    other = Scripted(lambda request: "Answer: 7", name="other", capabilities=PRICED)
    outcome = api.run("direct", "q?", model=[model(Account(120, 5)), other], reply_tokens=1_000, journal=journal)
    assert outcome.answer == "7"


def test_a_call_that_is_too_large_and_then_refused_for_a_moment_is_tried_again(journal: Journal) -> None:
    account = Account(600, 30)
    faults = [errors.RateLimited("a moment", retry_after=0.001)]

    def script(request: Request) -> Completion:
        if faults and request.max_tokens == 500:
            raise faults.pop()
        return account(request)

    outcome = api.run("direct", "q?", model=Scripted(script), reply_tokens=1_000, journal=journal)
    assert outcome.answer == "4"
    assert account.rooms == [1_000, 500]
