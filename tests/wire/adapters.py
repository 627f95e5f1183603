"""Every adapter with a real server behind it, opened alike: what the cases of the contract are run over."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from llama_http import relay
from local_model import BUILTIN, PROMPT
from ollama_stub import StubModel, ollama
from wire_server import Answer, chunk, ndjson, sse, stub

from promptkit import Scripted
from promptkit.providers.builtin import open_builtin
from promptkit.providers.groq import open_groq
from promptkit.providers.langchain import from_langchain
from promptkit.providers.llamacpp import open_llamacpp
from promptkit.providers.ollama import open_ollama
from promptkit.providers.openai import open_openai
from promptkit.providers.openai_compatible import open_openai_compatible
from promptkit.types import Provider, Request, message

SDKS = ("openai", "groq", "openai-compatible")
WIRE = (*SDKS, "langchain", "ollama")
HERE = ("llamacpp", "builtin")
ALL = (*WIRE, *HERE, "scripted")
KEYS = {"openai": "OPENAI_API_KEY", "groq": "GROQ_API_KEY", "openai-compatible": "OPENAI_COMPATIBLE_API_KEY"}


@dataclass
class Place:
    """An adapter and where its server is."""

    name: str
    address: str = ""
    bodies: Callable[[], Sequence[Any]] = list  # the chats its server was asked for
    given: dict[str, Any] = field(default_factory=dict)  # options of every provider opened here

    def open(self, model: str = "m", **options: Any) -> Provider:
        """A provider of this adapter."""
        wanted = {**self.given, **options}
        match self.name:
            case "openai":
                return open_openai(model, {"base_url": f"{self.address}/openai/v1", **wanted})
            case "groq":
                return open_groq(model, {"base_url": self.address, **wanted})
            case "openai-compatible":
                return open_openai_compatible(model, {"base_url": f"{self.address}/openai/v1", **wanted})
            case "langchain":
                from benchmarks.langchain_chat import SdkChat

                chat = SdkChat(base_url=f"{self.address}/openai/v1", model_name=model, **wanted)
                return from_langchain(chat, name=f"langchain:test:{model}", identity=f"{self.address} {model}")
            case "ollama":
                return open_ollama(model, {"host": self.address, **wanted})
            case "llamacpp":
                return open_llamacpp(str(BUILTIN), wanted)
            case "builtin":
                return open_builtin("", wanted)
        return Scripted(_reply, name="wire")

    @asynccontextmanager
    async def opened(self, model: str = "m", **options: Any) -> AsyncIterator[Provider]:
        """A provider that is closed at the end."""
        provider = self.open(model, **options)
        try:
            yield provider
        finally:
            await provider.aclose()


@contextmanager
def standing(name: str, llama: Callable[[], str]) -> Iterator[Place]:
    """An adapter with the built-in model behind it; `llama` says where llama.cpp's server is, if it is asked for."""
    if name == "ollama":
        with ollama() as server:
            yield Place(name, server.address, server.bodies)
    elif name in WIRE:
        with relay(llama()) as between:
            yield Place(name, between.address, lambda: between.bodies)
    else:
        yield Place(name)


def _reply(request: Request) -> str:
    words = f"draw {request.index if request.temperature else 0} of a reply that is written down"
    return f"{words} {' and on' * 400}" if dict(request.extra).get("ignore_eos") else words


def asking(text: str = PROMPT, **fields: Any) -> Request:
    """A short request."""
    return Request(messages=(message("user", text),), **{"temperature": 0.8, "max_tokens": 24, **fields})


@contextmanager
def answering(name: str, text: str, reasoning: str = "", **ollama_model: Any) -> Iterator[Place]:
    """An adapter whose server says this text in two pieces, whatever it is asked."""
    half = len(text) // 2
    if name == "ollama":
        with ollama(models={"m:latest": StubModel(**ollama_model)}, answers=[_in_ollamas_form(text, reasoning)]) as it:
            yield Place(name, it.address, it.bodies)
        return
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    thought = [chunk(reasoning_content=reasoning)] if reasoning else []
    pieces = [chunk(content=text[:half]), chunk(content=text[half:]), chunk(finish="stop", usage=usage)]
    with stub(sse(*thought, *pieces)) as server:
        yield Place(name, server.address, lambda: server.bodies)


def _in_ollamas_form(text: str, reasoning: str) -> Answer:
    def line(content: str = "", **more: Any) -> dict[str, Any]:
        thought = {"thinking": more.pop("thinking")} if "thinking" in more else {}
        said = {"role": "assistant", "content": content, **thought}
        return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": said, "done": False, **more}

    end = line(done=True, done_reason="stop", prompt_eval_count=7, eval_count=3)
    thoughts = [line(thinking=reasoning)] if reasoning else []
    return ndjson(*thoughts, line(text[: len(text) // 2]), line(text[len(text) // 2 :]), end)


def turns(body: Any) -> list[tuple[str, str]]:
    """Role and text of every turn that was sent."""
    return [(turn["role"], turn["content"]) for turn in body["messages"]]


def images(body: Any) -> list[bytes]:
    """The bytes of every image that was sent, in any adapter's form."""
    found: list[bytes] = []
    for turn in body["messages"]:
        found += [base64.b64decode(each, validate=True) for each in turn.get("images") or ()]
        for part in turn["content"] if isinstance(turn["content"], list) else ():
            if part["type"] == "image_url":
                found.append(base64.b64decode(part["image_url"]["url"].partition(",")[2], validate=True))
    return found


def fault(name: str, status: int, said: str, **error: Any) -> Answer:
    """An error in the adapter's own form."""
    body = {"error": said} if name == "ollama" else {"error": {"message": said, **error}}
    return Answer(status, json.dumps(body).encode(), {"content-type": "application/json"})
