"""`openai:NAME`: OpenAI's models, and with a base_url those of any server that speaks the same format.

Models that reason (o1, o3, o4, gpt-5 …) take no temperature: it is left out, with one warning, because every
strategy asks for one. What else they lack is refused like any capability a model does not have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from promptkit.errors import BadInput
from promptkit.providers.remote.chat_model import NO_KEY, ChatModel
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.options import TIMEOUT, checked, is_loopback, seconds, url, whole
from promptkit.types import Capabilities

OFFICIAL = "https://api.openai.com/v1"
CONSOLE = "https://platform.openai.com/api-keys"
REASONING = re.compile(r"(?:.*/|ft:)?(?:o\d|gpt-[5-9])(?!.*chat)")
NATIVE_N = 8
OPTIONS = {"base_url": url, "timeout": seconds, "native_n": whole(1, 128)}


def open_openai(name: str, options: Mapping[str, object]) -> ChatModel:
    """The model of that name at OpenAI, or at `base_url`; the key is read and the SDK imported on first use.

    A compatible server is sent one request a sample unless `native_n` says that it draws several: some refuse `n`,
    some ignore it.
    """
    if not name:
        raise BadInput("openai: names no model", hint="-m openai:gpt-4.1-mini")
    given = checked(f"openai:{name}", {**_environment(), **options}, OPTIONS)
    address = given.get("base_url", OFFICIAL)
    official = _official(address)
    reasons = REASONING.match(name) is not None
    native_n = given.get("native_n", NATIVE_N if official and not reasons else 1)
    refuses = ("top_p", "frequency_penalty", "presence_penalty", "stop") if reasons else ()
    return ChatModel(
        "openai",
        Service("OpenAI" if official else address, name, address, "OPENAI_API_KEY", CONSOLE),
        partial(_client, address, given.get("timeout", TIMEOUT)),
        Capabilities(native_n=native_n, reasoning=reasons, images=True),
        limit="max_completion_tokens" if official or reasons else "max_tokens",
        refuses=(*refuses, "top_k", "min_p") if official or reasons else (),
        omits=("temperature",) if reasons else (),
    )


def _environment() -> dict[str, object]:
    address = os.environ.get("OPENAI_BASE_URL", "").strip()
    return {"base_url": address} if address else {}


def _official(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _client(address: str, timeout: float) -> Any:
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    return AsyncOpenAI(
        api_key=NO_KEY,  # set for every call
        base_url=address,
        timeout=timeout,
        max_retries=0,  # retrying is done above, where it is seen and paid for
        http_client=DefaultAsyncHttpxClient(trust_env=False) if is_loopback(address) else None,  # never by a proxy
    )
