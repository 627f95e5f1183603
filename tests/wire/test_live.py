"""The vendors themselves: asked only by who says PROMPTKIT_LIVE=1 and has a key, or an Ollama that answers.

PROMPTKIT_LIVE=1 OPENAI_API_KEY=… GROQ_API_KEY=… python -m pytest tests/wire/test_live.py -n0 -rs
"""

from __future__ import annotations

import asyncio
import os
import urllib.request

import pytest

import promptkit as pk
from promptkit.events import Delta, Record, watch
from promptkit.journal import Journal
from promptkit.runtime.open import open_provider
from promptkit.types import Completion, Provider, Request, message

ASKED = os.environ.get("PROMPTKIT_LIVE") == "1"  # read before any test hides it
KEYS = {"openai": "OPENAI_API_KEY", "groq": "GROQ_API_KEY"}
DEFAULTS = {"openai": "gpt-4.1-mini", "groq": "llama-3.3-70b-versatile", "ollama": "qwen3:0.6b"}
MODELS = {kind: os.environ.get(f"PROMPTKIT_LIVE_{kind.upper()}", name) for kind, name in DEFAULTS.items()}
OLLAMA = "http://127.0.0.1:11434"


def missing(kind: str) -> str:
    """Why this vendor is not asked; "" when it is."""
    if not ASKED:
        return "asks a real vendor, which costs money: PROMPTKIT_LIVE=1 says that it may"
    if kind in KEYS:
        return "" if os.environ.get(KEYS[kind]) else f"{KEYS[kind]} is not set"
    try:
        with urllib.request.urlopen(f"{OLLAMA}/api/version", timeout=2):
            return ""
    except OSError:
        return f"no Ollama answers at {OLLAMA}"


@pytest.fixture(params=sorted(MODELS))
def model(request: pytest.FixtureRequest) -> Provider:
    kind: str = request.param
    if why := missing(kind):
        pytest.skip(f"{kind}: {why}")
    return open_provider(f"{kind}:{MODELS[kind]}")


def asked(text: str, **fields: object) -> Request:
    turns = (message("system", "Answer with one word."), message("user", text))
    return Request(messages=turns, **{"temperature": 0.0, "max_tokens": 64, **fields})  # type: ignore[arg-type]


def test_a_reply_is_streamed_and_counted(model: Provider) -> None:
    seen: list[Record] = []

    async def main() -> Completion:
        with watch(seen.append):
            return await model.complete(asked("The capital of France?"))

    reply = asyncio.run(main())
    assert "paris" in reply.text.lower()
    assert "".join(r.event.text for r in seen if isinstance(r.event, Delta) and not r.event.reasoning) == reply.text
    assert reply.usage.input_tokens > 5
    assert 0 < reply.usage.output_tokens <= 64


def test_a_reply_that_is_cut_off_says_so(model: Provider) -> None:
    reply = asyncio.run(model.complete(asked("Count to a hundred, in words.", max_tokens=16)))
    assert reply.finish == "length"


def test_a_vote_is_bought_once(model: Provider, journal_file: Journal) -> None:
    first = pk.run("sc", "What is 17 + 25? Give the number.", n=3, model=model, journal=journal_file)
    again = pk.run("sc", "What is 17 + 25? Give the number.", n=3, model=model, journal=journal_file)
    assert first.answer == again.answer == "42"
    assert journal_file.spent(again.run).calls == 0


def test_a_model_there_is_none_of(model: Provider) -> None:
    kind = model.id.partition(":")[0]
    with pytest.raises(pk.PromptkitError) as raised:
        asyncio.run(open_provider(f"{kind}:no-such-model-anywhere").complete(asked("hello")))
    assert type(raised.value).__name__ == "ModelMissing"
    assert raised.value.hint
