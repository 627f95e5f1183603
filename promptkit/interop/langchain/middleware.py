"""promptkit's budget and journal in LangChain's agents: a middleware for create_agent().

A model call goes to the journal first, under all that determines its reply; what was asked before, in this run of the
agent or an earlier one, is answered from there and played back through the agent as if the model had said it again.
Tools are called again, except those whose calls are said to be idempotent.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.types import Command

from promptkit import checked, sync
from promptkit.errors import Cut
from promptkit.interop.langchain.kept import Playback, asked, kept, played, tool_asked
from promptkit.interop.langchain.session import Session
from promptkit.journal import Journal
from promptkit.providers.remote.langchain_object import identity_of
from promptkit.runtime.budgeted import Budgeted, Limits
from promptkit.runtime.journaled import Journaled
from promptkit.runtime.observed import Observed
from promptkit.types import Capabilities, Completion, Request

Send = Callable[[], Awaitable[BaseMessage]]
IDEMPOTENT = "idempotent"  # the tag, or the key in a tool's metadata, that marks one


class PromptkitMiddleware(AgentMiddleware[Any, Any, Any]):
    """Hard caps over all agents it is given to, and a journal that makes a call free the second time."""

    @checked.arguments
    def __init__(
        self,
        *,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        price: tuple[float, float] | None = None,  # USD per million input and output tokens
        journal: str | Path | Journal | None = None,
        at_cap: Literal["end", "error"] = "end",  # what a cap does: the agent's last message says so, or Cut is raised
        idempotent: tuple[str, ...] = (),  # names of tools whose calls need not be made twice
        identity: str = "",  # what tells models apart that tell nothing of themselves, such as fakes in tests
    ) -> None:
        super().__init__()
        limits = Limits(max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost)
        self.session = Session("langchain-agent", limits, journal)
        self._price, self._at_cap, self._idempotent, self._identity = price, at_cap, set(idempotent), identity
        self._identities: dict[int, tuple[Any, str]] = {}  # the model beside its own, so that no other takes its number

    @property
    def run(self) -> str:
        """The id of its run: `promptkit runs show RUN` lists the calls."""
        return self.session.run

    def wrap_model_call(self, request: ModelRequest[Any], handler: Callable[..., ModelResponse[Any]]) -> Any:
        """The model's reply, from the journal where it is there; at a cap, a message that says so."""
        got: list[ModelResponse[Any]] = []
        here = contextvars.copy_context()  # LangGraph finds its run in it

        async def send() -> BaseMessage:
            got.append(await asyncio.to_thread(here.run, handler, request))
            return _said(got[0])

        try:
            completion = sync.run(self._model_call(request, send))
        except Cut as cut:
            return self._cut(cut)
        return got[0] if got else handler(request.override(model=self._played(completion, request)))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[..., Awaitable[ModelResponse[Any]]]
    ) -> Any:
        """The model's reply, from the journal where it is there; at a cap, a message that says so."""
        got: list[ModelResponse[Any]] = []
        here = asyncio.get_running_loop()
        context = contextvars.copy_context()

        async def send() -> BaseMessage:
            got.append(await _back(here, context, handler(request)))
            return _said(got[0])

        try:
            completion = await asyncio.wrap_future(sync.begin(self._model_call(request, send)))
        except Cut as cut:
            return self._cut(cut)
        return got[0] if got else await handler(request.override(model=self._played(completion, request)))

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[..., ToolMessage | Command[Any]]) -> Any:
        """What the tool gave; from the journal where its calls are idempotent and it was called so before."""
        if not self._repeats(request.tool):
            return handler(request)
        here, got = contextvars.copy_context(), []

        async def send() -> BaseMessage:
            got.append(await asyncio.to_thread(here.run, handler, request))
            return _told(got[0])

        try:
            completion = sync.run(self._tool_call(request, send))
        except _NotKept:
            return got[0]
        return got[0] if got else _again(completion, request)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[..., Awaitable[ToolMessage | Command[Any]]]
    ) -> Any:
        """What the tool gave; from the journal where its calls are idempotent and it was called so before."""
        if not self._repeats(request.tool):
            return await handler(request)
        here, context, got = asyncio.get_running_loop(), contextvars.copy_context(), []

        async def send() -> BaseMessage:
            got.append(await _back(here, context, handler(request)))
            return _told(got[0])

        try:
            completion = await asyncio.wrap_future(sync.begin(self._tool_call(request, send)))
        except _NotKept:
            return got[0]
        return got[0] if got else _again(completion, request)

    async def _model_call(self, request: ModelRequest[Any], send: Send) -> Completion:
        model = _Sent(_name(request.model), self._identity_of(request.model), send, self._price)
        session = self.session
        await session.begin(model)
        paid = Budgeted(model, session.budget, session.journal, session.run)
        return await self._journaled(paid, asked(request))

    async def _tool_call(self, request: ToolCallRequest, send: Send) -> Completion:
        tool = _Sent(f"tool:{request.tool_call['name']}", "langchain-tool", send, (0.0, 0.0))
        await self.session.begin(tool)
        return await self._journaled(tool, tool_asked(request.tool_call))

    async def _journaled(self, provider: Any, request: Request) -> Completion:
        session = self.session
        with session.watched():
            stack = Journaled(provider, session.journal, session.run, session.nominal)
            return await Observed(stack, 0).complete(request)

    def _identity_of(self, model: Any) -> str:
        if self._identity:
            return self._identity
        if id(model) not in self._identities:
            self._identities[id(model)] = (model, identity_of(model))
        return self._identities[id(model)][1]

    def _played(self, completion: Completion, request: ModelRequest[Any]) -> Playback:
        return Playback.of(played(completion), request.model)

    def _repeats(self, tool: BaseTool | None) -> bool:
        if tool is None:
            return False
        marked = IDEMPOTENT in (tool.tags or ()) or bool((tool.metadata or {}).get(IDEMPOTENT))
        return marked or tool.name in self._idempotent

    def _cut(self, cut: Cut) -> AIMessage:
        """The agent's last message: it asks for no tool, so the agent ends with it."""
        if self._at_cap == "error":
            raise cut
        return AIMessage(content=f"Stopped: {cut.message}.", response_metadata={"finish_reason": "budget"})


class _Sent:
    """What the agent would send, as a provider for a single call."""

    def __init__(self, id: str, identity: str, send: Send, price: tuple[float, float] | None) -> None:
        self.id, self.identity, self._send = id, identity, send
        self.capabilities = Capabilities(tools=True, images=True, json_schema=True, reasoning=True, price=price)

    async def complete(self, request: Request, /) -> Completion:
        """The reply, whole."""
        return kept(await self._send(), self.id)

    async def complete_many(self, requests: Any, /) -> list[Completion]:
        """The reply: an agent asks for one at a time."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """The agent's own."""


class _NotKept(Exception):
    """What a tool gave is not for the journal: an error, a command to the graph, or an object of its own."""


def _said(response: ModelResponse[Any]) -> BaseMessage:
    """What the model said; what the agent made of it is made again when it is played back."""
    return next(message for message in response.result if isinstance(message, AIMessage))


def _told(got: Any) -> BaseMessage:
    if not isinstance(got, ToolMessage) or got.status == "error" or got.artifact is not None:
        raise _NotKept
    return got


def _again(completion: Completion, request: ToolCallRequest) -> BaseMessage:
    return played(completion).model_copy(update={"tool_call_id": request.tool_call["id"], "id": None})


async def _back(loop: asyncio.AbstractEventLoop, context: contextvars.Context, work: Awaitable[Any]) -> Any:
    """The result of work on the caller's loop and in its context; to cancel this is to cancel it."""

    async def waited() -> Any:
        return await work

    return await asyncio.wrap_future(context.copy().run(asyncio.run_coroutine_threadsafe, waited(), loop))


def _name(model: Any) -> str:
    """`provider:name`, as promptkit has it: a price is looked up by it."""
    told = model._get_ls_params()
    return f"{told['ls_provider']}:{told.get('ls_model_name') or model._llm_type}"
