"""Any promptkit model as a LangChain chat model, with promptkit's journal, retries, limits and budget behind it."""

from __future__ import annotations

import asyncio
import json
import queue
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel, PrivateAttr

from promptkit import checked, sync
from promptkit.errors import BadInput
from promptkit.events import Delta, Record
from promptkit.interop.langchain.replies import about, reply, thought, turns
from promptkit.interop.langchain.session import Session
from promptkit.journal import Journal
from promptkit.runtime.budgeted import Limits
from promptkit.runtime.observed import Observed
from promptkit.runtime.open import as_provider, open_provider, stacks
from promptkit.runtime.plan import fresh_branch
from promptkit.settings import default_model, setting
from promptkit.types import Completion, Model, Provider, Request, ToolSpec, Usage

T = TypeVar("T")
DECODING = ("temperature", "max_tokens", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty", "effort")


class PromptkitChatModel(BaseChatModel):
    """A promptkit model as a BaseChatModel; its calls are one run of the journal, under one budget."""

    model_name: str
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int = 0

    _provider: Provider = PrivateAttr()
    _session: Session = PrivateAttr()
    _stack: Any = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "promptkit"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model": self.model_name, "identity": self._provider.identity, "seed": self.seed}

    @property
    def run(self) -> str:
        """The id of its run: `promptkit runs show RUN` lists its calls."""
        return self._session.run

    @property
    def spent(self) -> Usage:
        """What it has really sent; replies from the journal are not in it."""
        return self._session.usage

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools it may call; CapabilityMissing at the call when it cannot."""
        specs = [convert_to_openai_tool(tool) for tool in tools]
        chosen = {"tool_choice": tool_choice} if tool_choice else {}
        return self.bind(tools=specs, **chosen, **kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """The model held to a JSON Schema while it writes, where it can be; else by a tool that it must call."""
        if not self._provider.capabilities.json_schema:
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        shape = {"type": "json_schema", "json_schema": {"schema": convert_to_json_schema(schema)}}
        held = self.bind(response_format=shape)
        parse: Runnable[Any, Any] = JsonOutputParser()
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            parse = PydanticOutputParser(pydantic_object=schema)
        if not include_raw:
            return held | parse
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parse, parsing_error=lambda _: None)
        return RunnableMap(raw=held) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(sync.run(self._complete(self._request(messages, stop, kwargs))))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(await _over_there(self._complete(self._request(messages, stop, kwargs))))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        heard: queue.SimpleQueue[Delta | None] = queue.SimpleQueue()
        ending = sync.begin(self._complete(self._request(messages, stop, kwargs), heard.put))
        ending.add_done_callback(lambda _: heard.put(None))
        written: set[bool] = set()
        try:
            while delta := heard.get():
                chunk = _piece(delta)
                written.add(delta.reasoning)
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
            last = _last(ending.result(), written)
            if run_manager:
                run_manager.on_llm_new_token(last.text, chunk=last)
            yield last
        finally:
            ending.cancel()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        heard: asyncio.Queue[Delta | None] = asyncio.Queue()
        here = asyncio.get_running_loop()

        def hear(delta: Delta | None) -> None:
            here.call_soon_threadsafe(heard.put_nowait, delta)

        ending = asyncio.ensure_future(_over_there(self._complete(self._request(messages, stop, kwargs), hear, hear)))
        written: set[bool] = set()
        try:
            while delta := await heard.get():
                chunk = _piece(delta)
                written.add(delta.reasoning)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
            last = _last(await ending, written)
            if run_manager:
                await run_manager.on_llm_new_token(last.text, chunk=last)
            yield last
        finally:
            ending.cancel()

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any]) -> Request:
        """What is asked; `draw=1`, `draw=2` … bound or given to a call are further samples of the same prompt."""
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens, **given}
        tools = tuple(_spec(tool["function"]) for tool in given.get("tools") or ())
        choice = given.get("tool_choice")
        return Request(
            messages=turns(messages),
            stop=tuple(stop or ()),
            tools=tools,
            schema=_schema(given.get("response_format")),
            extra=(("tool_choice", choice),) if choice and choice != "auto" else (),
            draw=(int(given.get("draw", 0)),),
            **{name: given[name] for name in DECODING if given.get(name) is not None},
        )

    async def _complete(
        self,
        request: Request,
        hear: Callable[[Delta], None] | None = None,
        done: Callable[[None], None] | None = None,
    ) -> Completion:
        """The completion, on promptkit's own loop: the budget and the journal's claims belong to one."""

        def listen(record: Record) -> None:
            if hear and isinstance(record.event, Delta):
                hear(record.event)

        session = self._session
        try:
            await session.begin(self._provider)
            if self._stack is None:
                shared = (session.journal, session.run, session.budget, session.nominal)
                how = {"concurrency": setting("concurrency"), "fresh": session.fresh}
                self._stack = Observed(stacks(self._provider, "general", *shared, **how), self.seed)
            with session.watched(listen):
                completion: Completion = await self._stack.complete(request)
                return completion
        finally:
            if done:
                done(None)


@checked.arguments
def as_chat_model(
    model: str | Model | None = None,
    *,
    model_options: Mapping[str, object] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    max_calls: int | None = None,
    max_total_tokens: int | None = None,
    max_cost: float | None = None,
    fresh: bool = False,
    journal: str | Path | Journal | None = None,
) -> PromptkitChatModel:
    """The promptkit model as a LangChain chat model; the caps hold over all its calls, and Cut is raised at one."""
    try:
        limits = Limits(max_calls=max_calls, max_tokens=max_total_tokens, max_cost=max_cost)
    except BadInput as error:  # the cap has another name here, where max_tokens is of one reply
        told = [text.replace("max_tokens", "max_total_tokens") for text in (error.message, error.hint)]
        raise BadInput(told[0], hint=told[1]) from None
    if model is None or isinstance(model, str):
        provider = open_provider(model or default_model(), model_options)
    else:
        provider = as_provider(model)
    made = PromptkitChatModel(model_name=provider.id, temperature=temperature, max_tokens=max_tokens, seed=seed)
    made._provider = provider
    made._session = Session("langchain-chat", limits, journal, fresh=fresh_branch() if fresh else 0)
    able = provider.capabilities
    made.profile = ModelProfile(structured_output=able.json_schema, tool_calling=able.tools, image_inputs=able.images)
    if able.reasoning is not None:
        made.profile["reasoning_output"] = able.reasoning
    if able.context:
        made.profile["max_input_tokens"] = able.context
    return made


def _spec(function: Mapping[str, Any]) -> ToolSpec:
    return ToolSpec(function["name"], function.get("description", ""), json.dumps(function.get("parameters") or {}))


def _schema(form: Any) -> str | None:
    """The JSON Schema of a response_format: OpenAI's form of one, a pydantic model or the schema itself."""
    if not form:
        return None
    if isinstance(form, dict) and form.get("type") == "json_schema":
        form = form["json_schema"].get("schema") or {}
    return json.dumps(convert_to_json_schema(form) if not isinstance(form, dict) else form)


def _result(completion: Completion) -> ChatResult:
    generation = ChatGeneration(message=reply(completion), generation_info=about(completion))
    return ChatResult(generations=[generation], llm_output=about(completion))


def _piece(delta: Delta) -> ChatGenerationChunk:
    extra = thought(delta.text) if delta.reasoning else {}
    return ChatGenerationChunk(
        message=AIMessageChunk(content="" if delta.reasoning else delta.text, additional_kwargs=extra)
    )


def _last(completion: Completion, written: set[bool]) -> ChatGenerationChunk:
    """What ends a stream: tool calls, tokens, how it ended; and text and reasoning, where none came as it was written.

    `written` tells which came: False is text, True is reasoning. A reply from the journal comes whole.
    """
    whole = reply(completion)
    said = AIMessageChunk(
        content="" if False in written else completion.text,
        additional_kwargs={} if True in written else whole.additional_kwargs,
        response_metadata=whole.response_metadata,
        usage_metadata=whole.usage_metadata,
        tool_call_chunks=[
            {"name": call.name, "args": call.arguments, "id": call.id, "index": at, "type": "tool_call_chunk"}
            for at, call in enumerate(completion.calls)
        ],
        chunk_position="last",
    )
    return ChatGenerationChunk(message=said, generation_info={"finish_reason": completion.finish})


async def _over_there(work: Coroutine[Any, Any, T]) -> T:
    """The result of work on promptkit's own loop; to cancel this is to cancel it."""
    return await asyncio.wrap_future(sync.begin(work))
