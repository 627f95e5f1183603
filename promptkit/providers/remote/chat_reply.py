"""What the OpenAI and Groq wire formats share: streamed chunks as completions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit.errors import BadReply, Rejected, Unavailable
from promptkit.types import Completion, Finish, Request, Usage

FINISH: dict[str, Finish] = {
    "length": "length",
    "content_filter": "filtered",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}  # anything else, such as stop, eos or end_turn, is a reply that came to its end


@dataclass(slots=True)
class Sample:
    """One reply as it grows."""

    text: str = ""
    reasoning: str = ""
    pieces: int = 0
    finish: str | None = None


@dataclass(slots=True)
class Reply:
    """The samples of a call, filled chunk by chunk."""

    samples: list[Sample]
    usage: Usage | None = None  # of the whole call, as last reported
    _ended: list[int] = field(default_factory=list)
    _each: list[int] = field(default_factory=list)  # output tokens of `_ended`, where a server counts samples apart

    def read(self, chunk: Any) -> list[tuple[int, str, bool]]:
        """The new pieces: index of the sample, text, whether it is reasoning; BadReply when it is no chunk."""
        try:
            pieces = [piece for choice in chunk.choices or () for piece in self._read(choice)]
            usage = getattr(chunk, "usage", None) or getattr(getattr(chunk, "x_groq", None), "usage", None)
            if usage is not None:
                self.usage = _usage(usage)
                if not chunk.choices:
                    self._each.append(self.usage.output_tokens)
        except (AttributeError, TypeError, IndexError, ValueError):  # the SDKs do not validate what comes
            raise BadReply("the reply is not a chat completion") from None
        return pieces

    def _read(self, choice: Any) -> list[tuple[int, str, bool]]:
        pieces: list[tuple[int, str, bool]] = []
        sample, delta = self.samples[choice.index], choice.delta
        if thought := getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None):
            sample.reasoning += thought
            pieces.append((choice.index, thought, True))
        if text := getattr(delta, "content", None):
            sample.text += text
            pieces.append((choice.index, text, False))
        sample.pieces += len(pieces)
        if choice.finish_reason and sample.finish is None:
            sample.finish = choice.finish_reason
            self._ended.append(choice.index)
        return pieces

    def completions(self, model: str, request: Request, seconds: float) -> list[Completion]:
        """One completion a sample; Transient or Rejected when the reply is not whole."""
        if not any(sample.finish for sample in self.samples):
            said = any(sample.pieces for sample in self.samples)
            raise Unavailable("the reply broke off") if said else BadReply("the reply is not a chat completion")
        if any(sample.finish is None and not sample.pieces for sample in self.samples):
            want, got = len(self.samples), len(self._ended)
            raise Rejected(f"{got} of {want} samples came back: this server ignores n", hint="-o native_n=1")
        if any(sample.finish in (None, "error") for sample in self.samples):
            raise Unavailable("the reply broke off")
        return [
            Completion(
                text=sample.text,
                model=model,
                usage=usage,
                finish=FINISH.get(sample.finish or "", "stop"),
                reasoning=sample.reasoning or None,
                seconds=seconds,
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


def _usage(reported: Any) -> Usage:
    details = getattr(reported, "completion_tokens_details", None)
    return Usage(
        input_tokens=int(reported.prompt_tokens or 0),
        output_tokens=int(reported.completion_tokens or 0),
        reasoning_tokens=int(getattr(details, "reasoning_tokens", None) or 0),
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
