"""`groq:NAME`: the models Groq serves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from promptkit.errors import BadInput
from promptkit.providers.remote.chat_model import NO_KEY, ChatModel
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.options import TIMEOUT, checked, is_loopback, seconds, url
from promptkit.types import Capabilities

OFFICIAL = "https://api.groq.com"
PATH = "/openai/v1"  # the SDK adds it; addresses are often written with it
CONSOLE = "https://console.groq.com/keys"
REFUSES = ("top_k", "min_p", "frequency_penalty", "presence_penalty")
OPTIONS = {"base_url": url, "timeout": seconds}


def open_groq(name: str, options: Mapping[str, object]) -> ChatModel:
    """The model of that name at Groq; the key is read and the SDK imported on first use."""
    if not name:
        raise BadInput("groq: names no model", hint="-m groq:llama-3.3-70b-versatile")
    given = checked(f"groq:{name}", {**_environment(), **options}, OPTIONS)
    address = given.get("base_url", OFFICIAL).removesuffix(PATH)
    return ChatModel(
        "groq",
        Service("Groq" if address == OFFICIAL else address, name, address, "GROQ_API_KEY", CONSOLE),
        partial(_client, address, given.get("timeout", TIMEOUT)),
        Capabilities(native_n=1),  # it draws one sample a call
        refuses=REFUSES,
    )


def _environment() -> dict[str, object]:
    address = os.environ.get("GROQ_BASE_URL", "").strip()
    return {"base_url": address} if address else {}


def _client(address: str, timeout: float) -> Any:
    from groq import AsyncGroq, DefaultAsyncHttpxClient

    return AsyncGroq(
        api_key=NO_KEY,  # set for every call
        base_url=address,
        timeout=timeout,
        max_retries=0,  # retrying is done above, where it is seen and paid for
        http_client=DefaultAsyncHttpxClient(trust_env=False) if is_loopback(address) else None,  # never by a proxy
    )
