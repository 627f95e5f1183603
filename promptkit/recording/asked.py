"""A request to a model as an SDK sends it: whether it is one, its name, its prompt, what it may take at most."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from promptkit.types import Message, Request, Role, Text

ENDINGS = ("/completions", "/responses", "/embeddings", "/api/chat", "/api/generate", "/api/embed")
VOLATILE = {"user", "safety_identifier", "prompt_cache_key", "metadata", "keep_alive"}  # no text depends on them
ROOM = 4096  # tokens of a reply whose length the request does not limit
MESSAGE_TOKENS = 16  # a chat template may put around a message
MEDIA_TOKENS = 2_000  # an image at the largest tile count of today's models

_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_PROMPT = ("instructions", "system", "messages", "prompt", "input")
_OLLAMA = ("/api/chat", "/api/generate", "/api/embed", "/api/embeddings")
_MEDIA = ("image_url", "images", "input_audio", "file", "file_data")
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "assistant": "assistant", "tool": "tool"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: where it goes, and its JSON body. No header, query or password is part of it."""

    address: str
    body: dict[str, Any]

    @property
    def model(self) -> str:
        """`provider:name`, as far as the address tells."""
        return f"{self._kind}:{self.body.get('model', '')}"

    @property
    def local(self) -> bool:
        """Whether Ollama answers it, which bills nobody."""
        return self._kind == "ollama" and "cloud" not in self.model

    @property
    def prompt(self) -> str:
        """What all draws of this request have in common: a sha256."""
        body = {name: value for name, value in self.body.items() if name not in VOLATILE}
        text = json.dumps(["POST", self.address, body], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def question(self) -> str:
        """Its last turn, to be shown."""
        turns = list(self._turns())
        return turns[-1].text if turns else ""

    def request(self) -> Request:
        """The same as promptkit writes requests down, to be shown and compared; what else it says is `extra`."""
        extra = sorted((name, value) for name, value in self.body.items() if name not in _PROMPT)
        return Request(messages=tuple(self._turns()), extra=tuple(extra))

    def tokens(self) -> tuple[int, int]:
        """Upper bounds of what the call takes and gives: a token is at least one byte of UTF-8."""
        messages = self.body.get("messages") or self.body.get("input")
        given = _bytes(self.body) + MESSAGE_TOKENS * (len(messages) if isinstance(messages, list) else 1)
        return given, 0 if "embed" in self.address.rpartition("/")[2] else self._room() * self._samples()

    @property
    def _kind(self) -> str:
        if self.address.endswith(_OLLAMA):
            return "ollama"
        return "groq" if (urlsplit(self.address).hostname or "").endswith("groq.com") else "openai"

    def _room(self) -> int:
        options = self.body.get("options")
        limits = [self.body.get(name) for name in _LIMITS]
        limits += [options.get("num_predict")] if isinstance(options, dict) else []
        return max((limit for limit in limits if isinstance(limit, int) and limit > 0), default=ROOM)

    def _samples(self) -> int:
        prompts = self.body.get("prompt")
        many = len(prompts) if isinstance(prompts, list) and all(isinstance(each, str) for each in prompts) else 1
        counts = [count for name in ("n", "best_of") if isinstance(count := self.body.get(name), int)]
        return max(1, many) * max(1, *counts, 1)

    def _turns(self) -> Iterator[Message]:
        for name in _PROMPT:
            told = self.body.get(name)
            role = "system" if name in ("instructions", "system") else "user"
            turns = told if isinstance(told, list) and any(map(_object, told)) else [{"content": told}] if told else []
            for turn in filter(_object, turns):
                said = turn.get("content", turn.get("output", turn.get("arguments")))
                parts = said if isinstance(said, list) and any(map(_object, said)) else [said]
                texts = tuple(Text(_text(part)) for part in parts if part is not None)
                yield Message(_ROLES.get(str(turn.get("role", role)), "user"), texts)


def read(request: Any) -> Asked | None:
    """The call that an httpx request is; None when it is anything else."""
    url = request.url
    if request.method != "POST" or not url.path.rstrip("/").endswith(ENDINGS):
        return None
    try:
        body = json.loads(request.content)
    except (RuntimeError, ValueError, RecursionError):  # a body that is sent in pieces, or no JSON: no SDK's call
        return None
    return Asked(f"{url.scheme}://{url.netloc.decode()}{url.path.rstrip('/')}", body) if _object(body) else None


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _text(part: Any) -> str:
    """A part of a turn in words; of an image or a sound only that it was there."""
    if isinstance(part, dict):
        return str(part["text"]) if "text" in part else f"[{part.get('type', 'part')}]"
    return part if isinstance(part, str) else json.dumps(part)


def _bytes(value: Any, name: str = "") -> int:
    if name in _MEDIA and value:
        return MEDIA_TOKENS * (len(value) if isinstance(value, list) else 1)
    if isinstance(value, dict):
        return sum(len(key.encode("utf-8", "replace")) + _bytes(inner, key) for key, inner in value.items())
    if isinstance(value, list):
        return sum(map(_bytes, value))
    if isinstance(value, str):
        return MEDIA_TOKENS if value.startswith("data:") else len(value.encode("utf-8", "replace"))
    return len(str(value))
