"""What a reply says, whichever of the formats it is in: its text, what it took, and whether it is all there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from promptkit.recording.reply import Reply
from promptkit.types import Finish, Usage

_FINISHES: dict[Any, Finish] = {
    "length": "length",
    "incomplete": "length",
    "tool_calls": "tool_calls",
    "content_filter": "filtered",
}
_ENDED = ("response.completed", "response.incomplete")


@dataclass(frozen=True, slots=True)
class Told:
    """A reply, read. `usage` is None where it does not say."""

    text: str
    reasoning: str
    usage: Usage | None
    finish: Finish
    whole: bool  # it came to its end, and is no error in disguise


def tell(reply: Reply) -> Told:
    """What the reply says; of something that cannot be read, that it is not whole."""
    try:
        said = list(_objects(reply))
    except (ValueError, RecursionError):
        return Told("", "", None, "stop", whole=False)
    pieces: dict[Any, str] = {}
    thoughts, finish, ended, broken, usage = "", None, not reply.streamed, not said, None
    for each in said:
        broken |= bool(each.get("error")) or each.get("type") == "error"
        usage = _usage(each) or usage
        ended |= bool(each.get("done")) or each.get("type") in _ENDED
        finish = each.get("done_reason") or each.get("status") or finish
        for index, text in _texts(each):
            pieces[index] = pieces.get(index, "") + text
        for choice in _listed(each, "choices"):
            if choice.get("finish_reason"):
                finish, ended = choice["finish_reason"], True
            turn = choice.get("delta") or choice.get("message") or {}
            thoughts += str(turn.get("reasoning_content") or turn.get("reasoning") or "")
        thoughts += str(_inner(each, "message").get("thinking") or "")
    ended |= reply.streamed and b"data: [DONE]" in reply.body[-200:]
    samples = max(1, len(pieces))
    counted = Usage(calls=1, samples=samples, **usage) if usage else None
    text = "\n".join(text for _, text in sorted(pieces.items(), key=lambda pair: str(pair[0])))
    return Told(text, thoughts, counted, _FINISHES.get(finish, "stop"), whole=ended and not broken)


def _objects(reply: Reply) -> Iterator[dict[str, Any]]:
    """The JSON objects it is made of."""
    text = reply.body.decode("utf-8", "replace")
    if not reply.streamed:
        texts = [text]
    elif "ndjson" in reply.headers.get("content-type", ""):
        texts = text.splitlines()
    else:
        texts = [line[5:] for line in text.splitlines() if line.startswith("data:")]
    for each in texts:
        if each.strip() and each.strip() != "[DONE]" and isinstance(value := json.loads(each), dict):
            yield value


def _texts(said: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Each piece of text, with the number of the sample it is a piece of."""
    for choice in _listed(said, "choices"):
        turn = choice.get("delta") or choice.get("message") or {}
        if isinstance(text := turn.get("content") or choice.get("text"), str):
            yield choice.get("index", 0), text
    if said.get("type") == "response.output_text.delta":
        yield 0, str(said.get("delta", ""))
    for item in _listed(said, "output"):
        for part in _listed(item, "content"):
            yield 0, str(part.get("text") or "")
    if isinstance(text := _inner(said, "message").get("content") or said.get("response"), str):
        yield 0, text


def _usage(said: dict[str, Any]) -> dict[str, int] | None:
    """The tokens it says it took."""
    inner = _inner(said, "response")
    told = _inner(said, "usage") or _inner(_inner(said, "x_groq"), "usage") or _inner(inner, "usage")
    if told:
        details = _inner(told, "completion_tokens_details") or _inner(told, "output_tokens_details")
        given, made = told.get("prompt_tokens", told.get("input_tokens")), told.get("completion_tokens")
        return _counts(given, told.get("output_tokens") if made is None else made, details.get("reasoning_tokens"))
    if "prompt_eval_count" in said or "eval_count" in said:  # Ollama; of a prompt it had cached it tells nothing
        return _counts(said.get("prompt_eval_count"), said.get("eval_count"), 0)
    if timings := _inner(said, "timings"):  # llama.cpp tells them also where no usage was asked for
        given = (timings.get("prompt_n") or 0) + (timings.get("cache_n") or 0)
        return _counts(given, timings.get("predicted_n"), 0)
    return None


def _counts(given: Any, made: Any, thought: Any) -> dict[str, int]:
    counts = {"input_tokens": given, "output_tokens": made, "reasoning_tokens": thought}
    return {name: count if isinstance(count, int) else 0 for name, count in counts.items()}


def _inner(said: dict[str, Any], name: str) -> dict[str, Any]:
    value = said.get(name)
    return value if isinstance(value, dict) else {}


def _listed(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = said.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
