"""The models a server offers, and the context of each where it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from promptkit.providers.remote.astray import Astray

# OpenAI's own list has no context; these are the words of Groq, vLLM, OpenRouter, LM Studio and llama-server.
TOLD = ("context_window", "max_model_len", "context_length", "max_context_length", "n_ctx", "n_ctx_train")
GLANCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Card:
    """A model by the name to ask for it; `context` is in tokens, None where nobody tells."""

    name: str
    context: int | None = None


async def cards(client: Any) -> list[Card]:
    """What GET /models lists, by way of the SDK, whose errors pass through; Astray when what comes is no list."""
    came = await client.models.with_raw_response.list(timeout=GLANCE)  # the SDK's own reading breaks on anything else
    try:
        body = json.loads(came.http_response.content)
    except (ValueError, RecursionError):
        body = None
    listed = (body["data"] or []) if isinstance(body, dict) and "data" in body else body  # null: an Ollama with none
    if not isinstance(listed, list) or not all(isinstance(each, dict) and each.get("id") for each in listed):
        raise Astray("something that is no list of models")
    return sorted(map(_card, listed), key=lambda card: card.name)


async def context_in_force(client: Any, address: str) -> int | None:
    """The context a llama-server gives each reply, from its /props; None of any other server."""
    with suppress(Exception):  # any other server may say anything
        root = address.rstrip("/").removesuffix("/v1")
        told = await client.get(f"{root}/props", cast_to=object, options={"timeout": GLANCE})
        context = told["default_generation_settings"]["n_ctx"]
        return context if isinstance(context, int) and context > 0 else None
    return None


def _card(body: Mapping[str, Any]) -> Card:
    return Card(str(body["id"]), next(_contexts(body), None))


def _contexts(body: Mapping[str, Any]) -> Iterator[int]:
    meta = body.get("meta")
    for place in (body, meta if isinstance(meta, Mapping) else {}):
        yield from (value for name in TOLD if isinstance(value := place.get(name), int) and value > 0)
