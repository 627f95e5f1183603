"""What can happen in a run: an event is a frozen dataclass that JSON can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from promptkit.types import Completion, Request, Status, Usage


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began; `params` are the strategy's fields."""

    run: str
    strategy: str
    model: str
    question: str
    pack: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended; `cost_usd` is None when the price is unknown."""

    answer: str | None
    status: Status
    usage: Usage
    cost_usd: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class SpanStarted:
    """A named part of the run began; the record's span is its path. `strategy` is the one inside another that it is."""

    strategy: str = ""


@dataclass(frozen=True, slots=True)
class SpanEnded:
    """It ended, by an error if `error` is set."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text as a model writes it. Shown, never stored."""

    draw: tuple[int, ...]
    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A completion was asked for."""

    key: str
    draw: tuple[int, ...]
    request: Request | None = field(default=None, compare=False, repr=False)  # for who watches; never stored


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A completion came; `cached` when the journal or a call of this run already had it."""

    key: str
    draw: tuple[int, ...]
    cached: bool
    input_tokens: int
    output_tokens: int
    seconds: float
    finish: str = "stop"
    error: str = ""
    completion: Completion | None = field(default=None, compare=False, repr=False)  # for who watches; never stored


@dataclass(frozen=True, slots=True)
class ProgramEnded:
    """A program came to its end; `cached` when the journal had that, `sandbox` says what held it meanwhile."""

    key: str  # its name in the journal; "" outside a run
    ended: str
    status: int
    seconds: float
    cached: bool
    sandbox: str


@dataclass(frozen=True, slots=True)
class HumanAsked:
    """A person is asked something; `number` counts the questions of the run from 1."""

    number: int
    question: str


@dataclass(frozen=True, slots=True)
class HumanAnswered:
    """They answered; None when they ended the questions. `by` is terminal, file, caller, or journal when it had it."""

    number: int
    question: str
    answer: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed and will be made again after `wait` seconds."""

    attempt: int
    wait: float
    error: str


@dataclass(frozen=True, slots=True)
class PromptUsed:
    """A template was rendered; said once a run, which is kept with the run and is no event of its story."""

    id: str  # pack/name
    digest: str
    version: int
    origin: str  # project, user or promptkit
    lang: str
    lacking: str = ""  # the pack that lacks such a template, so that this one stands in
    files: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)  # name and text, its own first


@dataclass(frozen=True, slots=True)
class SampleRead:
    """A reply was read; `answer` is None when no answer could be read, `layer` says which reader fired."""

    index: int
    answer: str | None
    layer: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A judge's verdict, one of `options`; None where `how` is unreadable. `text` is what it was read from."""

    options: tuple[str, ...]
    verdict: str | None
    how: str  # read | grammar | schema | logprobs | reask | unreadable
    text: str


@dataclass(frozen=True, slots=True)
class VotesCounted:
    """The tally after `seen` of `n` samples; `counts` is best first, by `weights` where votes do not weigh the same."""

    counts: tuple[tuple[str, int], ...]
    seen: int
    n: int
    unread: int
    failed: int
    decided: bool
    aside: int = 0  # readable, and kept out by the rule of the vote
    weights: tuple[tuple[str, float], ...] = ()  # what decides, best first; empty: the counts do
    ended: bool = False  # a stopping rule ended it before all samples were in


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """A thought joined the tree; `node` is its path of child indexes, the root is ()."""

    node: tuple[int, ...]
    thought: str
    state: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class NodeValued:
    """A thought was valued; `verdicts` are the readings behind the score, None where unreadable."""

    node: tuple[int, ...]
    score: float
    verdicts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class NodeMerged:
    """A thought led to a state that is already in the tree."""

    node: tuple[int, ...]
    into: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodePruned:
    """A thought was dropped; `reason` is illegal, dead end, score or tie."""

    node: tuple[int, ...]
    reason: str
    thought: str = ""


@dataclass(frozen=True, slots=True)
class NodeSelected:
    """A thought was kept at its rank (0 is best)."""

    node: tuple[int, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class LevelDone:
    """A search level ended; `tied` candidates had exactly the score of the last one kept."""

    level: int
    depth: int
    kept: int
    seen: int
    tied: int


@dataclass(frozen=True, slots=True)
class Best:
    """The best answer so far, readable as a final answer; None takes back the one before it: a lead is shared now."""

    answer: str | None
    score: float | None = None
    text: str = ""
    verified: bool = False
    node: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know; `hint` is what to type."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Substituted:
    """The model lacks what a strategy `wanted`, and the run goes on with `by`; said once a run."""

    wanted: str
    by: str


@dataclass(frozen=True, slots=True)
class ChatChanged:
    """What a conversation is from here on: its first `kept` messages, who the model is to be, and which model."""

    kept: int
    persona: str
    model: str
    options: dict[str, Any]  # of the model


@dataclass(frozen=True, slots=True)
class BudgetHit:
    """A cap was reached; nothing more is sent."""

    cap: str
    used: float
    limit: float
    reserved: float = 0  # the part of `used` that is held for calls whose outcome nobody knows
    unknown: int = 0  # how many such calls there are


@dataclass(frozen=True, slots=True)
class Stopped:
    """A strategy stopped before its full effort, and why."""

    reason: str


Event = (
    RunStarted
    | RunEnded
    | SpanStarted
    | SpanEnded
    | Delta
    | CallStarted
    | CallEnded
    | ProgramEnded
    | HumanAsked
    | HumanAnswered
    | Retrying
    | PromptUsed
    | SampleRead
    | Decided
    | VotesCounted
    | NodeAdded
    | NodeValued
    | NodeMerged
    | NodePruned
    | NodeSelected
    | LevelDone
    | Best
    | Warned
    | Substituted
    | ChatChanged
    | BudgetHit
    | Stopped
)

# What may quote an error of somebody else's, and with it a key.
QUOTING: dict[type, tuple[str, ...]] = {
    SpanEnded: ("error",),
    CallEnded: ("error",),
    Retrying: ("error",),
    SampleRead: ("error",),
    Warned: ("message", "hint"),
    Stopped: ("reason",),
}
