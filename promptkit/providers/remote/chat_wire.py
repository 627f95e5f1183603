"""What the OpenAI and Groq wire formats share: a request, checked, as parameters of a chat completion."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.attachments import data_of
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.providers.remote.bare_text import prompt
from promptkit.providers.remote.chat_calls import offered, turn
from promptkit.providers.remote.chat_schema import response_format
from promptkit.types import Blob, Capabilities, Message, Request, Text

NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
UNTYPED = ("top_k", "min_p")  # not in the vendors' format; compatible servers know them
OURS = {*NUMBERS, *UNTYPED, "model", "messages", "prompt", "max_tokens", "max_completion_tokens", "stop", "seed", "n"}
OURS |= {"stream", "stream_options", "tools", "response_format", "logprobs", "top_logprobs"}
MOST_LOGPROBS = 20  # the vendors' limit
NOTHING = Capabilities()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one service writes what the format leaves open, for one of its models."""

    path: str = "/chat/completions"
    limit: str = "max_tokens"  # the field that limits a reply
    refuses: Collection[str] = ()  # fields of a request it does not have
    omits: Collection[str] = ()  # fields left out with a warning
    ends_here: bool = False  # it knows no stop sequences: replies are cut on this side
    efforts: Mapping[str, str] | None = None  # its words for how long to think; None: ours are passed on
    strict: bool = False  # a schema is sent in the strict form
    streams_schemas: bool = True
    whole: bool = False  # a short reply that nobody watches comes in one piece: cheaper, but stopped late
    always: Mapping[str, Any] = field(default_factory=dict)  # sent with every request that does not say otherwise


def check(
    request: Request, who: str, refuses: Collection[str] = (), *, images: bool = False, has: Capabilities = NOTHING
) -> None:
    """Refuse before the call what `who` would refuse or misread; BadInput or CapabilityMissing."""
    if not request.messages:
        raise BadInput("a request needs at least one message")
    for name, can in (
        ("tools", has.tools),
        ("schema", has.json_schema),
        ("grammar", has.grammar),
        ("logprobs", has.logprobs),
    ):
        if getattr(request, name) and not can:
            raise CapabilityMissing(f"{name}: not supported with {who}")
    most = MOST_LOGPROBS if request.raw is None else has.alternatives
    if request.logprobs > most:
        raise BadInput(f"logprobs={request.logprobs}: {who} tells at most {most} a token")
    if request.raw is not None and not has.raw:
        raise CapabilityMissing(
            f"{who} is taken to go on with messages only", hint="-o raw=true where it has /completions"
        )
    for name in refuses:
        if getattr(request, name) not in (None, ()):
            raise CapabilityMissing(f"{who} has no {name}", hint=f"leave {name} out, or use a local model")
    for message in request.messages:
        if any(isinstance(part, Blob) and not (images and part.kind == "image") for part in message.content):
            raise CapabilityMissing(f"images and files: not supported with {who}")
        if (message.role == "tool" or message.calls) and not has.tools:
            raise CapabilityMissing(f"tools: not supported with {who}")
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
    return [turn(message, _content(message)) for message in request.messages]


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


def effort(request: Request, who: str, efforts: Mapping[str, str] | None) -> dict[str, str]:
    """The field that says how long to think, in the service's words; CapabilityMissing where it has none for it."""
    if request.effort is None:
        return {}
    if efforts is None:
        return {"reasoning_effort": request.effort}
    if request.effort not in efforts:
        can = f"it takes: {', '.join(efforts)}" if efforts else "leave the effort out, or ask a model that reasons"
        what = f"has no effort {request.effort!r}" if efforts else "does not reason: there is no effort to choose"
        raise CapabilityMissing(f"{who} {what}", hint=can)
    return {"reasoning_effort": efforts[request.effort]}


def parameters(request: Request, n: int, dialect: Dialect, who: str, *, stream: bool) -> dict[str, Any]:
    """The fields of a chat completion for `n` samples from this request's draw on, `model` aside."""
    bare = request.raw is not None
    said: dict[str, Any] = prompt(request) if bare else {"messages": turns(request)}
    said["seed"] = request.wire_seed
    for name in (*NUMBERS, *UNTYPED):
        if (value := getattr(request, name)) is not None and name not in dialect.omits:
            said[name] = value
    if request.max_tokens is not None:
        said["max_tokens" if bare else dialect.limit] = request.max_tokens
    if request.stop and not dialect.ends_here:
        said["stop"] = list(request.stop)
    if n > 1:  # some servers refuse the field itself
        said["n"] = n
    if request.schema is not None:
        said["response_format"] = response_format(request.schema, strict=dialect.strict)
    if request.tools:
        said["tools"] = offered(request.tools)
    if request.logprobs and not bare:
        said |= {"logprobs": True, "top_logprobs": request.logprobs}
    if stream and (dialect.streams_schemas or request.schema is None):
        said |= {"stream": True, "stream_options": {"include_usage": True}}
    return {**dialect.always, **said, **effort(request, who, dialect.efforts), **dict(request.extra)}
