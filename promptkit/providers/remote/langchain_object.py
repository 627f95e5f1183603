"""What a LangChain chat model object tells of itself, and its own retries."""

from __future__ import annotations

import json
import secrets
from typing import Any

PLACES = ("openai_api_base", "base_url", "anthropic_api_url", "groq_api_base", "endpoint", "azure_endpoint")
SECRET = ("api_key", "secret", "token_provider", "password", "headers", "credentials")


def overrides(model: Any, method: str) -> bool:
    """Whether its class has a way of its own to do this."""
    from langchain_core.language_models import BaseChatModel

    return getattr(type(model), method) is not getattr(BaseChatModel, method)


def without_retries(model: Any) -> Any:
    """The model, made again with its own retries off: retrying is done above, where it is seen and paid for."""
    names, update = type(model).model_fields, {}
    if "stream_usage" in names:
        update["stream_usage"] = True  # some tell what a stream took only when asked to
    if "max_retries" in names:
        made = {"client", "async_client", "root_client", "root_async_client"}  # from the rest, retries and all
        given = {key: getattr(model, key) for key in model.model_fields_set - made}
        model = type(model)(**{**given, "max_retries": 0})
    return model.model_copy(update=update)


def address_of(model: Any) -> str:
    """Where its server is, under any of the names that partner packages have for it; "" where the vendor's is."""
    return next((at for key in PLACES if isinstance(at := getattr(model, key, None), str)), "")


def identity_of(model: Any) -> str:
    """What makes its texts its own, as JSON; an object that tells nothing of itself shares nothing."""
    told = {key: value for key, value in model._identifying_params.items() if _plain(key, value)}
    if place := address_of(model):
        told["base_url"] = place
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    return json.dumps({"langchain": kind, **(told or {"object": secrets.token_hex(8)})}, sort_keys=True, default=str)


def _plain(key: str, value: object) -> bool:
    return not any(word in key.lower() for word in SECRET) and isinstance(value, (str, int, float, bool, list, dict))
