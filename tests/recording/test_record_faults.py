"""What is no answer is passed on as it is and never kept as one; what is kept holds no key."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest
from wire_server import KEY, Answer, Stub, alone, chunk, fault, llama_cpp, refused, sse, stub

import promptkit as pk
from promptkit.journal import Journal

ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "2 + 2"}], "max_tokens": 10}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
BODY = json.dumps({"object": "chat.completion", "model": "m", "choices": [CHOICE], "usage": USAGE}).encode()
PLAIN = {"content-type": "application/json"}
PIECES = (*(chunk(content=word) for word in "a b c d".split()), chunk(finish="stop"), chunk(usage=USAGE))


LONG: Any = {**ASKED, "max_tokens": 400, "extra_body": {"ignore_eos": True}}


def sdk(server: Stub) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.address}/v1", api_key=KEY, max_retries=0)


def kept(journal: Journal) -> int:
    return int(journal.stats()["completions"])


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield f"{address}/openai/v1"


@pytest.mark.parametrize(
    ("status", "error", "charged"),
    [(429, openai.RateLimitError, False), (400, openai.BadRequestError, False), (500, openai.APIStatusError, True)],
)
def test_errors_pass_and_are_no_answers(status: int, error: type[Exception], charged: bool, journal: Journal) -> None:
    with stub(fault(status, "so it is", code="c")) as server, sdk(server) as client:
        with pk.record(journal=journal) as recording:
            for _ in range(2):
                with pytest.raises(error, match="so it is"):
                    client.chat.completions.create(**ASKED)
        assert len(server.requests) == recording.calls == 2
    assert kept(journal) == 0
    assert (recording.usage.tokens > 0) == charged  # a server that broke down may have worked, and may bill it


@pytest.mark.parametrize(
    "broken",
    [
        Answer(body=BODY[:40], headers=PLAIN),
        Answer(body=b'{"error": {"message": "overloaded"}}', headers=PLAIN),
        Answer(body=BODY, headers=PLAIN, reset=True),
    ],
    ids=["cut", "error", "reset"],
)
def test_a_reply_that_is_none_is_not_kept(broken: Answer, journal: Journal) -> None:
    with stub(broken, Answer(body=BODY, headers=PLAIN)) as server, sdk(server) as client:
        with pk.record(journal=journal), suppress(openai.APIError, ValueError):
            client.chat.completions.create(**ASKED)
        assert kept(journal) == 0
        with pk.record(journal=journal) as again:
            client.chat.completions.create(**ASKED)
    assert (kept(journal), again.calls) == (1, 1)


def test_where_nothing_answers_nothing_is_charged(journal: Journal) -> None:
    with refused() as address, openai.OpenAI(base_url=address, api_key=KEY, max_retries=0) as client:
        recording = pk.record(journal=journal)
        with recording, pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(**ASKED)
    assert (recording.calls, recording.usage.tokens) == (1, 0)


def test_an_abandoned_stream_is_charged_and_not_kept(llama: str, journal: Journal) -> None:
    with openai.OpenAI(base_url=llama, api_key=KEY) as client:
        for _ in range(2):
            with pk.record(journal=journal) as recording:
                stream = client.chat.completions.create(**LONG, stream=True)
                assert next(iter(stream)).choices
                stream.close()
            assert (recording.calls, recording.cached_calls, kept(journal)) == (1, 0, 0)
    spent = journal.spent(recording.run)
    assert (spent.unsettled, spent.calls) == (1, 1)
    assert spent.reserved_tokens > LONG["max_tokens"]


def test_an_abandoned_asynchronous_stream(llama: str, journal: Journal) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=llama, api_key=KEY) as client:
            stream = await client.chat.completions.create(**LONG, stream=True)
            async for _ in stream:
                break
            await stream.close()

    with pk.record(journal=journal) as recording:
        asyncio.run(main())
    assert kept(journal) == 0
    assert journal.spent(recording.run).unsettled == 1


def test_a_stream_is_kept_where_its_reader_stops_at_the_last_event(journal: Journal) -> None:
    def read(client: openai.OpenAI) -> str:
        text = ""
        with client.chat.completions.create(**ASKED, stream=True) as stream:
            for piece in stream:
                text += piece.choices[0].delta.content or ""
                if piece.choices[0].finish_reason:
                    break
        return text

    with stub(sse(*PIECES)) as server, sdk(server) as client:
        with pk.record(journal=journal):
            assert read(client) == "abcd"
        with pk.record(journal=journal) as again:
            assert read(client) == "abcd"
    assert again.calls == 0


def test_a_stream_read_after_the_block_is_kept_all_the_same(journal: Journal) -> None:
    with stub(sse(*PIECES)) as server, sdk(server) as client:
        with pk.record(journal=journal) as recording:
            stream = client.chat.completions.create(**ASKED, stream=True)
        assert "".join(piece.choices[0].delta.content or "" for piece in stream if piece.choices) == "abcd"
    assert (kept(journal), len(journal.calls(recording.run))) == (1, 1)
    outcome = journal.run(recording.run).outcome
    assert outcome
    assert outcome["usage"]["output_tokens"] == 3


def test_a_stream_that_is_dropped_unread_leaves_its_reservation(journal: Journal) -> None:
    async def main(server: Stub) -> None:
        async with openai.AsyncOpenAI(base_url=f"{server.address}/v1", api_key=KEY) as client:
            async with asyncio.timeout(0.2):
                await client.chat.completions.create(**ASKED)

    with stub(Answer(body=BODY, headers=PLAIN, wait=1.0)) as server, pk.record(journal=journal) as recording:
        with pytest.raises(TimeoutError):
            asyncio.run(main(server))
        gc.collect()
    assert recording.calls == 1
    assert journal.spent(recording.run).unsettled == 1


@pytest.mark.parametrize("streamed", [False, True])
def test_a_compressed_reply_is_replayed_as_it_reads(streamed: bool, journal: Journal) -> None:
    plain = sse(*PIECES).body if streamed else BODY
    kind = "text/event-stream" if streamed else "application/json"
    packed = Answer(body=gzip.compress(plain), headers={"content-type": kind, "content-encoding": "gzip"})

    def read(client: openai.OpenAI) -> Any:
        if not streamed:
            return client.chat.completions.create(**ASKED).model_dump()
        return [piece.model_dump() for piece in client.chat.completions.create(**ASKED, stream=True)]

    with stub(packed) as server, sdk(server) as client:
        with pk.record(journal=journal):
            first = read(client)
        with pk.record(journal=journal):
            assert read(client) == first
        assert len(server.requests) == 1


def test_no_key_is_in_the_journal(journal_file: Journal) -> None:
    secret = "sk-live-5f1e0c77aa9913bd"
    leaky = {"set-cookie": f"session={secret}", "openai-organization": secret, **PLAIN}
    told = f"Incorrect API key provided: {secret}"
    with stub(fault(401, told), Answer(body=BODY, headers=leaky)) as server:
        address = server.address.replace("http://", f"http://user:{secret}@") + "/v1"
        how: Any = {"default_headers": {"x-other": secret}, "default_query": {"key": secret}, "max_retries": 0}
        with openai.OpenAI(base_url=address, api_key=secret, **how) as client:
            with pytest.raises(openai.AuthenticationError), pk.record(journal=journal_file):
                client.chat.completions.create(**ASKED)
            with pk.record(journal=journal_file):
                client.chat.completions.create(**ASKED)
        assert secret in str(server.requests)
    asyncio.run(journal_file.flush())
    assert journal_file.path
    files = list(journal_file.path.parent.glob("journal.db*"))
    assert secret.encode() not in b"".join(file.read_bytes() for file in files)
    assert kept(journal_file) == 1
