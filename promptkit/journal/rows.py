"""What the journal hands out and takes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptkit.types import Completion, Usage


@dataclass(frozen=True, slots=True)
class Stored:
    """A completion, and the provider call it came from; `samples` and `usage` are of that whole call."""

    completion: Completion
    call: str
    samples: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Executed:
    """A program that a run used the result of: where, whether it was kept from before, what was asked, what came."""

    key: str
    span: str
    cached: bool
    asked: dict[str, Any]
    ran: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person answered in a run, where, and to what; None where they ended the questions."""

    key: str
    span: str
    question: str
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A version of a template that a run used; `files` are names and sha256 of all it is made of, its own first."""

    run: str
    id: str  # pack/name
    digest: str
    version: int
    origin: str
    lang: str
    files: tuple[tuple[str, str], ...]
    at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The live ledger of a run. `cost` is None when the price of any attempt is unknown."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0  # of the output; none of attempts from before they were counted
    reserved_tokens: int = 0  # of attempts whose outcome is unknown: charged whole
    samples: int = 0
    cost: float | None = 0.0
    reserved_cost: float = 0.0  # the part of `cost` that attempts of unknown outcome are charged
    unsettled: int = 0  # attempts whose outcome is unknown

    @property
    def tokens(self) -> int:
        """What counts against a token cap."""
        return self.input_tokens + self.output_tokens + self.reserved_tokens


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt came to, and when; `error` is empty if it was answered."""

    attempt: int
    tokens: tuple[int, int, int]  # input, output, and the reasoning in the output
    cost: float | None
    samples: int
    error: str
    at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run about to start: all that is needed to start it again."""

    id: str
    strategy: str
    params: dict[str, Any]
    model: str
    question: str
    pack: str = "general"
    seed: int = 0
    options: dict[str, Any]  # budget and the like
    source: str = ""  # hash of the strategy's source
    started: float  # seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as the journal knows it. `status` is running, interrupted (its process is gone), or how it ended."""

    id: str
    strategy: str
    params: dict[str, Any]
    model: str
    question: str
    pack: str
    seed: int
    options: dict[str, Any]
    source: str
    status: str
    outcome: dict[str, Any] | None
    started: float
    ended: float | None
    attempt: int  # 1, and one more for every resume
    calls: int  # completions the latest attempt used
    cached_calls: int  # of which the journal already had
