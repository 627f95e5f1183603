from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from local_model import ask, model_threads, opened
from tiny_gguf import write_tiny

from promptkit import events
from promptkit.errors import BadInput, CapabilityMissing, ContextOverflow, PromptkitError, ProviderError, Rejected
from promptkit.events import Record, Warned
from promptkit.providers.builtin import open_builtin
from promptkit.providers.llamacpp import open_llamacpp
from promptkit.types import Blob, Completion, Message, Request, ToolCall, ToolSpec, message


def refused(request: Request) -> PromptkitError:
    async def main() -> None:
        async with opened() as provider:
            await provider.complete(request)

    with pytest.raises(PromptkitError) as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"top_p": 7.0}, BadInput),
        ({"top_p": 0.0}, BadInput),
        ({"top_k": -1}, BadInput),
        ({"min_p": 1.5}, BadInput),
        ({"temperature": -0.1}, BadInput),
        ({"temperature": float("nan")}, BadInput),
        ({"temperature": float("inf")}, BadInput),
        ({"frequency_penalty": 3.0}, BadInput),
        ({"presence_penalty": -3.0}, BadInput),
        ({"max_tokens": 0}, BadInput),
        ({"max_tokens": 1.5}, BadInput),
        ({"stop": ("",)}, BadInput),
        ({"messages": ()}, BadInput),
        ({"messages": (message("user", "\ud800"),)}, BadInput),
        ({"extra": (("seed", 1),)}, BadInput),
        ({"messages": (Message("user", (Blob("image", "0" * 64, "image/png"),)),)}, CapabilityMissing),
        ({"messages": (Message("assistant", (), (ToolCall("1", "f", "{}"),)),)}, CapabilityMissing),
        ({"tools": (ToolSpec("f", "", "{}"),)}, CapabilityMissing),
        ({"schema": '{"type": "wat"}'}, BadInput),
        ({"schema": '{"not": {}}'}, CapabilityMissing),
        ({"schema": "{}", "grammar": 'root ::= "1"'}, BadInput),
        ({"logprobs": -1}, BadInput),
        ({"logprobs": 10_000}, BadInput),
        ({"grammar": "%llguidance {}\nstart: wat"}, CapabilityMissing),
    ],
)
def test_refused_before_the_call(fields: dict[str, Any], error: type[PromptkitError]) -> None:
    request = Request(**{"messages": (message("user", "x"),), **fields})
    assert type(refused(request)) is error
    assert not model_threads()


def test_a_prompt_too_long_says_the_numbers() -> None:
    error = refused(ask("1 2 3 4 " * 600))
    assert isinstance(error, ContextOverflow)
    assert "2404 tokens" in error.message
    assert "1024" in error.message


def test_a_bad_grammar_is_rejected() -> None:
    assert isinstance(refused(ask(grammar="root ::= wat")), Rejected)


def test_one_failed_call_leaves_the_model_usable() -> None:
    async def main() -> None:
        async with opened(replicas=1) as provider:
            outcomes = await asyncio.gather(
                provider.complete(ask("1 2 3 4 " * 600)), provider.complete(ask()), return_exceptions=True
            )
            assert isinstance(outcomes[0], ContextOverflow)
            assert isinstance(outcomes[1], Completion)

    asyncio.run(main())


@pytest.mark.parametrize(
    "options",
    [{"bath": 4}, {"batch": 0}, {"batch": "many"}, {"batch": 2.5}, {"batch": True}, {"context": 10**6}, {"threads": 0}],
)
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        open_builtin("", options)
    assert caught.value.hint


def test_options_may_be_text() -> None:
    assert open_builtin("", {"batch": "8"}).capabilities.batch == 8


def test_a_file_llama_cpp_cannot_load(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "m.gguf", drop={"output_norm"})

    async def main() -> None:
        provider = open_llamacpp(str(path), {})
        for _ in range(2):
            with pytest.raises(ProviderError, match="could not load"):
                await asyncio.gather(*(provider.complete(ask(seed=seed)) for seed in range(4)))
        await provider.aclose()

    asyncio.run(main())
    with pytest.raises(BadInput, match="no such file"):
        open_llamacpp(str(tmp_path / "missing.gguf"), {})


def test_asking_for_a_gpu_that_is_not_there_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptkit.providers.llama.server.gpu", lambda: None)
    seen: list[Warned] = []

    def sink(record: Record) -> None:
        if isinstance(record.event, Warned):
            seen.append(record.event)

    async def main() -> None:
        async with opened(n_gpu_layers=99) as provider:
            with events.watch(sink):
                await asyncio.gather(*(provider.complete(ask(max_tokens=2)) for _ in range(3)))

    asyncio.run(main())
    assert len(seen) == 1
    assert "running on CPU" in seen[0].message
    assert "--index-url" in seen[0].hint
