"""The models a server offers, and the context of each where it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

# OpenAI's own list has no context; these are the words of Groq, vLLM, OpenRouter, LM Studio and llama-server.
TOLD = ("context_window", "max_model_len", "context_length", "max_context_length", "n_ctx", "n_ctx_train")
GLANCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Card:
    """A model by the name to ask for it; `context` is in tokens, None where nobody tells."""

    name: str
    context: int | None = None


async def cards(client: Any) -> list[Card]:
    """What GET /models lists, by way of the SDK; its errors pass through."""
    page = await client.models.list(timeout=GLANCE)
    return sorted(map(_card, page.data or ()), key=lambda card: card.name)


async def context_in_force(client: Any, address: str) -> int | None:
    """The context a llama-server gives each reply, from its /props; None of any other server."""
    with suppress(Exception):  # any other server may say anything
        root = address.rstrip("/").removesuffix("/v1")
        told = await client.get(f"{root}/props", cast_to=object, options={"timeout": GLANCE})
        context = told["default_generation_settings"]["n_ctx"]
        return context if isinstance(context, int) and context > 0 else None
    return None


def _card(model: Any) -> Card:
    body = model.model_dump() if hasattr(model, "model_dump") else {"id": str(model)}
    return Card(str(body.get("id")), next(_contexts(body), None))


def _contexts(body: Mapping[str, Any]) -> Iterator[int]:
    meta = body.get("meta")
    for place in (body, meta if isinstance(meta, Mapping) else {}):
        yield from (value for name in TOLD if isinstance(value := place.get(name), int) and value > 0)
