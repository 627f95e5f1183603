"""A text gone on with as it stands: llama.cpp in this process, its own server, OpenAI's older form, an Ollama."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ollama_stub import ollama
from wire_server import Answer, alone, llama_cpp, stub

from promptkit.decoding.following import Choice, bare, distribution
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.journal import values
from promptkit.providers.builtin import open_builtin
from promptkit.providers.ollama import open_ollama
from promptkit.providers.openai_compatible import open_openai_compatible
from promptkit.types import Completion, Provider, Request, message

TEXT = "Anna has 6 boxes with 8 "


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield f"{address}/openai/v1"


def one(provider: Any, request: Request) -> Completion:
    async def main() -> Completion:
        try:
            return await provider.complete(request)  # type: ignore[no-any-return]
        finally:
            await provider.aclose()

    return asyncio.run(main())


def after(text: str, **more: Any) -> Request:
    fields: dict[str, Any] = {"temperature": 0.0, "max_tokens": 1, "logprobs": 5, "raw": (), **more}
    return Request(messages=(message("user", text),), **fields)


def cut(text: str) -> list[tuple[int, str]]:
    async def main() -> list[tuple[int, str]]:
        model: Any = open_builtin("builtin", {})
        try:
            return [(piece.id, piece.text) for piece in await model.tokens(text)]
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_llama_cpp_tells_every_token_of_a_small_vocabulary_with_its_number() -> None:
    model = open_builtin("builtin", {})
    request = bare(model, TEXT)
    got = one(model, request)
    (token,) = got.logprobs
    assert len(token.top) == len(token.ids) == len(set(token.ids)) > 500
    told = distribution(got, request.logprobs)
    assert told.whole
    assert abs(sum(p for _, p in told.tokens) - 1) < 1e-4
    assert token.top[0][0] == got.text


def test_tokens_are_gone_on_with_by_their_numbers_and_not_cut_anew() -> None:
    whole = cut("Anna has")
    assert "".join(text for _, text in whole) == "Anna has"
    first, rest = whole[0], whole[1:]
    by_text = one(open_builtin("builtin", {}), after("Anna has"))
    by_number = one(open_builtin("builtin", {}), after(first[1], raw=tuple(id for id, _ in rest)))
    assert by_number.logprobs[0].ids == by_text.logprobs[0].ids
    assert by_number.logprobs[0].logprob == pytest.approx(by_text.logprobs[0].logprob, abs=1e-4)
    letters = tuple(id for letter in "Anna has" for id, _ in cut(letter))
    assert len(letters) == len("Anna has")
    unusual = one(open_builtin("builtin", {}), after("Anna has"[0], raw=letters[1:]))
    assert unusual.usage.input_tokens == len(letters)  # the same text, in other tokens


def test_parts_of_characters_keep_their_bytes_and_come_back_from_the_journal() -> None:
    pieces = cut("é 日")
    data = [text.encode("utf-8", "surrogateescape") for _, text in pieces]
    assert b"".join(data).decode() == "é 日"
    assert any(len(each) == 1 and each[0] > 127 for each in data)
    got = one(open_builtin("builtin", {}), after("é", logprobs=4000))
    stored = values.to_completion(values.unpack(values.pack(values.from_completion(got))))
    assert stored == got
    assert any("\udc80" <= char <= "\udcff" for text, _ in got.logprobs[0].top for char in text)


def test_a_request_without_a_bare_text_keeps_its_key() -> None:
    assert '"raw"' not in after("x", raw=None).canonical()
    assert after("x").canonical() != after("x", raw=None).canonical() != after("x", raw=(1,)).canonical()


def test_llama_cpp_refuses_what_is_no_bare_text() -> None:
    two = Request(messages=(message("user", "a"), message("user", "b")), raw=())
    with pytest.raises(BadInput, match="one message"):
        one(open_builtin("builtin", {}), two)
    with pytest.raises(BadInput, match="lone surrogate"):
        cut("\ud800")


def test_llama_cpps_own_server_tells_what_it_tells_in_process(llama: str) -> None:
    here = one(open_builtin("builtin", {}), after(TEXT))
    there = one(remote(llama), after(TEXT))
    assert [text for text, _ in there.logprobs[0].top] == [text for text, _ in here.logprobs[0].top]
    assert there.logprobs[0].logprob == pytest.approx(here.logprobs[0].logprob, abs=1e-3)
    assert there.text == here.text


def remote(address: str, **options: object) -> Provider:
    return open_openai_compatible("m", {"base_url": address, "logprobs": True, "raw": True, **options})


def test_a_server_is_taken_to_have_chats_only_until_its_user_says_more(llama: str) -> None:
    with pytest.raises(CapabilityMissing) as raised:
        one(remote(llama, raw=False), after(TEXT))
    assert "-o raw=true" in raised.value.hint
    with pytest.raises(BadInput, match="at most 20"):
        one(remote(llama), after(TEXT, logprobs=21))
    assert len(one(remote(llama, alternatives=30), after(TEXT, logprobs=30)).logprobs[0].top) == 30


def test_openais_own_form_of_log_probabilities_is_understood() -> None:
    told = {"tokens": [" is"], "token_logprobs": [-0.5], "top_logprobs": [{" sat": -1.5, " is": -0.5}]}
    body = (
        b'{"object": "text_completion", "choices": [{"index": 0, "text": " is", "finish_reason": "length", "logprobs": '
        + str(told).replace("'", '"').encode()
        + b'}], "usage": {"prompt_tokens": 2, "completion_tokens": 1}}'
    )
    with stub(Answer(200, body, {"content-type": "application/json"})) as server:
        got = one(remote(server.address), after("The cat"))
    assert got.logprobs[0].top == ((" is", -0.5), (" sat", -1.5))
    assert distribution(got, 5).tokens[0][0] == Choice(" is")
    assert (got.text, got.finish, got.usage.input_tokens) == (" is", "length", 2)


def test_an_ollama_goes_on_with_a_text_without_a_template() -> None:
    here = one(open_builtin("builtin", {}), after(TEXT))
    with ollama() as server:
        got = one(open_ollama("m", {"host": server.address}), after(TEXT))
        (body,) = server.bodies("/api/generate")
    assert body["raw"] is True
    assert body["prompt"] == TEXT
    assert "messages" not in body
    assert got.logprobs[0].top == here.logprobs[0].top
    assert got.text == here.text
