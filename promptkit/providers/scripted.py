"""Models whose replies are written down: a YAML or JSON file, or a Python function in tests.

replies:
  - when: "Possible next steps"      # a part of the prompt; without it the rule always fits
    say: ["first draw", "second"]    # by draw, the last one for all further draws; a string is one reply
  - say: "Answer: 42"
delay: 0.05                          # seconds before each reply

`next` beside or in place of `replies` has what follows a bare text, token by token: script/next_tokens.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from promptkit.errors import BadInput, Rejected
from promptkit.events import Delta, emit
from promptkit.providers.script.next_tokens import Table, following, tables, told
from promptkit.types import Capabilities, Completion, Finish, Request, Usage

ALTERNATIVES = 1000  # most tokens of a table that are told
NEXT = "add a table without `after` to its list `next`"

Script = Callable[[Request], "str | Completion | Awaitable[str | Completion]"]


class Scripted:
    """A provider that answers with what `script(request)` returns; a token is a word."""

    def __init__(
        self,
        script: Script,
        *,
        name: str = "",
        identity: str | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        self.id = f"scripted:{name or 'python'}"
        # Nobody can tell whether two functions say the same. Objects with a name of your choice are one model and
        # share the journal; without one, an object shares nothing.
        self.identity = identity or (self.id if name else f"{self.id}:{secrets.token_hex(8)}")
        self.capabilities = capabilities or Capabilities(seed=True, local=True, price=(0.0, 0.0))
        self._script = script

    async def complete(self, request: Request, /) -> Completion:
        """The script's reply, cut at the first stop text and at max_tokens."""
        started = time.monotonic()
        said = self._script(request)
        reply = await said if isinstance(said, Awaitable) else said
        if isinstance(reply, Completion):
            emit(Delta(request.draw, reply.text))
            return reply
        if not isinstance(reply, str):  # what a function without a type checker may return
            raise BadInput(f"a scripted model answered with a {type(reply).__name__}, not text")
        text, finish = _cut(reply, request)
        emit(Delta(request.draw, text))
        usage = Usage(input_tokens=sum(_words(m.text) for m in request.messages), output_tokens=_words(text))
        return Completion(text=text, model=self.id, usage=usage, finish=finish, seconds=time.monotonic() - started)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """Nothing to free."""


def open_scripted(name: str, options: Mapping[str, object]) -> Scripted:
    """The scripted model of a YAML or JSON file; BadInput says what is wrong with it."""
    path = Path(name).expanduser()
    if options:
        raise BadInput(f"scripted models take no options, not {', '.join(options)}", hint="leave out -o")
    if not name:
        raise BadInput("scripted: needs a file", hint="-m scripted:replies.yaml")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", hint="-m scripted:replies.yaml") from error
    rules, after, delay = _parse(path, raw)

    async def script(request: Request) -> str | Completion:
        prompt = "\n".join(message.text for message in request.messages)
        await asyncio.sleep(delay)
        if request.raw is not None or (request.logprobs and after):
            if (table := following(after, prompt)) is not None:
                return told(table, request, f"scripted:{name}")
            if request.raw is not None:
                raise Rejected(f"{path} has no next token for a text that ends in {prompt[-40:]!r}", hint=NEXT)
        for when, say in rules:
            if when in prompt:
                return say[min(request.index, len(say) - 1)]
        raise Rejected(
            f"{path} has no reply for this prompt: {prompt[:60]!r}", hint="add a rule without `when` at the end"
        )

    has = Capabilities(
        seed=True, local=True, price=(0.0, 0.0), logprobs=bool(after), raw=bool(after), alternatives=ALTERNATIVES
    )
    identity = f"scripted:{hashlib.sha256(raw).hexdigest()}"
    return Scripted(script, name=name, identity=identity, capabilities=has)


def _parse(path: Path, raw: bytes) -> tuple[list[tuple[str, list[str]]], tuple[Table, ...], float]:
    import yaml

    try:
        body: Any = json.loads(raw) if path.suffix == ".json" else yaml.safe_load(raw)
    except (ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        said = getattr(error, "problem", None) or " ".join(str(error).replace('in "<byte string>", ', "at ").split())
        raise BadInput(f"{path}{place}: {said}", hint="YAML or JSON with a list `replies`") from error
    form = "replies: [{when: part of the prompt, say: a reply or a list of replies}, …]"
    known = isinstance(body, dict) and not set(body) - {"replies", "next", "delay"}
    if not known or not isinstance(body.get("replies", [] if "next" in body else None), list):
        raise BadInput(f"{path}: not a scripted model", hint=form)
    rules = []
    for number, rule in enumerate(body.get("replies", ()), start=1):
        say = rule.get("say") if isinstance(rule, dict) else None
        texts = [say] if isinstance(say, str) else say if isinstance(say, list) else []
        if not texts or not all(isinstance(text, str) for text in texts) or set(rule) - {"when", "say"}:
            raise BadInput(f"{path}: reply {number} is not of the form when/say", hint=form)
        rules.append((str(rule.get("when", "")), texts))
    delay = body.get("delay", 0)
    if not isinstance(delay, (int, float)) or not 0 <= delay < math.inf:
        raise BadInput(f"{path}: delay must be seconds, not {delay!r}", hint="delay: 0.05")
    return rules, tables(path, body["next"]) if "next" in body else (), float(delay)


def _cut(text: str, request: Request) -> tuple[str, Finish]:
    for stop in request.stop:
        text = text.split(stop, 1)[0]
    words = text.split(" ")
    if request.max_tokens is not None and len(words) > request.max_tokens:
        return " ".join(words[: request.max_tokens]), "length"
    return text, "stop"


def _words(text: str) -> int:
    return len(text.split())
