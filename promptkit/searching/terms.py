"""What a search asks of a model, with every choice made: how thoughts come about, and how they are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from promptkit.types import Strategy

Generate = Literal["propose", "sample"]
Evaluate = Literal["value", "vote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The choices of one search."""

    depth: int
    generate: Generate  # one call that lists thoughts, or k calls for one each
    k: int  # thoughts wanted from each state
    evaluate: Evaluate = "value"  # each state judged alone, or a vote among all of a round
    n_evaluate: int = 1  # value samples a state, or ballots a round
    evaluator: Strategy | None = None  # is asked instead of the model itself
    temperature: float | None = 0.7
    reply_tokens: int | None = None
    nodes: int | None = None  # thoughts that join the tree; None: no limit
    levels: bool = False  # it goes level by level, and of the equal states of a level the first stands for all
    unit: bool = True  # scores are means from 0 to 1; else sums of what the verdicts are worth
    priors: bool = False  # how likely the model finds each thought is asked for
    lanes: int = 0  # independent searches side by side: the children of the root are dealt out to them in turn
