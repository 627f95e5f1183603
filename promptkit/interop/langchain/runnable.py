"""Any strategy as a Runnable: its model calls are runs under its own, in one trace with the chain around it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from langchain_core.callbacks import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from langchain_core.messages import BaseMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig

from promptkit import api, registry, sync
from promptkit.errors import BadInput, PromptkitError
from promptkit.events import Record
from promptkit.interop.langchain.call_runs import CallRuns
from promptkit.interop.langchain.replies import turns
from promptkit.runtime.unhurried import ended
from promptkit.types import Blob, Message, Outcome, Strategy

TAKES = ("question", "history", "vars", "attach")  # of a dict; what else a chain carries along is none of ours
FORMS = 'text, a prompt, messages that end in a question, or {"question": "…"}'


class Undecided(PromptkitError):
    """The run has no answer to pass on; `outcome` says why."""

    exit_code: ClassVar[int] = 3

    def __init__(self, outcome: Outcome) -> None:
        why = outcome.detail.get("reason") or outcome.detail.get("cut") or "no answer came out"
        super().__init__(f"{outcome.status}: {why}", hint=".with_outcome() gives the outcome instead of an error")
        self.outcome = outcome
        self.run = outcome.run


class StrategyRunnable(Runnable[Any, Any]):
    """A strategy with all that a run of it takes but the question."""

    def __init__(self, strategy: str | Strategy, output: Literal["answer", "outcome"], how: Mapping[str, Any]) -> None:
        if output not in ("answer", "outcome"):
            raise BadInput(f"output={output!r} is not known here", hint='output="answer" or output="outcome"')
        self.strategy = strategy
        self.output = output
        self.how = dict(how)
        self.name = strategy if isinstance(strategy, str) else registry.name_of("strategy", strategy)

    @property
    def InputType(self) -> Any:
        """What it takes; a chain's schema says so."""
        return Any

    @property
    def OutputType(self) -> Any:
        """The answer as text, or the Outcome."""
        return str if self.output == "answer" else Outcome

    def with_outcome(self) -> StrategyRunnable:
        """The same, giving the whole Outcome: also when there is no answer."""
        return StrategyRunnable(self.strategy, "outcome", self.how)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The answer; Undecided when there is none."""
        return self._call_with_config(self._run, input, config, run_type="chain", **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The answer; Undecided when there is none."""
        return await self._acall_with_config(self._arun, input, config, run_type="chain", **kwargs)

    def _run(self, input: Any, run_manager: CallbackManagerForChainRun, **kwargs: Any) -> Any:
        return sync.run(self._arun(input, _awaited(run_manager), **kwargs))

    async def _arun(self, input: Any, run_manager: AsyncCallbackManagerForChainRun, **kwargs: Any) -> Any:
        asked = {**self.how, **kwargs, **_asked(input)}
        outcome = await _told(run_manager, self.strategy, asked)
        if self.output == "outcome":
            return outcome
        if outcome.answer is None:
            raise Undecided(outcome)
        return outcome.answer


def as_runnable(
    strategy: str | Strategy, *, output: Literal["answer", "outcome"] = "answer", **how: Any
) -> StrategyRunnable:
    """The strategy as a LangChain Runnable; `how` is what pk.run() takes: n=5, model=…, pack=…, max_calls=…."""
    return StrategyRunnable(strategy, output, how)


async def _told(manager: AsyncCallbackManagerForChainRun, strategy: str | Strategy, asked: dict[str, Any]) -> Outcome:
    """The outcome, every model call of the run told to the callbacks as it happens."""
    question, watching = asked.pop("question"), tuple(asked.pop("sinks", ()))
    if not manager.handlers:
        return await api.arun(strategy, question, sinks=watching, **asked)
    queue: asyncio.Queue[Record | None] = asyncio.Queue()
    run = api.arun(strategy, question, sinks=(*watching, queue.put_nowait), **asked)
    calls, task = CallRuns(manager), asyncio.create_task(run)
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (record := await queue.get()) is not None:
            await calls.hear(record)
        outcome = await task
        await calls.abandon(RuntimeError("the run ended without it"))
    except BaseException as stopped:
        task.cancel()
        await ended(task)
        await calls.abandon(stopped)
        raise
    return outcome


def _asked(input: Any) -> dict[str, Any]:
    """The question, and what came with it, as arguments of a run; BadInput when there is no question in it."""
    if isinstance(input, str):
        return {"question": input}
    if isinstance(input, Mapping):
        if "question" not in input:
            raise BadInput(f"the input has no question, only {', '.join(map(repr, input)) or 'nothing'}", hint=FORMS)
        given = {name: input[name] for name in TAKES if name in input}
        history = given.get("history") or ()
        if any(not isinstance(turn, Message) for turn in history):
            given["history"] = turns(convert_to_messages(list(history)))
        return given
    if isinstance(input, PromptValue):
        return _conversation(input.to_messages())
    if isinstance(input, BaseMessage):
        return _conversation([input])
    if isinstance(input, Sequence) and input:
        return _conversation(convert_to_messages(list(input)))
    raise BadInput(f"a {type(input).__name__} is no question", hint=FORMS)


def _conversation(messages: Sequence[BaseMessage]) -> dict[str, Any]:
    *before, last = turns(messages)
    if last.role != "user":
        raise BadInput("the last message is not the user's", hint=FORMS)
    seen = [part for part in last.content if isinstance(part, Blob)]
    given: dict[str, Any] = {"question": last.text}
    return given | ({"history": tuple(before)} if before else {}) | ({"attach": seen} if seen else {})


def _awaited(manager: CallbackManagerForChainRun) -> AsyncCallbackManagerForChainRun:
    """The same run and handlers, for code that awaits; LangChain runs its handlers off the loop."""
    return AsyncCallbackManagerForChainRun(
        run_id=manager.run_id,
        handlers=manager.handlers,
        inheritable_handlers=manager.inheritable_handlers,
        parent_run_id=manager.parent_run_id,
        tags=manager.tags,
        inheritable_tags=manager.inheritable_tags,
        metadata=manager.metadata,
        inheritable_metadata=manager.inheritable_metadata,
    )
