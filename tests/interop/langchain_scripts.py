"""LangChain's own fake chat models, and a handler that writes down every run it hears of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from pydantic import Field

P = ParamSpec("P")


def awaited(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The test in an event loop of its own."""

    @wraps(test)
    def in_a_loop(*given: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*given, **named))

    return in_a_loop


class Fake(GenericFakeChatModel):
    """LangChain's scripted model, with tools: it counts how often it was asked."""

    asked: list[list[BaseMessage]] = Field(default_factory=list)

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        self.asked.append(messages)
        return super()._generate(messages, *args, **kwargs)


def fake(*replies: str | AIMessage) -> Fake:
    return Fake(messages=iter(replies))


@dataclass
class Run:
    """One run as callbacks tell of it."""

    kind: str
    name: str
    parent: UUID | None
    tokens: int = 0
    ended: bool = False
    error: str = ""
    reply: AIMessage | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)


class Trace:
    """The runs of a trace by id."""

    def __init__(self) -> None:
        self.runs: dict[UUID, Run] = {}

    def of(self, kind: str) -> list[Run]:
        return [run for run in self.runs.values() if run.kind == kind]

    def named(self, name: str) -> UUID:
        (found,) = [id for id, run in self.runs.items() if run.name == name]
        return found

    def began(self, kind: str, name: str, run_id: UUID, parent: UUID | None, metadata: Any) -> None:
        self.runs[run_id] = Run(kind, name, parent, metadata=metadata or {})

    def replied(self, response: LLMResult, run_id: UUID) -> None:
        generation = response.generations[0][0]
        assert isinstance(generation, ChatGeneration)
        message = generation.message
        assert isinstance(message, AIMessage)
        run = self.runs[run_id]
        run.ended, run.reply = True, message
        run.tokens = message.usage_metadata["total_tokens"] if message.usage_metadata else 0


class Awaited(AsyncCallbackHandler, Trace):
    """The trace of a chain that is awaited."""

    async def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **told: Any) -> None:
        self.began("chain", told["name"], run_id, told.get("parent_run_id"), told.get("metadata"))

    async def on_chain_end(self, outputs: Any, *, run_id: UUID, **told: Any) -> None:
        self.runs[run_id].ended = True

    async def on_chain_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        self.runs[run_id].error = type(error).__name__

    async def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **told: Any) -> None:
        self.began("model", told["name"], run_id, told.get("parent_run_id"), told.get("metadata"))

    async def on_llm_new_token(self, token: Any, *, run_id: UUID, **told: Any) -> None:
        self.runs[run_id].pieces.append(token)

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **told: Any) -> None:
        self.replied(response, run_id)

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        self.runs[run_id].error = type(error).__name__


class Called(BaseCallbackHandler, Trace):
    """The trace of a chain that is called."""

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **told: Any) -> None:
        self.began("chain", told["name"], run_id, told.get("parent_run_id"), told.get("metadata"))

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **told: Any) -> None:
        self.began("model", told["name"], run_id, told.get("parent_run_id"), told.get("metadata"))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **told: Any) -> None:
        self.replied(response, run_id)
