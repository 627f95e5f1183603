"""Code written for a vendor's SDK, unchanged, against llama.cpp's own server: paid once, free from then on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import groq
import httpx_aiohttp
import ollama
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from llama_http import generated
from ollama_stub import ollama as ollama_server
from wire_server import KEY, Answer, alone, llama_cpp, stub

import promptkit as pk
from promptkit.journal import Journal

PROMPT = "Use the four numbers and + - * / to make 24.\nInput: 2 7 8 11\nLet's think step by step."
ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 12}

SCRIPT = """
import sys
import openai
import promptkit as pk

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2])


def ask(question, **how):
    messages = [{"role": "system", "content": "You play the Game of 24."}, {"role": "user", "content": question}]
    return client.chat.completions.create(model="m", messages=messages, max_tokens=16, **how)


def main():
    for numbers in ("4 5 6 10", "1 4 9 11"):
        question = f"Input: {numbers}\\nPossible next steps:"
        for sample in (1, 2):  # two draws of one prompt
            print(ask(question).choices[0].message.content)
        print([choice.message.content for choice in ask(question, n=2, temperature=0.9).choices])
        for chunk in ask(question, stream=True, stream_options={"include_usage": True}):
            if chunk.choices:
                print(chunk.choices[0].delta.content or "", end="|")
            elif chunk.usage:
                print(chunk.usage.total_tokens)
    print(client.models.list().data[0].object)


with pk.record(max_calls=8) as recording:
    main()
print(recording.calls, recording.cached_calls, recording.usage.tokens > 0, file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield address


def twice(journal: Journal, code: Any) -> None:
    """The code gives the same in both of two recordings, and makes no call in the second."""
    with pk.record(journal=journal) as first:
        said = code()
    with pk.record(journal=journal) as second:
        again = code()
    assert said == again
    assert (first.cached_calls, second.calls) == (0, 0)
    assert first.calls == second.cached_calls > 0


def test_a_script_for_the_openai_sdk_is_free_the_second_time(llama: str, tmp_path: Path) -> None:
    program = tmp_path / "script.py"
    program.write_text(SCRIPT)
    env = {**os.environ, "PROMPTKIT_JOURNAL": str(tmp_path / "journal.db")}
    command = [sys.executable, str(program), f"{llama}/openai/v1", KEY]

    def run() -> tuple[str, str, int]:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr, generated(llama)

    first, again = run(), run()
    assert first[0] == again[0]
    assert (first[1], again[1]) == ("8 0 True\n", "0 8 False\n")
    assert first[2] == again[2] > 0
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
    assert b"Game of 24" in kept
    assert KEY.encode() not in kept


def test_openai_asynchronous_and_streamed(llama: str, journal: Journal) -> None:
    async def main() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{llama}/openai/v1", api_key=KEY) as client:
            whole = await client.chat.completions.create(**ASKED)
            stream = await client.chat.completions.create(**ASKED, stream=True)
            pieces = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
            raw = await client.chat.completions.with_raw_response.create(**ASKED, temperature=0)
            return [whole.choices[0].message.content, pieces, raw.status_code, raw.headers["content-type"], raw.text]

    twice(journal, lambda: asyncio.run(main()))


def test_the_other_endpoints_of_openai(llama: str, journal: Journal) -> None:
    def code() -> list[Any]:
        with openai.OpenAI(base_url=f"{llama}/openai/v1", api_key=KEY) as client:
            plain = client.completions.create(model="m", prompt=PROMPT, max_tokens=8)
            response = client.responses.create(model="m", input=PROMPT, max_output_tokens=8)
            stream = client.responses.create(model="m", input=PROMPT, max_output_tokens=8, stream=True)
            kinds = [event.type for event in stream]
        return [plain.choices[0].text, response.output_text, kinds, kinds[-1] == "response.completed"]

    twice(journal, code)
    run = pk.runs(1, journal=journal)[0]
    assert run.outcome
    assert (run.outcome["usage"]["input_tokens"], run.outcome["usage"]["output_tokens"]) == (96, 24)


def test_over_aiohttp(llama: str, journal: Journal) -> None:
    async def main() -> list[Any]:
        said = []
        async with (
            openai.AsyncOpenAI(
                base_url=f"{llama}/openai/v1", api_key=KEY, http_client=openai.DefaultAioHttpClient()
            ) as one,
            groq.AsyncGroq(
                base_url=llama, api_key=KEY, http_client=httpx_aiohttp.HttpxAiohttpClient(base_url=llama)
            ) as other,
        ):
            for client in (one, other):
                reply: Any = await client.chat.completions.create(**ASKED)
                said.append(reply.choices[0].message.content)
                stream: Any = await client.chat.completions.create(**ASKED, stream=True)
                said.append([chunk.choices[0].delta.content async for chunk in stream if chunk.choices])
        return said

    twice(journal, lambda: asyncio.run(main()))


def test_groq(llama: str, journal: Journal) -> None:
    def code() -> list[Any]:
        with groq.Groq(base_url=llama, api_key=KEY) as client:
            stream = client.chat.completions.create(**ASKED, stream=True)
            pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
            return [client.chat.completions.create(**ASKED).choices[0].message.content, pieces]

    twice(journal, code)


def test_ollama(journal: Journal) -> None:
    with ollama_server() as server:
        turns = ASKED["messages"]

        async def streamed() -> list[str]:
            async with ollama.AsyncClient(server.address) as client:
                return [part.message.content or "" async for part in await client.chat("m", turns, stream=True)]

        def code() -> list[Any]:
            with ollama.Client(server.address) as client:
                written = client.generate("m", PROMPT, stream=True)
                return [[part.response for part in written], asyncio.run(streamed())]

        twice(journal, code)
        assert [path for path, _ in server.seen] == ["/api/generate", "/api/chat"]
    run = pk.runs(1, journal=journal)[0]
    assert (run.model, run.outcome and run.outcome["cost_usd"]) == ("ollama:m", 0.0)


def test_ollama_not_streamed(journal: Journal) -> None:
    told = {"model": "m", "message": {"role": "assistant", "content": "24"}, "done": True, "done_reason": "stop"}
    body = json.dumps({**told, "prompt_eval_count": 11, "eval_count": 2}).encode()
    vectors = json.dumps({"model": "m", "embeddings": [[0.5, 0.25]], "prompt_eval_count": 3}).encode()
    plain = {"content-type": "application/json"}

    with stub(Answer(body=body, headers=plain), Answer(body=vectors, headers=plain)) as server:

        def code() -> list[Any]:
            with ollama.Client(server.address) as client:
                return [client.chat("m", ASKED["messages"]).message.content, client.embed("m", "24").embeddings]

        twice(journal, code)
        assert len(server.requests) == 2
    outcome = pk.runs(1, journal=journal)[0].outcome or {}
    assert (outcome["usage"]["input_tokens"], outcome["usage"]["output_tokens"]) == (14, 2)


class OverTheSdk(BaseChatModel):
    """A LangChain chat model as partner packages write them."""

    address: str

    @property
    def _llm_type(self) -> str:
        return "over-the-sdk"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        turns: Any = convert_to_openai_messages(messages)
        with openai.OpenAI(base_url=self.address, api_key=KEY) as client:
            reply = client.chat.completions.create(model="m", messages=turns, max_tokens=12)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(reply.choices[0].message.content or ""))])


def test_a_langchain_model_alone_and_in_a_batch_of_threads(llama: str, journal: Journal) -> None:
    chat = OverTheSdk(address=f"{llama}/openai/v1")

    def code() -> list[Any]:
        alone = chat.invoke(PROMPT).content
        many = chat.batch([f"Input: 1 {number} 9 11\nPossible next steps:" for number in range(3)])
        return [alone, [each.content for each in many], asyncio.run(chat.ainvoke("Input: 7 7 7 7")).content]

    twice(journal, code)


def test_a_recording_needs_no_server_any_more(journal: Journal) -> None:
    with llama_cpp() as address:
        url = f"{address}/openai/v1"
        with pk.record(journal=journal), openai.OpenAI(base_url=url, api_key=KEY) as client:
            said = client.chat.completions.create(**ASKED).choices[0].message.content
    with pk.record(journal=journal, replay="only") as recording, openai.OpenAI(base_url=url, api_key=KEY) as client:
        assert client.chat.completions.create(**ASKED).choices[0].message.content == said
        with pytest.raises(pk.PromptkitError, match="no reply to this call of openai:m"):
            client.chat.completions.create(**ASKED)  # one more draw
    assert recording.calls == 0


def test_replay_off_draws_anew_and_keeps_it(llama: str, journal: Journal) -> None:
    how: Any = {**ASKED, "temperature": 1.5}
    texts = []
    with openai.OpenAI(base_url=f"{llama}/openai/v1", api_key=KEY) as client:
        for replay in ("auto", "off", "off"):
            with pk.record(journal=journal, replay=replay) as recording:
                texts.append(client.chat.completions.create(**how).choices[0].message.content)
            assert recording.calls == 1
        with pk.record(journal=journal, replay="only"):
            assert [client.chat.completions.create(**how).choices[0].message.content for _ in range(3)] == texts


async def _streams(client: openai.AsyncOpenAI, count: int) -> list[str]:
    async def one() -> str:
        stream: AsyncIterator[Any] = await client.chat.completions.create(**ASKED, temperature=1.5, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    return await asyncio.gather(*(one() for _ in range(count)))


def test_equal_calls_at_once_are_different_draws(llama: str, journal: Journal) -> None:
    async def main() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{llama}/openai/v1", api_key=KEY) as client:
            return sorted(await _streams(client, 6))

    twice(journal, lambda: asyncio.run(main()))
    with pk.record(journal=journal, replay="only"):
        assert len(set(asyncio.run(main()))) > 1
