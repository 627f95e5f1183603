"""Caps around an SDK's calls: kept exactly, also with many in flight, and heard once, whatever the SDK does with it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import groq
import ollama
import openai
import pytest
from wire_server import KEY, Answer, Stub, alone, chunk, fault, sse, stub

import promptkit as pk
from promptkit.errors import BadInput, Cut
from promptkit.journal import Journal

ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "2 + 2"}], "max_tokens": 10}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def said(wait: float = 0.0) -> Answer:
    """A whole reply that took ten tokens."""
    body = json.dumps({"object": "chat.completion", "model": "m", "choices": [CHOICE], "usage": USAGE}).encode()
    return Answer(body=body, headers={"content-type": "application/json"}, wait=wait)


def sdk(server: Stub, **how: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.address}/v1", api_key=KEY, **how)


def ask(client: openai.OpenAI | groq.Groq, times: int = 1) -> None:
    for _ in range(times):
        client.chat.completions.create(**ASKED)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


def test_the_call_that_does_not_fit_is_not_made(journal: Journal) -> None:
    with stub(said()) as server, sdk(server) as client:
        with (
            pytest.raises(Cut, match="3 of 3 calls spent") as cut,
            pk.record(max_calls=3, journal=journal) as recording,
        ):
            ask(client, 9)
        assert len(server.requests) == recording.calls == 3
    assert "max_calls" in cut.value.hint
    assert (cut.value.exit_code, cut.value.run) == (5, recording.run)
    run = journal.run(recording.run)
    assert (run.status, run.calls, journal.spent(run.id).calls) == ("budget", 3, 3)


def test_with_a_higher_cap_it_goes_on_where_it_stopped(journal: Journal) -> None:
    with stub(said()) as server, sdk(server) as client:
        for cap, sent in ((2, 2), (3, 5), (1, 6)):
            with pytest.raises(Cut), pk.record(max_calls=cap, journal=journal):
                ask(client, 9)
            assert len(server.requests) == sent


def test_many_at_once_never_exceed_it(journal: Journal) -> None:
    async def main(address: str) -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=KEY) as client:
            asked = (client.chat.completions.create(**ASKED) for _ in range(20))
            return await asyncio.gather(*asked, return_exceptions=True)

    with stub(said(wait=0.05)) as server:
        with pk.record(max_calls=7, journal=journal) as recording:
            got = asyncio.run(main(server.address))
        assert len(server.requests) == recording.calls == 7
    assert sum(isinstance(each, Cut) for each in got) == 13
    assert recording.cut


def test_a_token_cap_waits_for_what_is_in_flight(journal: Journal) -> None:
    """Each call may take some 80 tokens and takes ten: four of them fit into 120, though no two at once."""

    async def main(address: str) -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=KEY) as client:
            asked = (client.chat.completions.create(**ASKED) for _ in range(4))
            return await asyncio.gather(*asked)

    with stub(said(wait=0.05)) as server, pk.record(max_tokens=120, journal=journal) as recording:
        assert len(asyncio.run(main(server.address))) == 4
    assert (recording.usage.input_tokens, recording.usage.output_tokens) == (28, 12)


def test_threads_wait_for_each_other_too(journal: Journal) -> None:
    async def main(client: openai.OpenAI) -> None:
        await asyncio.gather(*(asyncio.to_thread(ask, client) for _ in range(4)))

    with (
        stub(said(wait=0.05)) as server,
        sdk(server) as client,
        pk.record(max_tokens=120, journal=journal) as recording,
    ):
        asyncio.run(main(client))
    assert recording.calls == 4


def test_an_open_stream_is_not_waited_for_by_the_one_who_reads_it(journal: Journal) -> None:
    pieces = sse(chunk(content="4"), chunk(finish="stop"), chunk(usage=USAGE))
    with stub(pieces) as server, sdk(server) as client, pk.record(max_tokens=150, journal=journal) as recording:
        stream = client.chat.completions.create(**ASKED, stream=True)
        next(iter(stream))
        with pytest.raises(Cut, match="held"):
            client.chat.completions.create(**ASKED, stream=True)
        for _ in stream:
            pass
    assert recording.usage.tokens == 10


def test_every_try_of_the_sdk_is_a_call(journal: Journal) -> None:
    fast = {"retry-after-ms": "1"}
    with stub(fault(500, headers=fast), fault(429, headers=fast), said()) as server:
        with sdk(server, max_retries=2) as client, pk.record(max_calls=2, journal=journal) as recording:
            with pytest.raises(Cut):
                client.chat.completions.create(**ASKED)
            assert recording.calls == len(server.requests) == 2
        with sdk(server, max_retries=2) as client, pk.record(max_calls=1, journal=journal) as again:
            assert client.chat.completions.create(**ASKED).choices[0].message.content == "4"
        with sdk(server) as client, pk.record(journal=journal, replay="only"):  # the failures were no draws
            client.chat.completions.create(**ASKED)
    assert again.calls == 1


def test_groq_which_takes_every_error_for_a_lost_connection(journal: Journal) -> None:
    with stub(said()) as server, groq.Groq(base_url=server.address, api_key=KEY) as client:
        with pytest.raises(Cut, match="2 of 2 calls"), pk.record(max_calls=2, journal=journal) as recording:
            ask(client, 9)
        assert len(server.requests) == recording.calls == 2
    assert journal.run(recording.run).status == "budget"


def test_groq_whose_caller_swallows_it_hears_it_when_the_block_ends(journal: Journal) -> None:
    failed = []

    async def main(address: str) -> None:
        async with groq.AsyncGroq(base_url=address, api_key=KEY) as client:
            for _ in range(3):
                try:
                    await client.chat.completions.create(**ASKED)
                except groq.APIStatusError as error:
                    failed.append(error)

    with stub(said()) as server:
        with pytest.raises(Cut), pk.record(max_calls=1, journal=journal):
            asyncio.run(main(server.address))
        assert len(server.requests) == 1
    assert [error.status_code for error in failed] == [402, 402]
    assert "budget reached: 1 of 1 calls" in str(failed[0])


def test_another_error_is_not_hidden_by_a_cap(journal: Journal) -> None:
    @pk.record(max_calls=1, journal=journal)
    def code(client: groq.Groq) -> None:
        ask(client)
        with suppress(groq.GroqError):
            ask(client)
        raise ZeroDivisionError

    with stub(said()) as server, groq.Groq(base_url=server.address, api_key=KEY) as client:
        with pytest.raises(ZeroDivisionError):
            code(client)
        assert len(server.requests) == 1


def test_ollama_hears_it_as_it_is(journal: Journal) -> None:
    body = json.dumps({"model": "m", "message": {"role": "assistant", "content": "4"}, "done": True}).encode()
    answer = Answer(body=body, headers={"content-type": "application/json"})
    with stub(answer) as server, ollama.Client(server.address) as client, pk.record(max_calls=1, journal=journal):
        client.chat("m", ASKED["messages"])
        with pytest.raises(Cut):
            client.chat("m", ASKED["messages"])


def test_a_cap_on_the_cost_needs_a_price(journal: Journal, tmp_path: Path) -> None:
    with stub(said()) as server, sdk(server) as client:
        with pytest.raises(BadInput, match="openai:m has none"), pk.record(max_cost=1.0, journal=journal):
            client.chat.completions.create(**ASKED)
        (tmp_path / "prices.toml").write_text('["openai:m"]\ninput = 1000.0\noutput = 10000.0\n')
        with pytest.raises(Cut, match="cost"), pk.record(max_cost=0.25, journal=journal) as recording:
            ask(client, 9)
        assert recording.cost_usd == pytest.approx(0.037 * len(server.requests))
    assert 0 < len(server.requests) < 7


@pytest.mark.parametrize("wrong", [{"max_calls": 0}, {"max_tokens": -1}, {"replay": "never"}, {"max_calls": "3"}])
def test_what_cannot_be_kept_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        pk.record(**wrong)


def test_a_block_in_a_block_spends_what_is_the_outer_ones(journal: Journal) -> None:
    outer, inner = pk.record(max_calls=2, journal=journal), pk.record(max_calls=5, journal=journal, replay="off")

    def nested(client: openai.OpenAI) -> None:
        with outer:
            ask(client)
            with inner:
                ask(client, 5)

    with stub(said()) as server, sdk(server) as client:
        with pytest.raises(Cut, match="2 of 2"):
            nested(client)
        assert len(server.requests) == 2
    assert (outer.calls, inner.calls) == (2, 1)
    assert [len(journal.calls(each.run)) for each in (outer, inner)] == [1, 1]


def test_two_threads_have_a_recording_each(journal: Journal) -> None:
    counted: list[int] = []

    def work(server: Stub, cap: int) -> None:
        with sdk(server) as client:
            with pytest.raises(Cut), pk.record(max_calls=cap, journal=journal, replay="off") as recording:
                ask(client, 9)
            counted.append(recording.calls)

    with stub(said()) as server:
        threads = [threading.Thread(target=work, args=(server, cap)) for cap in (2, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 6
    assert sorted(counted) == [2, 4]
