"""Events of a promptkit run as LangChain runs: every model call is a chat model's run under the strategy's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForChainRun, AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

from promptkit.errors import PromptkitError
from promptkit.events import CallEnded, CallStarted, Delta, Record, RunStarted
from promptkit.interop.langchain.replies import about, reply, thought
from promptkit.providers.remote.langchain_wire import messages
from promptkit.types import Request

Place = tuple[str, tuple[int, ...]]  # span and draw


@dataclass(slots=True)
class _Open:
    """A model call under way."""

    key: str
    run: AsyncCallbackManagerForLLMRun


class CallRuns:
    """Tells LangChain's callbacks of the model calls of one run, event by event."""

    def __init__(self, manager: AsyncCallbackManagerForChainRun) -> None:
        self._manager = manager
        self._model = ""
        self._open: dict[Place, _Open] = {}
        self._asked: dict[str, str] = {}  # the prompt asked for in a span: a batch is written in that of its first draw

    async def hear(self, record: Record) -> None:
        """Pass an event on, if it is about a model call."""
        match record.event:
            case RunStarted(model=model):
                self._model = self._model or model
            case CallStarted(request=Request() as request) as started:
                self._asked[record.span] = started.key
                self._open[record.span, started.draw] = _Open(started.key, await self._start(record.span, request))
            case Delta() as delta:
                if written := self._written(record.span, delta.draw):
                    await self._token(written.run, delta)
            case CallEnded() as ended if call := self._open.pop((record.span, ended.draw), None):
                await _end(call.run, ended)

    async def abandon(self, why: BaseException) -> None:
        """End what is still open: the run was stopped in the middle of these calls."""
        for call in self._open.values():
            await call.run.on_llm_error(why)
        self._open.clear()

    async def _start(self, span: str, request: Request) -> AsyncCallbackManagerForLLMRun:
        provider, _, name = self._model.partition(":")
        child = self._manager.get_child()
        child.add_metadata({"promptkit_span": span, "promptkit_draw": list(request.draw)}, inherit=False)
        told: dict[str, Any] = {"ls_model_type": "chat", "ls_provider": provider, "ls_model_name": name or provider}
        decoding = {"temperature": request.temperature, "max_tokens": request.max_tokens}
        told |= {f"ls_{what}": value for what, value in decoding.items() if value is not None}
        child.add_metadata(told, inherit=False)
        named = {"id": ["promptkit", self._model], "name": self._model, "type": "not_implemented", "lc": 1}
        asked = {"model": self._model, **decoding, "stop": list(request.stop) or None, "seed": request.wire_seed}
        (run,) = await child.on_chat_model_start(
            named, [messages(request.messages)], invocation_params=asked, name=self._model, batch_size=1
        )
        return run

    def _written(self, span: str, draw: tuple[int, ...]) -> _Open | None:
        """The open call that a piece of text belongs to: of its span's prompt, and of its draw.

        Draws of one prompt travel in one call, whose pieces carry the span of the first; a fresh branch of draws
        has a number in front.
        """
        key = self._asked.get(span)
        for (_, asked), call in self._open.items():
            if call.key == key and draw[-len(asked) :] == asked:
                return call
        return None

    async def _token(self, run: AsyncCallbackManagerForLLMRun, delta: Delta) -> None:
        said = "" if delta.reasoning else delta.text
        extra = thought(delta.text) if delta.reasoning else {}
        chunk = AIMessageChunk(content=said, additional_kwargs=extra, id=f"run-{run.run_id}")
        await run.on_llm_new_token(said, chunk=ChatGenerationChunk(message=chunk))


async def _end(run: AsyncCallbackManagerForLLMRun, ended: CallEnded) -> None:
    if ended.completion is None:
        await run.on_llm_error(PromptkitError(ended.error))
        return
    message: Any = reply(ended.completion)
    message.id = f"run-{run.run_id}"
    generation = ChatGeneration(message=message, generation_info=about(ended.completion))
    await run.on_llm_end(LLMResult(generations=[[generation]], llm_output=about(ended.completion)))
