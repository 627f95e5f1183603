"""The lines of a streamed reply, as a completion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from promptkit.errors import BadReply, CapabilityMissing, Unavailable
from promptkit.providers.remote.chat_reply import divided
from promptkit.types import Completion, Finish, Request, Token, ToolCall, Usage


class Reply:
    """One reply as it grows."""

    def __init__(self) -> None:
        self.text = self.reasoning = ""
        self._calls: list[ToolCall] = []
        self._tokens: list[Token] = []
        self._pieces = [0, 0]  # thought, said
        self._last: Any = None

    def read(self, chunk: Any) -> Iterator[tuple[str, bool]]:
        """The new pieces: text, and whether it is reasoning."""
        self._last = chunk
        bare = getattr(chunk, "message", None) is None  # of a text gone on with
        written = chunk if bare else chunk.message
        thought, said = written.thinking or "", (chunk.response if bare else written.content) or ""
        self.reasoning += thought
        self.text += said
        for call in getattr(written, "tool_calls", None) or ():
            arguments = json.dumps(dict(call.function.arguments), ensure_ascii=False)
            self._calls.append(ToolCall(f"call_{len(self._calls)}", call.function.name, arguments))
        if said or not thought:
            self._tokens += [_token(each) for each in chunk.logprobs or ()]
        for place, text in enumerate((thought, said)):
            if text:
                self._pieces[place] += 1
                yield text, place == 0

    @property
    def given(self) -> int:
        """Tokens of the prompt, as Ollama counted them."""
        return self._last.prompt_eval_count or 0 if self._last else 0

    @property
    def written(self) -> int:
        """Tokens of the reply, thoughts included."""
        return self._last.eval_count or 0 if self._last else 0

    def completion(self, model: str, request: Request, seconds: float) -> Completion:
        """The whole of it; Transient when it is not whole."""
        last = self._last
        if last is None or not last.done:
            raise Unavailable("Ollama's reply broke off") if last else BadReply("Ollama's reply is empty")
        if request.logprobs and self.text and not self._tokens:
            raise CapabilityMissing("this Ollama tells no log-probabilities", hint="update it: 0.12.11 or newer does")
        finish: Finish = "tool_calls" if self._calls else "stop"
        return Completion(
            text=self.text,
            model=model,
            usage=Usage(
                input_tokens=self.given,
                output_tokens=self.written,
                reasoning_tokens=divided(self.written, self._pieces)[0] if self._pieces[0] else 0,  # not told apart
            ),
            finish="length" if last.done_reason == "length" else finish,
            reasoning=self.reasoning or None,
            calls=tuple(self._calls),
            logprobs=tuple(self._tokens),
            seconds=seconds,
        )


def _token(told: Any) -> Token:
    return Token(told.token, told.logprob, tuple((other.token, other.logprob) for other in told.top_logprobs or ()))
