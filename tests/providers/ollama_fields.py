"""What Ollama documents of the bodies it is sent: fields, types and the words of its refusals."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

NUMBER = (int, float)
OPTIONS: dict[str, Any] = {
    **dict.fromkeys(("num_ctx", "num_predict", "num_keep", "seed", "top_k", "repeat_last_n", "num_batch"), int),
    **dict.fromkeys(("temperature", "top_p", "min_p", "repeat_penalty", "typical_p"), NUMBER),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), NUMBER),
    "stop": list,
}
EITHER: dict[str, Any] = {"model": str, "stream": bool, "options": dict, "format": (str, dict), "think": (bool, str)}
EITHER |= {"keep_alive": (str, *NUMBER), "logprobs": bool, "top_logprobs": int, "truncate": bool, "shift": bool}
BODIES: dict[str, dict[str, Any]] = {
    "/api/chat": {**EITHER, "messages": list, "tools": list},
    "/api/generate": {**EITHER, "prompt": str, "system": str, "images": list, "suffix": str, "raw": bool},
    "/api/show": {"model": str, "verbose": bool},
    "/api/pull": {"model": str, "insecure": bool, "stream": bool},
}
TURN: dict[str, Any] = {"role": str, "content": str, "images": list, "thinking": str, "tool_calls": list}
TURN |= {"tool_name": str}
THINK = ("low", "medium", "high")


class Refusal(Exception):
    """An error as Ollama sends it."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


def strict(what: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    """Refuse fields that are not documented, and types that Go would not take."""
    for name, value in what.items():
        if name not in known:
            raise Refusal(400, f'json: unknown field "{name}"')
        kinds = known[name] if isinstance(known[name], tuple) else (known[name],)
        if type(value) not in kinds:
            raise Refusal(400, f"json: cannot unmarshal {type(value).__name__} into Go struct field {where}.{name}")


def checked(path: str, body: Any) -> None:
    """Refuse what the API pages do not allow."""
    if not isinstance(body, dict):
        raise Refusal(400, "json: cannot unmarshal into Go value")
    strict(body, BODIES[path], path.rpartition("/")[2])
    if not body.get("model"):
        raise Refusal(400, "model is required")
    strict(body.get("options", {}), OPTIONS, "options")
    if not 0 <= body.get("top_logprobs", 0) <= 20:
        raise Refusal(400, "top_logprobs must be between 0 and 20")
    if isinstance(think := body.get("think"), str) and think not in THINK:
        raise Refusal(400, f'invalid think value: "{think}" (must be "high", "medium", "low", true, or false)')
    for turn in body.get("messages", ()):
        strict(turn, TURN, "messages")
        if turn.get("role") not in ("system", "user", "assistant", "tool"):
            raise Refusal(400, "invalid role")
        for call in turn.get("tool_calls", ()):
            strict(call, {"function": dict}, "tool_calls")
            strict(call["function"], {"name": str, "arguments": dict}, "function")
    for tool in body.get("tools", ()):
        strict(tool, {"type": str, "function": dict}, "tools")
        strict(tool["function"], {"name": str, "description": str, "parameters": dict}, "function")
    for image in [image for turn in (body, *body.get("messages", ())) for image in turn.get("images", ())]:
        try:
            base64.b64decode(image, validate=True)
        except (binascii.Error, TypeError):
            raise Refusal(400, "illegal base64 data at input byte 0") from None
