"""One contract, every adapter: what goes wrong has one class, one line, a hint of what to type, and an exit code."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters import ALL, HERE, KEYS, WIRE, Place, answering, asking, fault
from llama_http import llama_http
from local_model import BUILTIN
from ollama_stub import ollama
from wire_server import KEY, alone, refused, stub

import promptkit as pk
from promptkit.errors import (
    ContextOverflow,
    KeyMissing,
    ModelMissing,
    PromptkitError,
    ProviderError,
    Unavailable,
    Unreachable,
)
from promptkit.journal import Journal
from promptkit.types import Request


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with llama_http(BUILTIN, key="another key", context=512) as address:
        yield address


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    with llama_http(BUILTIN, context=256) as address:
        yield address


def failure(place: Place, request: Request | None = None, model: str = "m", **options: Any) -> PromptkitError:
    """The error of a call: one clear line and a hint."""

    async def main() -> None:
        async with place.opened(model, **options) as provider:
            await provider.complete(request or asking())

    with pytest.raises(PromptkitError) as raised:
        asyncio.run(main())
    gc.collect()  # an unclosed connection would warn here
    error = raised.value
    assert error.message.strip()
    assert "\n" not in error.message
    assert len(error.message) < 500
    assert error.hint.strip()
    assert KEY not in f"{error.message} {error.hint} {error!r}"
    return error


@pytest.mark.parametrize("name", WIRE)
def test_nobody_there(name: str) -> None:
    with refused() as address:
        error = failure(Place(name, address))
    assert type(error) is Unreachable  # another try would not help
    assert error.exit_code == 1
    if name != "langchain":  # which tells no address
        assert address.removeprefix("http://") in error.message


@pytest.mark.parametrize("name", ["openai", "groq"])
def test_no_key(name: str) -> None:
    error = failure(Place(name, "https://models.invalid"))
    assert type(error) is KeyMissing
    assert KEYS[name] in error.message
    assert f"export {KEYS[name]}=" in error.hint
    assert error.exit_code == 4


@pytest.mark.parametrize("name", WIRE)
def test_a_refused_key(name: str, guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in KEYS.values():
        monkeypatch.setenv(variable, KEY)
    if name == "ollama":  # it has keys in its cloud only
        with ollama(answers=[fault(name, 401, "unauthorized")]) as server:
            error = failure(Place(name, server.address))
    else:
        error = failure(Place(name, guarded, given={"api_key": KEY} if name == "langchain" else {}))
    assert type(error) is KeyMissing
    assert error.exit_code == 4


@pytest.mark.parametrize("name", WIRE)
def test_no_such_model(name: str) -> None:
    if name == "ollama":
        with ollama() as server:
            error = failure(Place(name, server.address), model="absent:7b")
        assert "ollama pull absent:7b" in error.hint
    else:
        missing = fault(name, 404, "The model `absent` does not exist", code="model_not_found")
        with stub(missing) as server:
            error = failure(Place(name, server.address), model="absent")
    assert type(error) is ModelMissing
    assert "absent" in error.message
    assert error.exit_code == 1


@pytest.mark.parametrize("name", [*WIRE, *HERE])
def test_a_prompt_that_does_not_fit(name: str, small: str) -> None:
    long = asking("4 - 5 " * 3000)
    if name == "ollama":
        with ollama(context=256) as server:
            error = failure(Place(name, server.address), long)
    else:
        error = failure(Place(name, small, given={"context": 256} if name in HERE else {}), long)
    assert type(error) is ContextOverflow
    assert error.exit_code == 1
    assert any(character.isdigit() for character in error.message)  # how many tokens


@pytest.mark.parametrize("name", WIRE)
def test_a_server_that_fails_is_asked_again(name: str, journal: Journal, instant_retries: None) -> None:
    broken = fault(name, 500, "the server failed")
    seen: list[pk.Record] = []

    async def main(place: Place) -> None:
        async with place.opened() as provider:
            await pk.arun("cot", "2 + 2?", model=provider, journal=journal, sinks=[seen.append])

    serving = ollama(answers=[broken]) if name == "ollama" else stub(broken)
    with serving as server, pytest.raises(Unavailable) as raised:
        asyncio.run(main(Place(name, server.address)))
    assert raised.value.exit_code == 1
    (row,) = journal.runs()
    tried = [record for record in seen if type(record.event).__name__ == "Retrying"]
    assert journal.spent(row.id).calls == len(tried) + 1 > 1  # every attempt is in the journal
    asked = server.bodies() if callable(server.bodies) else server.bodies
    assert len(asked) == journal.spent(row.id).calls


# Loops and ends.


@pytest.mark.parametrize("name", [*WIRE, "scripted"])
def test_closing_twice_and_using_it_again(name: str) -> None:
    async def main(place: Place) -> None:
        provider = place.open()
        await provider.aclose()
        assert (await provider.complete(asking("say it"))).text
        await provider.aclose()
        await provider.aclose()
        assert (await provider.complete(asking("say it"))).text
        await provider.aclose()

    if name in WIRE:
        with answering(name, "yes, and no") as place:
            asyncio.run(main(place))
    else:
        asyncio.run(main(Place(name)))
    gc.collect()


@pytest.mark.parametrize("name", HERE)
def test_a_local_model_that_was_closed_stays_closed(name: str) -> None:
    async def main() -> None:
        provider = Place(name).open()
        assert (await provider.complete(asking())).text
        await provider.aclose()
        await provider.aclose()
        with pytest.raises(ProviderError, match="closed"):
            await provider.complete(asking())

    asyncio.run(main())


@pytest.mark.parametrize("name", ALL)
def test_one_provider_in_one_loop_after_the_other(name: str) -> None:
    def work(place: Place) -> None:
        provider = place.open()
        texts = [asyncio.run(provider.complete(asking("say it", temperature=0.0))).text for _ in range(3)]
        assert len(set(texts)) == 1
        asyncio.run(provider.aclose())  # in a loop that never made a call
        asyncio.run(provider.aclose())

    if name in WIRE:
        with answering(name, "yes, and no") as place:
            work(place)
    else:
        work(Place(name))
    gc.collect()
