"""A request, checked, as the body of /api/chat, or of /api/generate where a bare text is gone on with.

Written by hand: the SDK's own types drop what they do not know of a tool's schema, and have no `truncate`.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from promptkit.attachments import data_of
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.providers.ollama_api.installed import Installed
from promptkit.types import Blob, Message, Request, Text

SENT = ("temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty")
OURS = {*SENT, "num_predict", "num_ctx", "stop", "seed"}
TOP = 20  # most alternatives of a token it tells

Think = bool | str | None
EFFORTS: dict[str, Think] = {"none": False, "minimal": "low", "low": "low", "medium": "medium", "high": "high"}


def body(request: Request, model: str, known: Installed, num_ctx: int | None, think: Think) -> dict[str, Any]:
    """What is posted; BadInput or CapabilityMissing for what cannot be asked of this model."""
    _refuse(request, model, known)
    wanted = {name: getattr(request, name) for name in SENT}
    wanted |= {"num_predict": request.max_tokens, "num_ctx": num_ctx, "stop": list(request.stop) or None}
    bare = {"prompt": request.messages[0].text, "raw": True} if request.raw is not None else None
    said: dict[str, Any] = {
        "model": model,
        **(bare or {"messages": [_turn(turn, request) for turn in request.messages]}),
        "stream": True,
        "truncate": False,  # a prompt that does not fit is an error, not a shorter prompt
        "shift": False,  # nor is its beginning dropped while the reply grows
        "options": {**dict(request.extra), **_said(wanted), "seed": request.wire_seed},
    }
    top = min(request.logprobs, TOP)
    logprobs = {"logprobs": True, "top_logprobs": top} if top else {}
    tools = [_tool(each.name, each.description, each.schema) for each in request.tools]
    schema = _object(request.schema, "the schema") if request.schema is not None else None
    thinking = thought(request, model, known, think) if bare is None else None
    return said | _said({"tools": tools or None, "format": schema, "think": thinking}) | logprobs


def thought(request: Request, model: str, known: Installed, think: Think) -> Think:
    """What to send as `think`; CapabilityMissing when the model is known not to think and should."""
    wanted = EFFORTS[request.effort] if request.effort else think
    if known.abilities is None or "thinking" in known.abilities:
        return wanted
    if wanted:
        raise no_thinking(model)
    return None  # there is nothing to switch off


def no_thinking(model: str) -> CapabilityMissing:
    """The error for a model that does not think."""
    return CapabilityMissing(
        f"{model} does not think before it answers",
        hint="leave --effort and -o think=… out, or use a model that does: promptkit models pull ollama:qwen3:8b",
    )


def no_tools(model: str) -> CapabilityMissing:
    """The error for a model that was not made for tools."""
    return CapabilityMissing(
        f"{model} cannot call tools", hint="a model that can: promptkit models pull ollama:qwen3:8b"
    )


def _refuse(request: Request, model: str, known: Installed) -> None:
    if not request.messages:
        raise BadInput("a request needs at least one message")
    if request.grammar:
        raise CapabilityMissing("grammar: not supported with Ollama", hint="a JSON schema is, or -m llamacpp:PATH")
    if request.raw is not None and (request.raw or len(request.messages) != 1):
        raise BadInput("a bare text is one message, sent as text and not as the numbers of tokens")
    if request.logprobs > TOP:
        raise CapabilityMissing(f"Ollama tells {TOP} log-probabilities a token, not {request.logprobs}")
    parts = [part for turn in request.messages for part in turn.content if isinstance(part, Blob)]
    if any(part.kind != "image" for part in parts):
        raise CapabilityMissing("files: not supported with Ollama", hint="texts are put into the prompt: attach them")
    able = known.abilities
    if parts and able is not None and "vision" not in able:
        raise CapabilityMissing(f"{model} takes no images", hint="a model that sees: ollama pull gemma3")
    if request.tools and able is not None and "tools" not in able:
        raise no_tools(model)
    for text in (*(turn.text for turn in request.messages), *request.stop):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadInput("a message is not valid Unicode text: it holds a lone surrogate")
    for name in SENT:
        value = getattr(request, name)
        if value is not None and not math.isfinite(value):
            raise BadInput(f"{name}={value} is not a number a model takes")
    if taken := sorted(OURS.intersection(key for key, _ in request.extra)):
        raise BadInput(f"extra may not set {taken[0]!r}: it is a field of its own, or promptkit's business")


def _turn(turn: Message, request: Request) -> dict[str, Any]:
    """A turn; Ollama has its images beside the text, and names the tool where others number the call."""
    images = [b64encode(data_of(part)).decode() for part in turn.content if isinstance(part, Blob)]
    calls = [
        {"function": {"name": call.name, "arguments": _object(call.arguments, f"what {call.name} was called with")}}
        for call in turn.calls
    ]
    name = _called(turn.call_id, request) if turn.role == "tool" else None
    said = {"images": images or None, "tool_calls": calls or None, "tool_name": name}
    return {"role": turn.role, "content": "".join(p.text for p in turn.content if isinstance(p, Text)), **_said(said)}


def _called(call_id: str | None, request: Request) -> str:
    names = {call.id: call.name for turn in request.messages for call in turn.calls}
    if call_id not in names:
        raise BadInput(f"a tool's reply belongs to no call: {call_id!r}", hint="keep the turn with the calls before it")
    return names[call_id]


def _tool(name: str, description: str, schema: str) -> dict[str, Any]:
    parameters = _object(schema, f"the schema of the tool {name}")
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadInput(f"{what} is not a JSON object")
    return value


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
