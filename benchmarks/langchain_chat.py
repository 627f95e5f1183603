"""A LangChain chat model over the openai SDK, as a partner package has one: none of those comes with promptkit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from openai import AsyncOpenAI, DefaultAsyncHttpxClient


class SdkChat(BaseChatModel):
    """Streams a chat completion; its fields are the usual ones."""

    base_url: str
    api_key: str = "none"
    model_name: str = "m"
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    max_retries: int = 2  # of the SDK; promptkit switches them off
    timeout: float = 60.0  # seconds without a word

    @property
    def _llm_type(self) -> str:
        return "sdk-chat"

    def bind_tools(self, tools: Sequence[Any], **more: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **more)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError("asynchronous only")

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        raise NotImplementedError("asynchronous only")

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **more: Any) -> ChatResult:
        whole: ChatGenerationChunk | None = None
        async for chunk in self._astream(messages, *args, **more):
            whole = chunk if whole is None else whole + chunk
        assert whole
        return ChatResult(generations=[ChatGeneration(message=whole.message)])

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **more: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        said = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed, "stop": stop}
        wanted: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        turns: Any = convert_to_openai_messages(messages)
        async with AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            max_retries=self.max_retries,
            timeout=self.timeout,
            # Nothing here is asked over TLS, and a context for it would cost more than the rest of a call.
            http_client=DefaultAsyncHttpxClient(verify=False),
        ) as client:
            stream: Any = await client.chat.completions.create(
                model=self.model_name,
                messages=turns,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=more,
                **wanted,
            )
            async with stream:
                async for chunk in stream:
                    yield _chunk(chunk)


def _chunk(chunk: Any) -> ChatGenerationChunk:
    choice = chunk.choices[0] if chunk.choices else None
    ended = {"finish_reason": choice.finish_reason} if choice and choice.finish_reason else {}
    delta = choice.delta if choice else None
    thought = getattr(delta, "reasoning_content", None)
    usage = chunk.usage and UsageMetadata(
        input_tokens=chunk.usage.prompt_tokens,
        output_tokens=chunk.usage.completion_tokens,
        total_tokens=chunk.usage.total_tokens,
    )
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=(delta.content or "") if delta else "",
            additional_kwargs={"reasoning_content": thought} if thought else {},
            response_metadata=ended,
            usage_metadata=usage,
        )
    )
