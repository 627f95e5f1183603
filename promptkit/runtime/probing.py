"""What a model can do, found out by a handful of tiny requests: each asks for one thing and looks whether it came."""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from promptkit.errors import CapabilityMissing, ModelMissing, NoCredit, ProviderError, Transient, Unreachable
from promptkit.journal import Journal, Spent
from promptkit.runtime import probes
from promptkit.runtime.budgeted import Budget, Budgeted, Limits
from promptkit.runtime.limited import Limited
from promptkit.runtime.open import open_fresh, parted
from promptkit.runtime.plan import new_run_id
from promptkit.runtime.probes import Probe
from promptkit.runtime.retried import Retried
from promptkit.types import Blob, Completion, Message, Provider, Request, Text, ToolSpec, message

MOST = 4  # samples asked for in one call
SPARE = {"top_p": 0.9, "top_k": 20, "min_p": 0.05, "frequency_penalty": 0.1, "presence_penalty": 0.1, "stop": ("###",)}
SHAPE = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
TOOL = ToolSpec(
    "weather",
    "The weather in a city now.",
    json.dumps({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
)
Say = Callable[[str], None]


@runtime_checkable
class Telling(Protocol):
    """A provider whose server tells of its context without a completion."""

    async def context(self) -> int | None:
        """The context its server gives it, in tokens; None where nobody tells."""


def planned(images: bool) -> int:
    """How many requests a probe sends at most; what an adapter never sends costs none."""
    return 7 + images + len(SPARE)


async def probe(name: str, options: Mapping[str, object], *, images: bool = False, say: Say = lambda _: None) -> Probe:
    """What the model was found to do, stored. The first error that says nothing about a capability is raised."""
    from promptkit import __version__

    kind, rest = parted(name)
    wanted = {"native_n": MOST, "json_schema": True, "tools": True, "logprobs": True, "images": True}
    provider = open_fresh(kind, rest, probes.declared(kind, wanted, options))
    with Journal.open(None) as journal:
        try:
            asked = _Asked(provider, journal, say)
            await asked.everything(images)
            found = Probe(
                model=name,
                options=dict(options),
                found=asked.found,
                told=asked.told,
                refused=sorted(asked.refused),
                identity=provider.identity,
                requests=asked.requests,
                at=time.time(),
                promptkit=__version__,
            )
        finally:
            await provider.aclose()
    probes.store(kind, rest, options, found)
    return found


@dataclass(slots=True)
class _Asked:
    """The questions to one model, sent through its limits, each an attempt that is retried like any other."""

    provider: Provider
    journal: Journal
    say: Say
    found: dict[str, Any] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    requests: int = 0

    async def everything(self, images: bool) -> None:
        plain = Request(messages=(message("user", "Say hello."),), temperature=1.0, max_tokens=16)
        await self._send([plain])  # whether it answers at all: nothing of what follows would say so
        await self._look("native_n", lambda: self._several(plain))
        await self._look("seed", lambda: self._again(plain))
        shaped = replace(plain, schema=json.dumps(SHAPE), max_tokens=256, temperature=0.0)
        await self._look("json_schema", lambda: self._is(shaped, _in_shape))
        spoken = replace(plain, grammar='root ::= "yes" | "no"', max_tokens=8)
        await self._look("grammar", lambda: self._is(spoken, lambda got: got.text.strip() in ("yes", "no")))
        await self._look("logprobs", lambda: self._is(replace(plain, logprobs=2), lambda got: bool(got.logprobs)))
        about = (message("user", "What is the weather in Oslo? Use the tool."),)
        calling = replace(plain, messages=about, tools=(TOOL,), temperature=0.0, max_tokens=256)
        await self._look("tools", lambda: self._is(calling, lambda got: bool(got.calls)))
        if images:
            seen = (Message("user", (Text("Which colour is this?"), _red())),)
            await self._look("images", lambda: self._is(replace(plain, messages=seen), lambda got: True))
        await self._parameters(plain)
        told = await self.provider.context() if isinstance(self.provider, Telling) else None
        self.found["context"] = told or self.provider.capabilities.context

    async def _look(self, name: str, question: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.found[name] = await question()
        except (CapabilityMissing, ProviderError) as error:
            if isinstance(error, Transient | Unreachable | ModelMissing | NoCredit):
                raise
            self.found[name] = 1 if name == "native_n" else False
            self.told[name] = error.message

    async def _several(self, plain: Request) -> int:
        most = min(MOST, self.provider.capabilities.native_n)
        if most > 1:
            self.say(f"{most} samples in one call")
            await self._send([plain.at(index) for index in range(most)])
        return self.provider.capabilities.native_n if most > 1 else 1  # it may have learned better

    async def _again(self, plain: Request) -> bool:
        asked = replace(plain, messages=(message("user", "Write a random word of eight letters."),))
        first, second = (await self._send([asked]))[0], (await self._send([asked]))[0]
        if not first.text.strip():
            self.told["seed"] = "it said nothing, twice"
        return bool(first.text.strip()) and first.text == second.text

    async def _is(self, request: Request, holds: Callable[[Completion], bool]) -> bool:
        return holds((await self._send([request]))[0])

    async def _parameters(self, plain: Request) -> None:
        """Which of the decoding parameters it refuses: all in one request, and one by one where that is refused."""
        try:
            await self._send([replace(plain, **SPARE)])  # type: ignore[arg-type]
        except (CapabilityMissing, ProviderError) as error:
            if isinstance(error, Transient | Unreachable | ModelMissing | NoCredit):
                raise
            for name, value in SPARE.items():
                try:
                    await self._send([replace(plain, **{name: value})])  # type: ignore[arg-type]
                except (CapabilityMissing, ProviderError) as refusal:
                    if isinstance(refusal, Transient | Unreachable):
                        raise
                    self.refused.add(name)
        self.refused |= getattr(self.provider, "left_out", frozenset()) - {"stream", "stream_options"}

    async def _send(self, requests: Sequence[Request]) -> Sequence[Completion]:
        run = new_run_id()
        paid = Budgeted(self.provider, Budget(Limits(), Spent()), self.journal, run)
        try:
            return await Retried(Limited(paid, 1, self.provider)).complete_many(requests)
        finally:
            self.requests += self.journal.spent(run).calls


def _in_shape(got: Completion) -> bool:
    try:
        value = json.loads(got.text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and list(value) == ["colour"] and value["colour"] in ("red", "blue")


def _red() -> Blob:
    """A red picture of 8 by 8 points, as PNG."""
    import hashlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * 8 for _ in range(8)))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return Blob("image", hashlib.sha256(data).hexdigest(), "image/png", "red.png", data)
