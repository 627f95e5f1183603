"""What the OpenAI and Groq wire formats share: a request, checked, as parameters of a chat completion."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Collection
from typing import Any

from promptkit.attachments import data_of
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.types import Blob, Message, Request, Text

NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
UNTYPED = ("top_k", "min_p")  # not in the vendors' format; compatible servers know them
OURS = {*NUMBERS, *UNTYPED, "model", "messages", "max_tokens", "max_completion_tokens", "stop", "seed", "n"}
OURS |= {"stream", "stream_options", "tools", "response_format", "logprobs", "top_logprobs"}


def check(request: Request, who: str, refuses: Collection[str] = (), *, images: bool = False) -> None:
    """Refuse before the call what `who` would refuse or misread; BadInput or CapabilityMissing."""
    if not request.messages:
        raise BadInput("a request needs at least one message")
    for name in ("tools", "schema", "grammar", "logprobs"):
        if getattr(request, name):
            raise CapabilityMissing(f"{name}: not supported with {who} yet")
    for name in refuses:
        if getattr(request, name) not in (None, ()):
            raise CapabilityMissing(f"{who} has no {name}", hint=f"leave {name} out, or use a local model")
    for message in request.messages:
        if any(isinstance(part, Blob) and not (images and part.kind == "image") for part in message.content):
            raise CapabilityMissing(f"images and files: not supported with {who} yet")
        if message.role == "tool" or message.calls:
            raise CapabilityMissing(f"tools: not supported with {who} yet")
    for text in (*(message.text for message in request.messages), *request.stop):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadInput("a message is not valid Unicode text: it holds a lone surrogate")
    for name in (*NUMBERS, *UNTYPED):
        value = getattr(request, name)
        if value is not None and not math.isfinite(value):
            raise BadInput(f"{name}={value} is not a number a model takes")
    if taken := sorted(OURS.intersection(key for key, _ in request.extra)):
        raise BadInput(f"extra may not set {taken[0]!r}: it is a field of its own, or promptkit's business")


def turns(request: Request) -> list[dict[str, Any]]:
    """The conversation as every chat format writes it; images as the vendors' format has them."""
    return [{"role": message.role, "content": _content(message)} for message in request.messages]


def _content(message: Message) -> str | list[dict[str, Any]]:
    if all(isinstance(part, Text) for part in message.content):
        return message.text
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, Text)
        else {"type": "image_url", "image_url": {"url": _data_url(part)}}
        for part in message.content
    ]


def _data_url(image: Blob) -> str:
    return f"data:{image.media_type};base64,{b64encode(data_of(image)).decode()}"


def parameters(request: Request, n: int, *, limit: str, omits: Collection[str] = ()) -> dict[str, Any]:
    """The keyword arguments of `chat.completions.create` for `n` samples from this request's draw on."""
    said = {name: value for name in NUMBERS if (value := getattr(request, name)) is not None and name not in omits}
    if request.max_tokens is not None:
        said[limit] = request.max_tokens
    if request.stop:
        said["stop"] = list(request.stop)
    if n > 1:  # some servers refuse the field itself
        said["n"] = n
    untyped = {name: value for name in UNTYPED if (value := getattr(request, name)) is not None}
    return {
        **said,
        "messages": turns(request),
        "seed": request.wire_seed,
        "stream": True,
        "extra_body": {**dict(request.extra), **untyped, "stream_options": {"include_usage": True}},
    }
