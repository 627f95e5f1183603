"""Samples of one prompt that are wanted at once travel in as few calls as the provider allows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from players import Player, player

from promptkit import api
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.journaled import plan
from promptkit.types import Capabilities, Completion, Request, message


class Counting(Scripted):
    """Notes the draws of every call."""

    def __init__(self, capabilities: Capabilities) -> None:
        super().__init__(lambda request: f"Answer: {request.index % 2}", capabilities=capabilities)
        self.calls: list[list[Request]] = []

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        self.calls.append(list(requests))
        return await super().complete_many(requests)

    @property
    def draws(self) -> list[list[int]]:
        return [[request.index for request in call] for call in self.calls]


def vote(model: Counting, journal: Journal, n: int, temperature: float = 0.7) -> list[list[int]]:
    before = len(model.calls)
    api.run("sc", "which?", model=model, journal=journal, n=n, temperature=temperature)
    return model.draws[before:]


def test_six_draws_wanted_at_once_are_one_call(journal: Journal) -> None:
    model = Counting(Capabilities(native_n=8, local=True))
    assert vote(model, journal, 10)[0] == [0, 1, 2, 3, 4, 5]


def test_a_call_holds_no_more_than_the_provider_allows(journal: Journal) -> None:
    model = Counting(Capabilities(native_n=4, local=True))
    assert sorted(vote(model, journal, 11)[:2]) == [[0, 1, 2, 3], [4, 5]]


def test_only_the_missing_draws_are_asked_for(journal: Journal) -> None:
    model = Counting(Capabilities(native_n=8, local=True))
    vote(model, journal, 6)
    assert [draw for call in vote(model, journal, 12) for draw in call] == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("n", [1, 3, 4, 5, 10, 13])
def test_batches_are_aligned_and_whole(journal: Journal, n: int) -> None:
    model = Counting(Capabilities(batch=4, local=True))
    calls = vote(model, journal, n)
    assert all(call == list(range(call[0], call[0] + 4)) and call[0] % 4 == 0 for call in calls)
    assert [draw for call in calls for draw in call] == list(range(-(-n // 4) * 4))


def test_the_surplus_of_a_batch_is_counted_and_not_shown(journal: Journal) -> None:
    model = Counting(Capabilities(batch=4, local=True))
    outcome = api.run("sc", "which?", model=model, journal=journal, n=1)
    assert outcome.usage.calls == 1
    assert outcome.usage.samples == 1
    assert outcome.usage.output_tokens == 8
    assert journal.spent(outcome.run).samples == 4


def test_greedy_requests_travel_alone(journal: Journal) -> None:
    model = Counting(Capabilities(native_n=8, batch=4, local=True))
    api.run("cot", "which?", model=model, journal=journal, temperature=0.0)
    assert model.draws == [[0]]


def test_different_prompts_do_not_travel_together(journal: Journal) -> None:
    script = Player()
    model = player(script, Capabilities(native_n=8, local=True))
    outcome = api.run("tot", "4 5 6 10", pack="game24", model=model, journal=journal, b=2, depth=1)
    prompts = {prompt for prompt, _ in script.asked}
    assert outcome.usage.calls == len(prompts)
    assert outcome.usage.samples == len(script.asked)


def test_the_seeds_of_a_call_are_consecutive(journal: Journal) -> None:
    model = Counting(Capabilities(native_n=8, local=True))
    vote(model, journal, 14)
    for call in model.calls:
        seeds = [request.wire_seed for request in call]
        assert [(seed - seeds[0]) % 2**31 for seed in seeds] == list(range(len(call)))
        assert all(0 <= seed < 2**31 for seed in seeds)


def test_every_prompt_fork_and_run_seed_has_seeds_of_its_own() -> None:
    one = Request(messages=(message("user", "one"),))
    others = [
        Request(messages=(message("user", "two"),)),
        Request(messages=one.messages, draw=(1, 0)),
        Request(messages=one.messages, draw=(2, 0)),
        Request(messages=one.messages, seed=1),
        Request(messages=one.messages, temperature=0.5),
    ]
    assert len({request.wire_seed for request in [one, *others]}) == 6
    assert one.wire_seed == Request(messages=one.messages).wire_seed


def test_a_seed_wraps_around() -> None:
    request = Request(messages=(message("user", "x"),))
    far = request.at((2**31 - request.wire_seed) % 2**31)
    assert far.wire_seed == 0
    assert far.at(far.index - 1).wire_seed == 2**31 - 1


def test_gaps_split_a_call() -> None:
    request = Request(messages=(message("user", "x"),), temperature=0.7)
    calls = plan([request.at(i) for i in (5, 0, 1, 3, 4)], Capabilities(native_n=8))
    assert [[r.index for r in call] for call in calls] == [[0, 1], [3, 4, 5]]
