"""What the OpenAI and Groq wire formats share: replies, streamed in chunks or whole, as completions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.errors import BadReply, Rejected, Unavailable
from promptkit.providers.remote.astray import Astray
from promptkit.providers.remote.bare_text import as_chat
from promptkit.providers.remote.chat_calls import Calls
from promptkit.providers.remote.chat_schema import unwrapped
from promptkit.types import Completion, Finish, Request, Token, Usage
from promptkit.weak import NEVER, Watch, ended

FINISH: dict[str, Finish] = {
    "length": "length",
    "content_filter": "filtered",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "model_length": "length",
    "weak": "weak",  # our own: no more was wanted of it
}  # anything else, such as stop, eos or end_turn, is a reply that came to its end


@dataclass(slots=True)
class Sample:
    """One reply as it grows."""

    text: str = ""
    reasoning: str = ""
    pieces: int = 0
    finish: str | None = None
    refused: bool = False
    calls: Calls = field(default_factory=Calls)
    logprobs: list[Token] = field(default_factory=list)

    def ended(self) -> Finish:
        """Why it ended; some servers say "stop" of a reply that is a call."""
        if self.refused:
            return "filtered"
        finish = FINISH.get(self.finish or "", "stop")
        return "tool_calls" if finish == "stop" and self.calls.made() else finish


@dataclass(slots=True)
class Reply:
    """The samples of a call, filled chunk by chunk."""

    samples: list[Sample]
    usage: Usage | None = None  # of the whole call, as last reported
    _ended: list[int] = field(default_factory=list)
    _each: list[int] = field(default_factory=list)  # output tokens of `_ended`, where a server counts samples apart

    def read(self, chunk: Any) -> list[tuple[int, str, bool]]:
        """The new pieces: index of the sample, text, whether it is reasoning; BadReply when it is no chunk.

        A reply that comes whole is a single chunk, its messages in the place of deltas.
        """
        try:
            choices = chunk.get("choices") or ()
            pieces = [piece for choice in choices for piece in self._read(as_chat(choice))]
            usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
            if usage is not None:
                self.usage = _usage(usage)
                if not choices:
                    self._each.append(self.usage.output_tokens)
        except (AttributeError, TypeError, KeyError, IndexError, ValueError):  # nobody has validated what comes
            raise BadReply("the reply is not a chat completion") from None
        return pieces

    def _read(self, choice: Mapping[str, Any]) -> list[tuple[int, str, bool]]:
        pieces: list[tuple[int, str, bool]] = []
        index = choice.get("index") or 0
        sample, delta = self.samples[index], choice.get("delta") or choice.get("message") or {}
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            sample.reasoning += thought
            pieces.append((index, thought, True))
        if text := delta.get("content") or delta.get("refusal"):
            sample.text += text
            sample.refused |= not delta.get("content")
            pieces.append((index, text, False))
        sample.pieces += len(pieces)
        if calls := delta.get("tool_calls"):
            sample.calls.read(calls)
            sample.pieces += 1
        if told := (choice.get("logprobs") or {}).get("content"):
            sample.logprobs += map(_token, told)
        if choice.get("finish_reason") and sample.finish is None:
            sample.finish = choice["finish_reason"]
            self._ended.append(index)
        return pieces

    def weakened(self, watch: Watch) -> bool:
        """Whether the only sample is to be ended: its tokens so far say so."""
        (sample,) = self.samples
        if sample.finish is not None or not watch.look(sample.logprobs):
            return False
        sample.finish, sample.pieces = "weak", len(sample.logprobs)  # nobody will report what it took
        return True

    def completions(
        self, model: str, request: Request, seconds: float, *, cut: bool = False, strict: bool = False
    ) -> list[Completion]:
        """One completion a sample; Transient or Rejected when the reply is not whole.

        `cut`: the stop sequences were not sent, and end the text here. `strict`: the schema was sent in that form.
        """
        if not any(sample.finish for sample in self.samples):
            said = any(sample.pieces for sample in self.samples)
            raise Unavailable("the reply broke off") if said else BadReply("the reply is not a chat completion")
        if any(sample.finish is None and not sample.pieces for sample in self.samples):
            want, got = len(self.samples), len(self._ended)
            raise Rejected(f"{got} of {want} samples came back: this server ignores n", hint="-o native_n=1")
        if any(sample.finish in (None, "error") for sample in self.samples):
            raise Unavailable("the reply broke off")
        return [
            _stopped(
                ended(
                    Completion(
                        text=unwrapped(sample.text, request.schema) if strict and request.schema else sample.text,
                        model=model,
                        usage=usage,
                        finish=sample.ended(),
                        reasoning=sample.reasoning or None,
                        calls=sample.calls.made(),
                        logprobs=tuple(sample.logprobs) if request.logprobs else (),
                        seconds=seconds,
                    ),
                    request.weak,
                ),
                request.stop if cut else (),
            )
            for sample, usage in zip(self.samples, self._usages(request), strict=True)
        ]

    def _usages(self, request: Request) -> list[Usage]:
        """What each sample took; the input, and reasoning that no sample shows, are the first one's."""
        pieces = [sample.pieces for sample in self.samples]
        if self.usage is None:  # never reported: about a token a piece, four letters a token
            letters = sum(len(message.text) for message in request.messages)
            whole, each = Usage(input_tokens=letters // 4 + 1), pieces
        elif len(self._each) == len(pieces):
            whole, counted = self.usage, dict(zip(self._ended, self._each, strict=True))
            each = [counted[index] for index in range(len(pieces))]
        else:
            whole, each = self.usage, divided(self.usage.output_tokens, pieces)
        first = Usage(input_tokens=whole.input_tokens, output_tokens=each[0], reasoning_tokens=whole.reasoning_tokens)
        return [first, *(Usage(output_tokens=tokens) for tokens in each[1:])]


def whole(body: bytes) -> list[Any]:
    """A reply that was not asked for in pieces, as its chunks: some servers stream whatever they are asked.

    Astray where it is JSON from its beginning to its end, and no reply: what broke on the way would not be.
    """
    if not body.lstrip().startswith(b"data:"):
        told = json.loads(body)
        if not isinstance(told, dict) or not told.keys() & {"choices", "error"}:
            raise Astray("JSON that is no chat completion")
        return [told]
    lines = (line.removeprefix(b"data:").strip() for line in body.splitlines() if line.startswith(b"data:"))
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def _stopped(completion: Completion, stop: Sequence[str]) -> Completion:
    ends = [at for at in (completion.text.find(mark) for mark in stop if mark) if at >= 0]
    return replace(completion, text=completion.text[: min(ends)], finish="stop") if ends else completion


def _token(told: Mapping[str, Any]) -> Token:
    top = ((str(other["token"]), _logprob(other)) for other in told.get("top_logprobs") or ())
    return Token(str(told["token"]), _logprob(told), tuple(sorted(top, key=lambda pair: -pair[1])))


def _logprob(told: Mapping[str, Any]) -> float:
    value = told.get("logprob")
    number = float(value) if isinstance(value, (int, float)) else NEVER
    return NEVER if math.isnan(number) else max(number, NEVER)


def _usage(reported: Mapping[str, Any]) -> Usage:
    details = reported.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=int(reported.get("prompt_tokens") or 0),
        output_tokens=int(reported.get("completion_tokens") or 0),
        reasoning_tokens=int(details.get("reasoning_tokens") or 0),
    )


def divided(total: int, weights: Sequence[int]) -> list[int]:
    """Whole shares of `total` in proportion to the weights; they add up to it."""
    shares: list[int] = []
    seen = 0
    for weight in weights:
        seen += weight
        shares.append(total * seen // (sum(weights) or 1) - sum(shares))
    shares[0] += total - sum(shares)
    return shares
