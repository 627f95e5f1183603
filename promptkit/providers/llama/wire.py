"""Requests as llama.cpp takes them, and its chunks as completions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from promptkit.errors import (
    BadInput,
    BadReply,
    CapabilityMissing,
    ContextOverflow,
    ProviderError,
    Rejected,
    Unavailable,
)
from promptkit.providers.llama.schema import as_grammar, check_schema, violation
from promptkit.providers.llama.server import Chunk
from promptkit.providers.llama.tokenizing import written
from promptkit.types import Blob, Finish, Request, Token
from promptkit.weak import NEVER, Watch

LOGPROBS = 100  # most alternatives of a token in a reply: each is stored
ALTERNATIVES = 4096  # most of one in a bare text: all that a small vocabulary has
MAX_TOKENS = 512  # when a request sets none: without a limit llama.cpp writes until the context is full

# Every decoding default is sent, so that neither a new llama.cpp nor the model file's own ones change a text.
DECODING: dict[str, Any] = {
    "temperature": 0.8,  # llama.cpp's own default: what `temperature=None` means here
    "top_k": 40,
    "top_p": 0.95,
    "min_p": 0.05,
    "typical_p": 1.0,
    "top_n_sigma": -1.0,
    "xtc_probability": 0.0,
    "dynatemp_range": 0.0,
    "mirostat": 0,
    "dry_multiplier": 0.0,
    "repeat_penalty": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "ignore_eos": False,
    "reasoning_format": "auto",
}

# Lowest, highest; llama.cpp takes nonsense such as top_p=7 without a word.
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 100),
    "max_tokens": (1, 2**31 - 1),
    "top_p": (0, 1),
    "top_k": (0, 2**31 - 1),
    "min_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
OURS = {"messages", "n", "n_cmpl", "seed", "max_tokens", "n_predict", "stream", "stream_options", "cache_prompt"}
OURS |= {"id_slot", "stop", "grammar", "json_schema", "response_format", "tools", "logprobs", "top_logprobs"}
OURS |= {"return_progress", "timings_per_token"} | set(RANGES)


def temperature(request: Request) -> float:
    """The temperature the request is decoded at."""
    return float(DECODING["temperature"]) if request.temperature is None else request.temperature


def check(request: Request) -> None:
    """Refuse what llama.cpp would misread; BadInput or CapabilityMissing, before anything is loaded."""
    if not request.messages:
        raise BadInput("a request needs at least one message")
    for message in request.messages:
        if any(isinstance(part, Blob) for part in message.content):
            raise CapabilityMissing("a local model takes text only, no images or files")
        if message.role == "tool" or message.calls:
            raise CapabilityMissing("tools are not supported with local models yet")
        encodable("a message", message.text)
    if request.tools:
        raise CapabilityMissing("tools: not supported with local models yet")
    most = LOGPROBS if request.raw is None else ALTERNATIVES
    if not 0 <= request.logprobs <= most:
        raise BadInput(f"logprobs={request.logprobs} is out of range", hint=f"between 0 and {most}")
    if request.raw is not None and len(request.messages) != 1:
        raise BadInput("a bare text is one message")
    for name, (low, high) in RANGES.items():
        value = getattr(request, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise BadInput(f"{name}={value} is out of range", hint=f"between {low} and {high}")
        if isinstance(value, float) and name in ("top_k", "max_tokens"):
            raise BadInput(f"{name}={value} is not a whole number")
    if request.top_p == 0:
        raise BadInput("top_p=0 leaves no token to choose from", hint="temperature=0 takes the likeliest token")
    for stop in request.stop:
        if not stop:
            raise BadInput("an empty stop sequence would end every reply at once")
        encodable("a stop sequence", stop)
    if request.grammar is not None:
        encodable("the grammar", request.grammar)
        if request.grammar.lstrip().startswith("%"):  # an unusable Lark grammar is ignored in silence
            raise CapabilityMissing("a grammar must be GBNF, not Lark", hint='for example: root ::= "yes" | "no"')
    if request.schema is not None:
        if request.grammar is not None:
            raise BadInput("a reply follows a schema or a grammar, not both")
        encodable("the schema", request.schema)
        check_schema(request.schema)
    taken = sorted(OURS.intersection(key for key, _ in request.extra))
    if taken:
        raise BadInput(f"extra may not set {taken[0]!r}: it is a field of its own, or promptkit's business")


def encodable(what: str, text: str) -> None:
    """BadInput when the text holds half a character, which cannot be sent."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"{what} is not valid Unicode text: a lone surrogate at character {error.start}") from None


def body(request: Request, n: int) -> dict[str, Any]:
    """The chat call for `n` samples from this request's draw on."""
    said = {name: value for name in RANGES if (value := getattr(request, name)) is not None}
    grammar = request.grammar if request.schema is None else as_grammar(request.schema)
    # A constrained reply has no room for thoughts: a template that opens them would have the reply taken for one.
    unthinking = {"reasoning_format": "none", "chat_template_kwargs": {"enable_thinking": False}}
    return {
        **DECODING,
        "max_tokens": MAX_TOKENS,
        **({} if grammar is None else unthinking),
        **dict(request.extra),
        **said,
        **({} if grammar is None else {"grammar": grammar}),
        **_asked(request),
        "stop": list(request.stop),
        "n": n,
        "seed": request.wire_seed,  # sample i is given seed + i
        "cache_prompt": False,  # a cached prompt gives other texts than a fresh one
        "stream_options": {"include_usage": True},
        **({"timings_per_token": True} if request.weak else {}),  # what it took so far: one that is ended tells no more
        "return_progress": True,  # a chunk a prefill step: a long prompt can be cancelled too
    }


def _asked(request: Request) -> dict[str, Any]:
    """The turns of a conversation, or the text to go on with, and how many log-probabilities."""
    if request.raw is not None:
        text = request.messages[0].text
        prompt = [text, *request.raw] if request.raw else text
        return {"prompt": prompt, **({"logprobs": request.logprobs} if request.logprobs else {})}
    turns = [{"role": message.role, "content": message.text} for message in request.messages]
    wanted = {"logprobs": True, "top_logprobs": request.logprobs} if request.logprobs else {}
    return {"messages": turns, **wanted}


@dataclass(slots=True)
class Sample:
    """One reply as it grows."""

    text: str = ""
    reasoning: str = ""
    tokens: int = 0
    finish: Finish | None = None
    logprobs: list[Token] = field(default_factory=list)

    def breach(self, schema: str | None) -> BadReply | None:
        """That it does not satisfy the schema; a reply cut off is none, and says so itself."""
        if schema is None or self.finish in ("length", "weak") or (wrong := violation(schema, self.text)) is None:
            return None
        return BadReply(f"llama.cpp's reply does not satisfy the schema: {wrong}")


@dataclass(slots=True)
class Reply:
    """The samples of a call, filled chunk by chunk."""

    samples: list[Sample]
    input_tokens: int = 0
    timings: dict[str, Any] = field(default_factory=dict)  # of the call so far, where they are asked for
    error: dict[str, Any] | None = None
    _ended: list[int] = field(default_factory=list)

    def read(self, chunk: Chunk) -> list[tuple[int, str, bool]]:
        """The new pieces: index of the sample, text, whether it is reasoning."""
        if "error" in chunk:
            self.error = chunk["error"]
            return []
        pieces: list[tuple[int, str, bool]] = []
        for choice in chunk.get("choices", ()):
            bare = "delta" not in choice  # a text gone on with
            index, delta = choice["index"], {"content": choice["text"]} if bare else choice["delta"]
            sample = self.samples[index]
            if thought := delta.get("reasoning_content"):
                sample.reasoning += thought
                pieces.append((index, thought, True))
            if text := delta.get("content"):
                sample.text += text
                pieces.append((index, text, False))
            read = _told if bare else _token
            sample.logprobs += (read(each) for each in (choice.get("logprobs") or {}).get("content") or ())
            if choice["finish_reason"]:
                sample.finish = "length" if choice["finish_reason"] == "length" else "stop"
                self._ended.append(index)
        # A call's total usage counts its first sample only. But each sample's last chunk is followed by a usage of
        # its own, which is exact: a piece of text may hold several tokens, or a token no text.
        if (usage := chunk.get("usage")) and self._ended:
            self.samples[self._ended.pop(0)].tokens = usage["completion_tokens"]
            self.input_tokens = usage["prompt_tokens"]
        self.timings = chunk.get("timings") or self.timings
        return pieces

    def weakened(self, watch: Watch) -> bool:
        """Whether the only sample is to be ended: its tokens so far say so."""
        (sample,) = self.samples
        if sample.finish is not None or not watch.look(sample.logprobs):
            return False
        sample.finish, sample.tokens = "weak", int(self.timings.get("predicted_n", len(sample.logprobs)))
        self.input_tokens = int(self.timings.get("prompt_n", 0))
        return True

    def failure(self, context: int, allowed: int | None) -> ProviderError | None:
        """What went wrong, or None when every sample is complete."""
        if self.error is not None:
            return _failure(self.error, context, allowed)
        if any(sample.finish is None for sample in self.samples):
            return Unavailable("llama.cpp stopped before the end of its reply")
        return None


def _token(each: dict[str, Any]) -> Token:
    top = sorted(((other["token"], _logprob(other)) for other in each["top_logprobs"]), key=lambda pair: -pair[1])
    return Token(each["token"], _logprob(each), tuple(top))


def _told(each: dict[str, Any]) -> Token:
    """A token with all that llama.cpp knows of it: its bytes, where they are no whole character, and the ids."""
    top = sorted(each["top_logprobs"], key=lambda other: (-_logprob(other), other["id"]))
    return Token(
        written(each["bytes"]),
        _logprob(each),
        tuple((written(other["bytes"]), _logprob(other)) for other in top),
        tuple(other["id"] for other in top),
    )


def _logprob(each: dict[str, Any]) -> float:
    value = each["logprob"]
    return max(value, NEVER) if isinstance(value, float) and not math.isnan(value) else NEVER


def _failure(error: dict[str, Any], context: int, allowed: int | None) -> ProviderError:
    message = str(error.get("message", error))
    if error.get("type") == "exceed_context_size_error":
        need, room = error.get("n_prompt_tokens", "?"), error.get("n_ctx", context)
        larger = f"shorten the prompt, or open the model with a larger context (it allows {allowed})"
        hint = larger if allowed and allowed > context else "shorten the prompt: the model's context cannot be larger"
        return ContextOverflow(f"the prompt has {need} tokens and the context holds {room}", hint=hint)
    code = error.get("code")
    if isinstance(code, int) and 400 <= code < 500:
        return Rejected(f"llama.cpp refused the request: {message}")
    return Unavailable(f"llama.cpp failed: {message}")
