"""Saying no to an SDK so that its caller hears it, once.

The openai SDK and ollama's let an error that is not httpx's pass. Other generated clients, groq's among them, take any
exception for a lost connection and try again; what they believe is a reply that says it is no use. Such a no looks to
the caller like the vendor's own error, and becomes promptkit's where it leaves the block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from promptkit.errors import PromptkitError
from promptkit.recording.reply import Reply

STATUS = 402  # payment required: what no client and no wrapper around one tries again
MARK = "x-promptkit-refused"


def retries(request: Any) -> bool:
    """Whether the client that sent it would take an exception for a lost connection."""
    return "x-stainless-lang" in request.headers and not type(request).__module__.startswith("httpx2")


def disguised(error: PromptkitError) -> Reply:
    """The error as a server would word it."""
    said = {"message": error.message, "type": type(error).__name__, "code": "promptkit", "hint": error.hint}
    headers = {"content-type": "application/json", "x-should-retry": "false", MARK: type(error).__name__}
    return Reply(STATUS, headers, json.dumps({"error": said}).encode())


def is_ours(error: BaseException) -> bool:
    """Whether an SDK's error, or one that it led to, is such a reply."""
    return any(MARK in getattr(getattr(each, "response", None), "headers", ()) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
