"""The outermost wrapper: every completion asked for is seen, seeded, and freed of its reasoning."""

from __future__ import annotations

from dataclasses import replace

from promptkit.around import Around
from promptkit.errors import PromptkitError
from promptkit.events import CallEnded, CallStarted, emit
from promptkit.runtime.capable import refuse_unable
from promptkit.thinking import set_aside
from promptkit.types import Completion, Model, Request


class Observed(Around):
    """A model whose calls are events."""

    def __init__(self, inner: Model, seed: int) -> None:
        self.inner = inner
        self._seed = seed

    async def complete(self, request: Request, /) -> Completion:
        """The completion, its `<think>` part moved from text to reasoning."""
        refuse_unable(request, self.inner)
        request = replace(request, seed=self._seed)
        name = prompt_digest(request)
        emit(CallStarted(name, request.draw, request))
        try:
            completion = await self.inner.complete(request)
        except PromptkitError as error:
            emit(CallEnded(name, request.draw, False, 0, 0, 0.0, error=f"{type(error).__name__}: {error}"))
            raise
        usage = completion.usage
        text, reasoning = set_aside(completion.text)
        if reasoning is not None:
            completion = replace(completion, text=text, reasoning=(completion.reasoning or "") + reasoning)
        emit(
            CallEnded(
                name,
                request.draw,
                completion.cached,
                usage.input_tokens,
                usage.output_tokens,
                completion.seconds,
                completion.finish,
                completion=completion,
            )
        )
        return completion


def prompt_digest(request: Request) -> str:
    """A short name for the prompt, equal for all its draws."""
    import hashlib

    return hashlib.sha256(request.canonical().encode("utf-8", "surrogatepass")).hexdigest()[:12]
