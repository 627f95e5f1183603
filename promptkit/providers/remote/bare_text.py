"""`/completions`: a text gone on with as it stands, where a server of OpenAI's make has that, too.

Its log-probabilities come in two forms: OpenAI's own, lists side by side, and that of chats, which llama.cpp uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.errors import BadInput
from promptkit.types import Request

PATH = "/completions"


def prompt(request: Request) -> dict[str, Any]:
    """The fields that say what is gone on with; BadInput where tokens are named by numbers, which servers differ in."""
    if request.raw:
        raise BadInput("a bare text is sent as text, not as the numbers of tokens")
    if len(request.messages) != 1:
        raise BadInput("a bare text is one message")
    wanted = {"logprobs": request.logprobs} if request.logprobs else {}
    return {"prompt": request.messages[0].text, **wanted}


def as_chat(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """A piece of such a text in the form of a chat's; a chat's as it is."""
    if "text" not in choice:
        return choice
    told = choice.get("logprobs") or {}
    content = told.get("content") or _side_by_side(told)
    return {**choice, "delta": {"content": choice["text"]}, "logprobs": {"content": content} if content else None}


def _side_by_side(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    tokens, logprobs = told.get("tokens") or (), told.get("token_logprobs") or ()
    top = told.get("top_logprobs") or [None] * len(tokens)
    return [
        {
            "token": token,
            "logprob": logprob,
            "top_logprobs": [{"token": other, "logprob": p} for other, p in (others or {}).items()],
        }
        for token, logprob, others in zip(tokens, logprobs, top, strict=True)
    ]
