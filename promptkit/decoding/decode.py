"""Ways to decode a text, side by side: greedy, at a temperature, under top-k, top-p and min-p, and beam search.

All of them stand on the same distributions, asked for once: a round of calls has one for each beginning that any of
them is at. The sampled ones are given the same dice, so what differs between them is the rule and not the luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum, log
from typing import Any, ClassVar

from promptkit.algorithms.decoding.beam_search import Beam, Round, stepped
from promptkit.algorithms.decoding.distribution import Distribution, tied
from promptkit.algorithms.decoding.draw import drawn
from promptkit.algorithms.decoding.entropy import least_entropy
from promptkit.announced import Forecast
from promptkit.decoding.following import Choice, Path, following, refuse_untold, spelled, warn_of_packs
from promptkit.decoding.shaping import Shape, check
from promptkit.errors import BadInput
from promptkit.events import Best, emit
from promptkit.sampling import rng
from promptkit.types import Model, Outcome, Problem

SAMPLED = ("temperature", "top-k", "top-p", "min-p")
METHODS = ("greedy", *SAMPLED, "beam")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decode:
    """What each way of decoding makes of a text; the answer is the likeliest text that beam search, or any, found."""

    bare: ClassVar[bool] = True  # no question that a small model could not answer

    steps: int = 8  # tokens written at most
    width: int = 3  # beams that go on
    temperature: float = 1.0  # of all sampled ways
    top_k: int = 40  # of the way that keeps so many
    top_p: float = 0.9  # of the way that keeps this mass
    min_p: float = 0.05  # of the way that keeps what is at least this times as probable as the likeliest
    methods: tuple[str, ...] = METHODS  # those that are shown

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(dict.fromkeys(self.methods)))
        for name in ("steps", "width"):
            if getattr(self, name) < 1:
                raise BadInput(f"--{name} must be at least 1, not {getattr(self, name)}", hint=f"e.g. --{name} 3")
        check(self.temperature, self.top_k, self.top_p, self.min_p)
        if unknown := next((name for name in self.methods if name not in METHODS), None):
            raise BadInput(f"there is no way of decoding {unknown!r}", hint=f"--methods {','.join(METHODS)}")
        if not self.methods:
            raise BadInput("no way of decoding is named", hint=f"--methods {','.join(METHODS)}")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """A round of calls for every token."""
        refuse_untold(model)
        warn_of_packs(model, problem.text)
        walks = [walk for name in self.methods if (walk := self._walk(name)) is not None]
        dice = rng(problem, "dice")
        beam = _BeamSearch(self.width) if "beam" in self.methods else None
        for step in range(1, self.steps + 1):
            number = dice.random()
            paths = [walk.path for walk in walks if not walk.ended] + (beam.open() if beam else [])
            if not paths:
                break
            told = await following(model, problem.text, paths, where=f"token-{step}")
            for walk in walks:
                walk.step(told, number)
            if beam:
                beam.step(told)
            best = beam.beams[0].tokens if beam else walks[0].path
            emit(Best(spelled(best)))
        answer = spelled(beam.beams[0].tokens if beam else walks[0].path)
        return Outcome(
            answer=answer,
            detail={
                "ways": [walk.told() for walk in walks],
                "beam": beam.told() if beam else None,
                "steps": self.steps,
            },
        )

    def _walk(self, name: str) -> _Walk | None:
        """The way of that name; None for beam search, which is no single walk."""
        rules: Mapping[str, Shape] = {
            "greedy": Shape(temperature=0),
            "temperature": Shape(temperature=self.temperature),
            "top-k": Shape(temperature=self.temperature, top_k=self.top_k),
            "top-p": Shape(temperature=self.temperature, top_p=self.top_p),
            "min-p": Shape(temperature=self.temperature, min_p=self.min_p),
        }
        return _Walk(name, rules[name]) if name in rules else None

    def forecast(self, problem: Problem) -> Forecast:
        """At least a call for each token of one way, at most one for each beginning that differs."""
        walks = len([name for name in self.methods if name != "beam"])
        each = walks + (self.width if "beam" in self.methods else 0)
        return Forecast(1, None, 1 + (self.steps - 1) * each)


@dataclass(slots=True)
class _Walk:
    """One text as it grows under one rule."""

    name: str
    shape: Shape
    path: Path = ()
    ended: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    unseen: float = 0.0  # the largest mass that was not told, of all its steps

    def step(self, told: Mapping[Path, Distribution[Choice]], number: float) -> None:
        """Take the next token."""
        if self.ended:
            return
        distribution = told[self.path]
        left, _ = self.shape.of(distribution)
        tie: Sequence[Choice] = ()
        if self.name == "greedy":
            choice, tie = distribution.tokens[0][0], tied(distribution, 0)
        else:
            choice = drawn(left, number)
        p = dict(distribution.tokens)[choice]
        self.rows.append(
            {
                "text": choice.text,
                "id": choice.id,
                "p": p,
                "entropy_bits": least_entropy(distribution),
                "kept": sum(share > 0 for _, share in left.tokens),
                "tie": [each.text for each in tie] if len(tie) > 1 else [],
            }
        )
        self.unseen = max(self.unseen, 0.0 if distribution.whole else distribution.rest)
        self.path, self.ended = (*self.path, choice), choice.ends

    def told(self) -> dict[str, Any]:
        """What came of it, as JSON has it."""
        return {
            "way": self.name,
            "rules": "the likeliest" if self.name == "greedy" else self.shape.told(),
            "text": spelled(self.path),
            "probability": exp(fsum(log(row["p"]) for row in self.rows)),
            "entropy_bits": fsum(row["entropy_bits"] for row in self.rows) / max(1, len(self.rows)),
            "ended": self.ended,
            "rest": self.unseen,
            "tokens": self.rows,
        }


class _BeamSearch:
    """The beams as they grow, and the last tie at their edge."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.beams: tuple[Beam[Choice], ...] = (Beam(),)
        self._tie: tuple[Beam[Choice], ...] = ()
        self._unseen = False

    def open(self) -> list[Path]:
        """The beginnings that go on."""
        return [beam.tokens for beam in self.beams if not beam.ended]

    def step(self, told: Mapping[Path, Distribution[Choice]]) -> None:
        """One token further."""
        if not self.open():
            return
        done: Round[Choice] = stepped(self.beams, told, self._width, lambda choice: choice.ends)
        self.beams, self._tie, self._unseen = done.beams, done.tie, self._unseen or done.open

    def told(self) -> dict[str, Any]:
        """The beams, likeliest first, and the tie where they end, as JSON has it."""
        return {
            "width": self._width,
            "beams": [_beam(beam) for beam in self.beams],
            "tie": [_beam(beam) for beam in self._tie],
            "exact": not self._unseen,
        }


def _beam(beam: Beam[Choice]) -> dict[str, Any]:
    tokens = [{"text": choice.text, "id": choice.id} for choice in beam.tokens]
    return {"text": spelled(beam.tokens), "probability": beam.probability, "ended": beam.ended, "tokens": tokens}
