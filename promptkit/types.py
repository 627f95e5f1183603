"""The nouns every layer shares: frozen, JSON-able, standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "tool_calls", "filtered", "weak"]
Status = Literal["done", "undecided", "budget", "cancelled", "error"]
Effort = Literal["none", "minimal", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Blob:
    """An image or a file in a message, named by the sha256 of its bytes."""

    kind: Literal["image", "file"]
    sha256: str
    media_type: str
    name: str = ""
    data: bytes = field(default=b"", compare=False, repr=False)  # at hand while it is used; never written as JSON


Part = Text | Blob


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it; `schema` is the JSON Schema text of its arguments."""

    name: str
    description: str
    schema: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool; `arguments` is the JSON text it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. Reasoning is never part of it: it is not sent back."""

    role: Role
    content: tuple[Part, ...]
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.content if isinstance(part, Text))


def message(role: Role, text: str) -> Message:
    """A message with a single text part."""
    return Message(role, (Text(text),))


@dataclass(frozen=True, slots=True)
class Weak:
    """Ends a reply once the mean confidence of `window` tokens, in nats, falls below this (arXiv:2508.15260)."""

    below: float
    window: int


class _Lined:
    """Holds a request's canonical line once it was made: every layer names the call by it."""

    __slots__ = ("_line",)

    _line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(_Lined):
    """Everything that determines a completion, and which draw of it is wanted.

    `draw` is a path: combinators prefix it, the innermost index numbers independent samples of one prompt.
    None leaves a decoding parameter to the model's default.
    """

    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    schema: str | None = None  # JSON Schema text the reply must satisfy
    grammar: str | None = None  # GBNF the reply must satisfy
    tools: tuple[ToolSpec, ...] = ()
    logprobs: int = 0  # top log-probabilities wanted per token
    effort: Effort | None = None  # how long a model that reasons may think; None: its default
    weak: Weak | None = None  # where to end a reply that grows unsure; with `logprobs`. Its finish is "weak" then
    extra: tuple[tuple[str, Any], ...] = ()  # provider-specific, passed through verbatim
    raw: tuple[int, ...] | None = None  # go on with the one message as a bare text, then these tokens: no template
    seed: int = 0  # the run seed
    draw: tuple[int, ...] = (0,)

    def canonical(self) -> str:
        """One line of JSON, equal for requests that differ only in the innermost draw index."""
        try:
            return self._line
        except AttributeError:  # made once: it is no field, so a changed copy makes its own
            pass
        body = {name: getattr(self, name) for name in self.__dataclass_fields__}
        body |= {"draw": self.draw[:-1], "extra": plain(self.extra)}
        for name in ("effort", "weak", "raw"):
            if body[name] is None:  # journals from before there was one keep their keys
                del body[name]
        line = _CANONICAL.encode(body)
        object.__setattr__(self, "_line", line)
        return line

    @property
    def index(self) -> int:
        """The innermost draw index: which independent sample of this prompt."""
        return self.draw[-1]

    @property
    def wire_seed(self) -> int:
        """The seed to send: consecutive for consecutive draws, so a native `n` call sends one.

        A reply that may be ended early begins like the one that may not.
        """
        line = self.canonical() if self.weak is None else replace(self, weak=None).canonical()
        base = int.from_bytes(hashlib.sha256(line.encode("utf-8", "surrogatepass")).digest()[:4], "big")
        return (base + self.index) % 2**31

    def at(self, index: int) -> Request:
        """The same request for another independent sample."""
        other = replace(self, draw=(*self.draw[:-1], index))
        if hasattr(self, "_line"):
            object.__setattr__(other, "_line", self._line)
        return other


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was spent. A native-`n` request is one call and n samples."""

    calls: int = 0
    cached_calls: int = 0
    samples: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Token:
    """A token a model wrote, with the likeliest it could have written; what a grammar forbids is among them too."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()  # text and log-probability, likeliest first
    ids: tuple[int, ...] = ()  # of those in `top`, where the model tells


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of a text; bytes that are no whole character are lone surrogates in it (surrogateescape)."""

    id: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model said. `reasoning` is kept apart from `text` and never read for answers."""

    text: str
    model: str
    usage: Usage = Usage()
    finish: Finish = "stop"
    reasoning: str | None = None
    calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[Token, ...] = ()  # where the request asked for them
    seconds: float = 0.0
    cached: bool = False  # it came from the journal; never stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a model can do; the runtime plans calls by it and refuses what is missing before the call."""

    native_n: int = 1  # most samples in one call
    batch: int = 1  # draws are always generated in aligned batches of this size
    seed: bool = False  # the same request and draw give the same text again
    logprobs: bool = False
    alternatives: int = 20  # most of a token's log-probabilities it tells
    raw: bool = False  # goes on with a bare text
    json_schema: bool = False
    grammar: bool = False
    tools: bool = False
    images: bool = False
    reasoning: bool | None = None  # None: nobody knows
    context: int | None = None  # tokens, prompt and reply together
    local: bool = False  # runs on this machine: it costs nothing
    price: tuple[float, float] | None = None  # USD per million input and output tokens; None: unknown
    packs: tuple[str, ...] | None = None  # the only packs it was trained for; None: any


@runtime_checkable
class Model(Protocol):
    """A thing that completes requests: the only seam between strategies and providers."""

    @property
    def id(self) -> str:
        """`provider:name`."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def complete(self, request: Request, /) -> Completion:
        """One completion; raises a PromptkitError when there is none."""


@runtime_checkable
class Provider(Model, Protocol):
    """A Model at the bottom of the stack: it also answers several draws of one request in one call."""

    @property
    def identity(self) -> str:
        """What makes its texts its own (weights, template, binding version …): part of every journal key."""

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request; they differ only in consecutive innermost draws."""

    async def aclose(self) -> None:
        """Free what it holds; safe to call twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is asked, and how the answer is to be read."""

    text: str
    parts: tuple[Blob, ...] = ()
    pack: str = "general"
    reader: str | None = None  # None: the pack's
    history: tuple[Message, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    output_schema: str | None = None
    effort: Effort | None = None  # how long a model that reasons may think
    seed: int = 0  # the run seed
    vars: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run gives. `answer` is None when it could not decide: that is a result, not an error."""

    answer: str | None
    text: str = ""
    status: Status = "done"
    value: Any = None
    confidence: float | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    seconds: float = 0.0
    run: str = ""
    strategy: str = ""
    model: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    drawn: ClassVar[Callable[[Outcome], str] | None] = None  # to HTML: set from above, nothing up there is known here

    @property
    def verified(self) -> bool | None:
        """Whether a program found the answer right (True) or wrong (False); None where nothing could tell."""
        told = self.detail.get("verified")
        return told if isinstance(told, bool) and self.answer is not None else None

    def __str__(self) -> str:
        return self.answer if self.answer is not None else f"({self.status}: no answer)"

    def _repr_html_(self) -> str | None:
        """What a notebook shows; None leaves it to repr()."""
        return Outcome.drawn(self) if Outcome.drawn else None


@runtime_checkable
class Strategy(Protocol):
    """A prompting strategy: a frozen dataclass whose fields are its parameters."""

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """An outcome for the problem; emits Best as it learns."""


class World(Protocol):
    """A game with rules: what makes thoughts checkable without a model. States are plain strings."""

    def start(self, question: str) -> str:
        """The first state; raises BadInput when the question is not one of its puzzles."""

    def step(self, state: str, thought: str) -> str | None:
        """The state after a thought, or None when the thought is not a legal move."""

    def key(self, state: str) -> str:
        """Equal for states with the same future."""

    def show(self, state: str) -> str:
        """The state as a prompt shows it."""

    def finished(self, state: str) -> bool:
        """Whether no move is left."""

    def goal(self, state: str) -> bool:
        """Whether the state solves the puzzle."""

    def assemble(self, state: str) -> str | None:
        """The final answer, put together by program; None before the goal."""

    def check(self, question: str, answer: str) -> bool:
        """Whether an answer is right, by exact arithmetic."""


def plain(value: Any) -> Any:
    """A value as JSON types: dataclasses become objects, tuples lists."""
    kind: Any = type(value)
    if kind in _SCALARS:  # most values are: a run writes thousands
        return value
    if kind in (tuple, list):
        return [plain(item) for item in value]
    if (names := _compared(kind)) is not None:
        return {
            name: each if type(each := getattr(value, name)) in _SCALARS else plain(each)  # saves most calls
            for name in names
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if hasattr(value, "model_dump"):  # pydantic's, which is not known here
        return value.model_dump(mode="json", by_alias=True)
    # A strategy may put anything into its detail: what JSON cannot hold is kept as it looks.
    return value if isinstance(value, (str, int, float)) else repr(value)


_SCALARS = frozenset({str, int, float, bool, type(None)})


@lru_cache(maxsize=256)
def _compared(kind: type) -> tuple[str, ...] | None:
    """The names of a dataclass's fields that compare; None for any other type."""
    return tuple(f.name for f in fields(kind) if f.compare) if is_dataclass(kind) else None


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=plain)
