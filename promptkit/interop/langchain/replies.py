"""LangChain's messages as promptkit's turns, and completions as LangChain's messages."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from promptkit.attachments import attach
from promptkit.errors import BadInput
from promptkit.providers.remote.langchain_wire import calls, text_of, wished
from promptkit.types import Completion, Message, Part, Text, Usage

_DATA = re.compile(r"data:[\w/.+-]+;base64,(.*)", re.DOTALL)


def turns(messages: Sequence[BaseMessage]) -> tuple[Message, ...]:
    """The messages as turns of a conversation; BadInput where one holds what promptkit has no part for."""
    return tuple(_turn(message) for message in messages)


def _turn(message: BaseMessage) -> Message:
    match message:
        case SystemMessage():
            return Message("system", _parts(message))
        case AIMessage():
            return Message("assistant", (Text(text_of(message)[0]),), calls=wished(message))
        case ToolMessage():
            return Message("tool", _parts(message), call_id=message.tool_call_id)
        case HumanMessage():
            return Message("user", _parts(message))
    known = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
    role: Any = known.get(getattr(message, "role", ""))  # a ChatMessage says its own
    if role is None:
        raise BadInput(f"a {type(message).__name__} has no place in a conversation with a model")
    return Message(role, _parts(message))


def _parts(message: BaseMessage) -> tuple[Part, ...]:
    if isinstance(message.content, str):
        return (Text(message.content),)
    return tuple(_part(block) for block in message.content)


def _part(block: str | Mapping[str, Any]) -> Part:
    """A content block: text, or an image in any of the forms LangChain knows."""
    if isinstance(block, str):
        return Text(block)
    kind = block.get("type")
    if kind == "text":
        return Text(str(block["text"]))
    if kind == "image_url":
        address = block["image_url"]
        found = _DATA.fullmatch(str(address["url"] if isinstance(address, Mapping) else address))
        written = found[1] if found else None
    elif kind == "image":
        written = block.get("base64") or (block.get("data") if block.get("source_type") == "base64" else None)
    else:
        raise BadInput(f"a content block of type {kind!r} is not text and not an image", hint="leave it out")
    if not written:
        raise BadInput("an image is only an address, and nothing is fetched", hint="give its bytes: base64=…")
    return attach(b64decode(written))


def spent(usage: Usage) -> UsageMetadata:
    """Usage as LangChain's callbacks sum it."""
    told = UsageMetadata(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, total_tokens=usage.tokens)
    if usage.reasoning_tokens:
        told["output_token_details"] = {"reasoning": usage.reasoning_tokens}
    return told


def about(completion: Completion) -> dict[str, Any]:
    """What stands beside a reply: who gave it, how it ended, and whether the journal had it (`cached`)."""
    return {"model_name": completion.model, "finish_reason": completion.finish, "cached": completion.cached}


def reply(completion: Completion) -> AIMessage:
    """The completion as an AIMessage; its reasoning is kept apart, as `reasoning_content`."""
    return AIMessage(
        content=completion.text,
        additional_kwargs=thought(completion.reasoning),
        response_metadata=about(completion),
        usage_metadata=spent(completion.usage),
        **calls(completion.calls),
    )


def thought(reasoning: str | None) -> dict[str, Any]:
    """Reasoning where LangChain's partner packages put it."""
    return {"reasoning_content": reasoning} if reasoning else {}
