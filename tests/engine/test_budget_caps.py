"""A cap is never exceeded, by the server's own count, whatever the order, the lengths and the faults."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from metered import Metered
from players import dice
from watching import Seen, facts

from promptkit import api, events
from promptkit.errors import BadInput, CapabilityMissing, PromptkitError
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.budgeted import Limits, estimate
from promptkit.types import Capabilities, Message, Outcome, Request, ToolCall, ToolSpec, message

QUESTION = "1 2 3 4"
RUNS: list[tuple[str, str, dict[str, Any]]] = [
    ("sc", "general", {"n": 20}),
    ("sc", "game24", {"n": 20}),
    ("tot", "game24", {"b": 2}),
    ("tot", "general", {"b": 2}),
]


def caps_of(rng: Any) -> dict[str, Any]:
    caps: dict[str, Any] = {
        "max_calls": rng.randint(1, 30),
        "max_tokens": rng.choice([300, 2_000, 5_000, 20_000]),
        "max_cost": rng.choice([0.001, 0.01, 0.05, 0.2]),
    }
    chosen = rng.sample(sorted(caps), rng.randint(1, 3))
    return {name: caps[name] for name in chosen}


async def attempt(server: Metered, journal: Journal, case: int, caps: dict[str, Any]) -> Outcome | PromptkitError:
    strategy, pack, params = RUNS[case % len(RUNS)]
    try:
        return await api.arun(
            strategy, QUESTION, pack=pack, model=server, journal=journal, concurrency=20, **caps, **params
        )
    except PromptkitError as error:  # every attempt of a call failed
        return error


def within(server: Metered, caps: dict[str, Any]) -> None:
    assert server.calls <= caps.get("max_calls", server.calls)
    assert server.tokens <= caps.get("max_tokens", server.tokens)
    assert server.billed <= caps.get("max_cost", server.billed) + 1e-12


@pytest.mark.usefixtures("instant_retries")
@pytest.mark.parametrize("block", range(8))
def test_no_cap_is_ever_exceeded(block: int) -> None:
    ends: dict[str, int] = {}

    async def one(case: int) -> None:
        rng = dice("case", case)
        caps = caps_of(rng)
        server = Metered(case, faults=rng.choice([0.0, 0.1, 0.4]), batch=rng.choice([1, 1, 4]))
        with Journal.open(None) as journal:
            outcome = await attempt(server, journal, case, caps)
            within(server, caps)
            assert server.flying == 0, "calls in flight are waited for, not left behind"
            assert server.cancelled == 0 or isinstance(outcome, PromptkitError), "a cap cancels nothing"
            run = outcome.run
            (row,) = journal.runs()
            assert row.status == (outcome.status if isinstance(outcome, Outcome) else "error")
            spent = journal.spent(run)
            assert spent.calls == server.calls
            assert spent.tokens >= server.tokens
            assert spent.unsettled == 0
            assert len(set(server.delivered)) == len(server.delivered), "a sample was bought twice"
            assert journal.stats()["completions"] == len(server.delivered), "a reply that was paid for is not kept"
        status = outcome.status if isinstance(outcome, Outcome) else "error"
        ends[status] = ends.get(status, 0) + 1

    async def all_cases() -> None:
        for case in range(block * 30, block * 30 + 30):
            await one(case)

    asyncio.run(all_cases())
    print(ends)
    assert ends.get("budget", 0) >= 5


def test_concurrency_is_a_limit_too(journal: Journal) -> None:
    server = Metered(1, longest=0.01)
    api.run("sc", "which?", model=server, journal=journal, n=40, concurrency=7)
    assert server.most_flying == 7


def test_a_vote_that_is_cut_off_answers_with_its_leader(journal: Journal) -> None:
    seen = Seen()
    model = Scripted(lambda request: f"Answer: {'yes' if request.index in (0, 2, 3) else 'no'}")
    outcome = api.run("sc", "which?", model=model, journal=journal, n=20, max_calls=5, concurrency=1, sinks=[seen])
    assert (outcome.status, outcome.answer) == ("budget", "yes")
    assert outcome.confidence == pytest.approx(3 / 5)
    assert outcome.usage.calls == 5
    assert "budget reached: 5 of 5 calls spent" in outcome.detail["cut"]
    (hit,) = seen.of(events.BudgetHit)
    assert (hit.cap, hit.used, hit.limit) == ("calls", 5, 5)
    assert seen.of(events.VotesCounted)[-1].seen == 5


def test_a_run_cut_before_its_first_answer_has_none(journal: Journal) -> None:
    outcome = api.run("tot", QUESTION, pack="game24", model=Metered(1), journal=journal, max_calls=1)
    assert (outcome.status, outcome.answer) == ("budget", None)


def test_what_the_journal_has_takes_no_budget(journal: Journal) -> None:
    server = Metered(1)
    whole = api.run("sc", "which?", model=server, journal=journal, n=9)
    again = api.run("sc", "which?", model=server, journal=journal, n=9, max_calls=1, max_tokens=1, max_cost=1e-9)
    assert facts(again) == facts(whole)


def test_a_refused_reservation_leaves_room_for_nothing_else(journal: Journal) -> None:
    """First come, first served: after the cut not even a smaller call is sent."""
    server = Metered(1, longest=0.0)
    request = Request(messages=(message("user", "which?"),), max_tokens=10)
    need = estimate([request], server.capabilities)
    outcome = api.run("sc", "which?", model=server, journal=journal, n=9, max_tokens=need.tokens)
    assert (outcome.status, server.calls) == ("budget", 0)


def test_a_cost_cap_without_a_price_is_refused_before_anything_is_asked(journal: Journal) -> None:
    asked: list[Request] = []
    model = Scripted(lambda request: asked.append(request) or "x", capabilities=Capabilities())  # type: ignore[func-returns-value]
    with pytest.raises(BadInput, match="max-cost"):
        api.run("cot", "which?", model=model, journal=journal, max_cost=1.0)
    assert asked == []
    assert [row.status for row in journal.runs() if row.status == "running"] == []


@pytest.mark.parametrize("name", ["max_calls", "max_tokens", "max_cost", "timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_cap_that_means_nothing_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadInput, match=name):
        Limits(**{name: value})


def test_a_local_model_costs_nothing_and_an_unpriced_one_an_unknown_sum(journal: Journal) -> None:
    costs = []
    for capabilities in (Capabilities(local=True), Capabilities(), Capabilities(price=(1.0, 1.0))):
        model = Scripted(lambda request: "Answer: 1", identity=repr(capabilities), capabilities=capabilities)
        costs.append(api.run("cot", "which?", model=model, journal=journal).cost_usd)
    assert costs[0] == 0.0
    assert costs[1] is None
    assert costs[2] is not None
    assert costs[2] > 0


def test_a_reservation_is_an_upper_bound_of_any_prompt() -> None:
    """A token is at least one byte: what a tokenizer makes of a text is never more than reserved."""
    for text in ("plain words", "naïve ünïcode", "数字と記号", "🤖🤖", "\u0000\ud800"):
        request = Request(messages=(message("system", text), message("user", text)), max_tokens=7)
        tokens = estimate([request, request.at(1)], Capabilities()).tokens
        assert tokens >= 2 * len(text.encode("utf-8", "replace")) + 14


def test_a_resume_with_a_cost_cap_without_a_price_leaves_the_run_as_it_was(journal: Journal) -> None:
    model = Scripted(lambda request: "Answer: 1", capabilities=Capabilities())
    cut = api.run("sc", "which?", model=model, journal=journal, max_calls=2)
    for _ in range(2):  # the second time it would be refused as running
        with pytest.raises(BadInput, match="max-cost"):
            api.resume(cut.run, model=model, journal=journal, max_cost=1.0, max_calls=20)
    assert [row.status for row in journal.runs()] == ["budget"]
    assert api.resume(cut.run, model=model, journal=journal, max_calls=20).answer == "1"


def test_what_tools_and_their_calls_take_is_reserved_by_the_byte() -> None:
    wish = ToolCall("call_1", "look_up", '{"q": "größer"}')
    tool = ToolSpec("look_up", "Schlägt etwas nach: " + "ü" * 50, "{}")
    plain = Request(messages=(Message("assistant", ()), Message("tool", (), call_id="call_1")), max_tokens=5)
    full = replace(plain, messages=(Message("assistant", (), (wish,)), plain.messages[1]), tools=(tool,))
    more = estimate([full], Capabilities()).tokens - estimate([plain], Capabilities()).tokens
    named = [wish.id, wish.name, wish.arguments, tool.name, tool.description, tool.schema]
    assert more >= sum(len(text.encode()) for text in named)


def test_what_an_adapter_refuses_to_send_is_no_call(journal: Journal) -> None:
    def refuse(_: Request) -> str:
        raise CapabilityMissing("it has no such thing")

    priced = Scripted(refuse, name="refusing", capabilities=Capabilities(price=(1.0, 1.0)))
    with pytest.raises(CapabilityMissing):
        api.run("direct", "which?", model=priced, max_cost=1.0, journal=journal)
    assert journal.runs() == [], "nothing was spent: there is nothing to show"
