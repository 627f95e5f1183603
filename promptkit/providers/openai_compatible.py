"""`openai-compatible:NAME -o base_url=…`: the models of any server that speaks OpenAI's format (vLLM, llama-server …).

Such servers differ and do not say how: each is taken to do the least until an option says more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from promptkit.errors import BadInput
from promptkit.providers.remote.chat_model import ChatModel
from promptkit.providers.remote.chat_wire import Dialect
from promptkit.providers.remote.declared import DECLARED, declared
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.openai_client import openai_client
from promptkit.providers.remote.options import TIMEOUT, base_url_in, checked, seconds, url
from promptkit.types import Capabilities

ADDRESS, KEY = "OPENAI_COMPATIBLE_BASE_URL", "OPENAI_COMPATIBLE_API_KEY"
OPTIONS = {"base_url": url, "timeout": seconds, **DECLARED}
LARGER = "or start the server with a larger context (llama-server -c N, vllm --max-model-len N)"


def open_openai_compatible(name: str, options: Mapping[str, object]) -> ChatModel:
    """The model of that name at `base_url`; a key is sent where one is set, and none is needed before it is asked for.

    `native_n`, `json_schema`, `tools`, `logprobs`, `alternatives`, `raw`, `images` and `context` say what it can do.
    """
    if not name:
        raise BadInput("openai-compatible: names no model", hint="-m openai-compatible:NAME -o base_url=http://…/v1")
    given = checked(f"openai-compatible:{name}", {**base_url_in(ADDRESS), **options}, OPTIONS)
    if "base_url" not in given:
        hint = f"-o base_url=http://127.0.0.1:8080/v1\nor: export {ADDRESS}=http://127.0.0.1:8080/v1"
        raise BadInput(f"openai-compatible:{name}: where the server is, is not said", hint=hint)
    address = given["base_url"]
    return ChatModel(
        "openai-compatible",
        Service(address, name, address, KEY, needs_key=False, larger=LARGER),
        partial(openai_client, address, given.get("timeout", TIMEOUT)),
        declared(given, Capabilities(images=True)),
        Dialect(),
    )
