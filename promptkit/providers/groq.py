"""`groq:NAME`: the models Groq serves.

One sample a call. A call that a model wrote in a form Groq could not read (`tool_use_failed`) is read here where it
can be, and tried again where not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from promptkit.errors import BadInput
from promptkit.providers.remote.astray import async_hooks
from promptkit.providers.remote.chat_model import NO_KEY, ChatModel, Connection
from promptkit.providers.remote.chat_wire import Dialect
from promptkit.providers.remote.declared import DECLARED, declared
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.options import TIMEOUT, Reader, base_url_in, checked, is_loopback, seconds, url
from promptkit.types import Capabilities

OFFICIAL = "https://api.groq.com"
PATH = "/openai/v1"  # the SDK leaves it to each call; addresses are often written with it
ADDED = f"{PATH} is added to a base_url by itself"
CONSOLE = "https://console.groq.com/keys"
REFUSES = ("top_k", "min_p", "frequency_penalty", "presence_penalty")
DECLARABLE = ("json_schema", "tools", "images", "context")
OPTIONS: dict[str, Reader] = {"base_url": url, "timeout": seconds, **{name: DECLARED[name] for name in DECLARABLE}}

# How long to think, by the SDK's own notes on `reasoning_effort`; {}: it thinks, or not, as it likes.
EFFORTS: tuple[tuple[str, dict[str, str]], ...] = (
    (r"openai/gpt-oss-", {"low": "low", "medium": "medium", "high": "high"}),
    (r"qwen/qwen3\.8-", {"none": "none", "low": "low", "medium": "medium", "high": "high"}),
    (r"qwen/qwen-?3", {"none": "none", "medium": "default"}),
)
THINKS = re.compile(r"openai/gpt-oss-|qwen/qwen-?3|qwen-qwq|deepseek-r1")
PARSED = re.compile(r"qwen/qwen-?3|qwen-qwq|deepseek-r1")  # thoughts are put into the text unless asked for apart
HOLDS_SCHEMAS = re.compile(r"openai/gpt-oss-(?:20b|120b)$")  # the others take a schema for a wish
CALLS_NOTHING = re.compile(r"groq/compound|compound-|allam|.*guard")
SEES = re.compile(r"meta-llama/llama-4-")


def open_groq(name: str, options: Mapping[str, object]) -> ChatModel:
    """The model of that name at Groq; the key is read and the SDK imported on first use."""
    if not name:
        raise BadInput("groq: names no model", hint="-m groq:llama-3.3-70b-versatile")
    given = checked(f"groq:{name}", {**base_url_in("GROQ_BASE_URL"), **options}, OPTIONS)
    address = given.get("base_url", OFFICIAL).removesuffix(PATH)
    official = address == OFFICIAL
    efforts = next((words for form, words in EFFORTS if re.match(form, name)), {} if official else None)
    known = Capabilities(
        native_n=1,
        reasoning=THINKS.match(name) is not None or (False if official else None),
        tools=CALLS_NOTHING.match(name) is None,
        json_schema=HOLDS_SCHEMAS.match(name) is not None,
        images=SEES.match(name) is not None,
    )
    return ChatModel(
        "groq",
        Service(
            "Groq" if official else address, name, address, "GROQ_API_KEY", CONSOLE, place="" if official else ADDED
        ),
        partial(_client, address, given.get("timeout", TIMEOUT)),
        declared(given, known),
        Dialect(
            path=f"{PATH}/chat/completions",
            refuses=REFUSES,
            efforts=efforts,
            strict=HOLDS_SCHEMAS.match(name) is not None,
            streams_schemas=False,
            whole=address == OFFICIAL,
            always={"reasoning_format": "parsed"} if PARSED.match(name) else {},
        ),
    )


def _client(address: str, timeout: float) -> Connection:
    from groq import AsyncGroq, AsyncStream, DefaultAioHttpClient

    client = AsyncGroq(
        api_key=NO_KEY,  # set for every call
        base_url=address,
        timeout=timeout,
        max_retries=0,  # retrying is done above, where it is seen and paid for
        # httpx's own pool takes several times the CPU of many calls. What runs on this machine is no proxy's business.
        http_client=DefaultAioHttpClient(trust_env=not is_loopback(address), event_hooks=async_hooks()),
    )
    return Connection(client, AsyncStream[object])
