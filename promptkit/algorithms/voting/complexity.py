"""Complexity-based consistency (arXiv:2210.00720): the majority among the longest chains of thought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import ClassVar

from promptkit.algorithms.voting.ballot import Ballot, Need, chosen, speaks
from promptkit.algorithms.voting.tally import Tally
from promptkit.errors import BadInput


def steps(text: str) -> int:
    """The steps of a chain of thought: its lines that are not blank (arXiv:2210.00720, section 3.2)."""
    return sum(bool(line.strip()) for line in text.splitlines())


@dataclass(frozen=True, slots=True)
class Complexity:
    """The majority over the top K chains by steps (arXiv:2210.00720, section 3.3); the paper takes 30 or 40 of 50.

    Chains with as many steps as the K-th are all kept: which of them were drawn first says nothing.
    """

    needs: ClassVar[Need] = "steps"

    keep: float = 0.7  # part of the readable chains that votes

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise BadInput(
                f"the part of the chains that vote must be above 0 and at most 1, not {self.keep:g}", hint="e.g. 0.7"
            )

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The tally of the longest chains; the shorter ones are set aside."""
        known = sorted((b.steps for b in ballots if speaks(b) and b.steps is not None), reverse=True)
        cut = known[max(1, ceil(self.keep * len(known) - 1e-9)) - 1] if known else 0
        votes = chosen(ballots, [b.steps is not None and b.steps >= cut for b in ballots])
        return replace(
            votes, heaviest=inf
        )  # longer chains may come and put these aside: only the last sample settles it
