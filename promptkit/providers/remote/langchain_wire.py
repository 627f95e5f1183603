"""Conversations and replies as LangChain's messages, in both directions a provider needs."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.attachments import data_of
from promptkit.errors import CapabilityMissing
from promptkit.providers.remote.chat_reply import FINISH
from promptkit.types import Blob, Finish, Message, Text, ToolCall, ToolSpec, Usage

REASONS = ("finish_reason", "stop_reason", "done_reason")  # where the vendors' partner packages write how it ended
ENDS: dict[str, Finish] = {
    **FINISH,
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "tool_use": "tool_calls",
    "refusal": "filtered",
    "SAFETY": "filtered",
}


def messages(turns: Sequence[Message]) -> list[Any]:
    """The turns as LangChain messages; images become content blocks."""
    return [_message(turn) for turn in turns]


def _message(turn: Message) -> Any:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    match turn.role:
        case "system":
            return SystemMessage(content=turn.text)
        case "assistant":
            return AIMessage(content=turn.text, **calls(turn.calls))
        case "tool":
            return ToolMessage(content=turn.text, tool_call_id=turn.call_id or "")
    return HumanMessage(content=_content(turn))


def _content(turn: Message) -> Any:
    if all(isinstance(part, Text) for part in turn.content):
        return turn.text
    return [_block(part) for part in turn.content]


def _block(part: Text | Blob) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if part.kind != "image":
        raise CapabilityMissing("LangChain models take no files", hint="texts are put into the prompt: attach them")
    return {"type": "image", "base64": b64encode(data_of(part)).decode(), "mime_type": part.media_type}


def calls(wished: Sequence[ToolCall]) -> dict[str, list[dict[str, Any]]]:
    """Tool calls as an AIMessage has them: those whose arguments are an object, and those whose are not."""
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for call in wished:
        try:
            args = json.loads(call.arguments or "{}")
        except ValueError:
            args = None
        if isinstance(args, dict):
            good.append({"name": call.name, "args": args, "id": call.id, "type": "tool_call"})
        else:
            about = {"name": call.name, "args": call.arguments, "id": call.id, "error": "not a JSON object"}
            bad.append({**about, "type": "invalid_tool_call"})
    return {"tool_calls": good, "invalid_tool_calls": bad}


def wished(message: Any) -> tuple[ToolCall, ...]:
    """The tool calls of an AIMessage, those LangChain could not read among them, as they were written."""
    good = [(c.get("id"), c["name"], json.dumps(c["args"])) for c in message.tool_calls]
    bad = [(c.get("id"), c["name"] or "", c["args"] or "") for c in message.invalid_tool_calls]
    wished = enumerate((*good, *bad))  # one without an id is named by its place: its result must find it
    return tuple(ToolCall(str(id or f"call_{place}"), name, args) for place, (id, name, args) in wished)


def tool(spec: ToolSpec) -> dict[str, Any]:
    """A tool as every chat model's bind_tools() takes it."""
    about = {"name": spec.name, "description": spec.description, "parameters": json.loads(spec.schema)}
    return {"type": "function", "function": about}


def text_of(message: Any) -> tuple[str, str]:
    """What a message or a chunk says, and what the model thought, kept apart."""
    content = message.content
    blocks = [content] if isinstance(content, str) else content
    said = "".join(b if isinstance(b, str) else str(b.get("text") or "") for b in blocks if _says(b))
    thought = "".join(map(_thought, blocks)) or str(message.additional_kwargs.get("reasoning_content") or "")
    return said, thought


def _says(block: Any) -> bool:
    return isinstance(block, str) or (isinstance(block, Mapping) and block.get("type") in ("text", "output_text"))


def _thought(block: Any) -> str:
    if not isinstance(block, Mapping) or block.get("type") not in ("thinking", "reasoning"):
        return ""
    if written := block.get("thinking") or block.get("reasoning"):
        return str(written)
    return "".join(str(piece.get("text") or "") for piece in block.get("summary") or ())


def finish_of(message: Any) -> Finish:
    """How the reply ended, as whichever vendor wrote it."""
    told = message.response_metadata
    reason = next((str(told[name]) for name in REASONS if told.get(name)), "")
    return ENDS.get(reason, "tool_calls" if message.tool_calls and not reason else "stop")


def usage_of(message: Any) -> Usage:
    """The tokens of a reply; none where the vendor told none."""
    told = message.usage_metadata or {}
    details = told.get("output_token_details") or {}
    return Usage(
        input_tokens=int(told.get("input_tokens") or 0),
        output_tokens=int(told.get("output_tokens") or 0),
        reasoning_tokens=int(details.get("reasoning") or 0),
    )
