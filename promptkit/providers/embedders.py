"""`openai:NAME`, `openai-compatible:NAME` and `ollama:NAME` as models that embed texts; where they are, the
environment says: OPENAI_BASE_URL, OPENAI_COMPATIBLE_BASE_URL, OLLAMA_HOST.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from promptkit.errors import BadInput, BadReply, PromptkitError
from promptkit.providers.ollama_api.address import default_host, full_name, host, hosted
from promptkit.providers.ollama_api.installed import Register
from promptkit.providers.ollama_api.server import OllamaServer
from promptkit.providers.remote.chat_model import NO_KEY, Connection
from promptkit.providers.remote.embedding import Embedder, Vectors
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.openai_client import openai_client
from promptkit.providers.remote.options import TIMEOUT, base_url_in, url
from promptkit.providers.remote.per_loop import PerLoop

OFFICIAL = "https://api.openai.com/v1"
CONSOLE = "https://platform.openai.com/api-keys"
EXAMPLE = "--embed openai:text-embedding-3-small, or ollama:nomic-embed-text"


def open_embedder(name: str) -> Embedder:
    """The embedding model of `provider:name`; the SDK is imported on first use. BadInput for a provider without any."""
    kind, _, model = name.partition(":")
    opener = _OPENERS.get(kind)
    if opener is None or not model:
        raise BadInput(f"{name!r} embeds no texts", hint=EXAMPLE)
    return opener(model)


def _openai(model: str) -> Embedder:
    address = url(base_url_in("OPENAI_BASE_URL").get("base_url", OFFICIAL))
    who = "OpenAI" if address == OFFICIAL else address
    return _embedder("openai", Service(who, model, address, "OPENAI_API_KEY", CONSOLE))


def _compatible(model: str) -> Embedder:
    given = base_url_in("OPENAI_COMPATIBLE_BASE_URL")
    if not given:
        hint = "export OPENAI_COMPATIBLE_BASE_URL=http://127.0.0.1:8080/v1"
        raise BadInput(f"openai-compatible:{model}: where the server is, is not said", hint=hint)
    address = url(given["base_url"])
    key = "OPENAI_COMPATIBLE_API_KEY"
    return _embedder("openai-compatible", Service(address, model, address, key, needs_key=False))


def _embedder(kind: str, service: Service) -> Embedder:
    clients: PerLoop[Connection] = PerLoop(
        partial(openai_client, service.address, TIMEOUT), lambda made: made.client.close()
    )

    async def embed(texts: list[str]) -> tuple[Vectors, int]:
        key = service.key()
        client = (await clients.get()).client
        client.api_key = key or NO_KEY
        body = {"model": service.model, "input": texts, "encoding_format": "float"}
        try:
            came = json.loads(await client.post("/embeddings", body=body, cast_to=bytes))
            rows = {each.get("index", place): each["embedding"] for place, each in enumerate(came["data"])}
            return [rows[place] for place in range(len(rows))], _tokens(came.get("usage"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadReply(f"{service.who}: the reply holds no embeddings") from error
        except PromptkitError:
            raise
        except Exception as error:
            if (failure := service.failure(error)) is None:
                raise
            raise failure from None  # the SDK's error may repeat the key

    named = {"model": service.model, "base_url": service.address}
    return Embedder(f"{kind}:{service.model}", lambda: named, embed, clients.aclose, service.account(), local=False)


def _tokens(usage: Any) -> int:
    """What the texts took, as a server tells it; 0 where it does not."""
    told = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return told if isinstance(told, int) and told > 0 else 0


def _ollama(model: str) -> Embedder:
    address = host(default_host())
    server = OllamaServer(model, address, TIMEOUT)
    register = Register(partial(server.installed, None))

    async def embed(texts: list[str]) -> tuple[Vectors, int]:
        await register.needed()
        came: Any = await server.embed(texts)
        return came.embeddings, came.prompt_eval_count or 0

    def identity() -> dict[str, object]:
        # As for chats: another model of that name is another model.
        known: dict[str, object] = {"model": full_name(model), "digest": register.digest()}
        return known if local else {**known, "base_url": address}

    local = not hosted(model, address)
    return Embedder(f"ollama:{model}", identity, embed, server.aclose, "", local=local)


_OPENERS: dict[str, Callable[[str], Embedder]] = {
    "openai": _openai,
    "openai-compatible": _compatible,
    "ollama": _ollama,
}
