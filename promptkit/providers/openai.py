"""`openai:NAME`: OpenAI's models, and with a base_url those of any server that speaks the same format.

Models that reason (o1, o3, o4, gpt-5 and later) take no temperature: it is left out, with one warning, because every
strategy asks for one. They know no stop sequences: their replies are cut on this side. What else a model lacks is
refused like any capability it does not have. A seed is sent, and honoured as best OpenAI can, which is no promise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import urlsplit

from promptkit.errors import BadInput
from promptkit.providers.remote.chat_model import ChatModel
from promptkit.providers.remote.chat_wire import Dialect
from promptkit.providers.remote.declared import DECLARED, declared
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.openai_client import openai_client
from promptkit.providers.remote.options import TIMEOUT, base_url_in, checked, seconds, url
from promptkit.types import Capabilities

OFFICIAL = "https://api.openai.com/v1"
CONSOLE = "https://platform.openai.com/api-keys"
REASONING = re.compile(r"(?:.*/|ft:)?(?:o\d|gpt-[5-9])(?!.*chat)")
BEFORE_SCHEMAS = re.compile(r"(?:ft:)?(?:gpt-3\.5|gpt-4(?!o|\.)|gpt-4o-2024-05-13|o1-(?:mini|preview)|chatgpt)")
BEFORE_TOOLS = re.compile(r"(?:ft:)?(?:o1-(?:mini|preview)|chatgpt|gpt-5[\d.]*-chat)|.*-search-preview")
NATIVE_N = 8
OPTIONS = {"base_url": url, "timeout": seconds, **DECLARED}
PENALTIES = ("frequency_penalty", "presence_penalty")


def open_openai(name: str, options: Mapping[str, object]) -> ChatModel:
    """The model of that name at OpenAI, or at `base_url`; the key is read and the SDK imported on first use.

    A compatible server is sent one request a sample unless `native_n` says that it draws several: some refuse `n`,
    some ignore it. It is taken to hold no schema and call no tool unless the options say so.
    """
    if not name:
        raise BadInput("openai: names no model", hint="-m openai:gpt-4.1-mini")
    given = checked(f"openai:{name}", {**base_url_in("OPENAI_BASE_URL"), **options}, OPTIONS)
    address = given.get("base_url", OFFICIAL)
    official = _official(address)
    reasons = REASONING.match(name) is not None
    known = Capabilities(reasoning=reasons or None, images=True)
    if official:
        known = Capabilities(
            native_n=1 if reasons else NATIVE_N,
            reasoning=reasons,
            images=True,
            json_schema=BEFORE_SCHEMAS.match(name) is None,
            tools=BEFORE_TOOLS.match(name) is None,
            logprobs=not reasons,
        )
    return ChatModel(
        "openai",
        Service("OpenAI" if official else address, name, address, "OPENAI_API_KEY", CONSOLE),
        partial(openai_client, address, given.get("timeout", TIMEOUT)),
        declared(given, known),
        Dialect(
            limit="max_completion_tokens" if official or reasons else "max_tokens",
            refuses=(*(("top_p", *PENALTIES) if reasons else ()), *(("top_k", "min_p") if official or reasons else ())),
            omits=("temperature",) if reasons else (),
            ends_here=reasons,
            efforts={} if official and not reasons else None,
            strict=official,
            whole=official,  # a server of one's own goes on writing a whole reply that is abandoned
        ),
    )


def _official(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")
