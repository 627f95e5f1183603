"""The parameters that searches share: where their values come from when nobody gives them, and what they must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypeVar, cast

from promptkit import prompts, registry
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.ranges import at_least, warm
from promptkit.searching.counting import in_step
from promptkit.searching.terms import Generate, Terms
from promptkit.types import Problem

T = TypeVar("T")

PAPER: Mapping[str, Any] = {"generate": "propose", "k": 5, "n_evaluate": 3, "depth": 3}  # arXiv:2305.10601


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """How a tree of thoughts grows."""

    depth: int | None = None  # steps from the question to an answer; default: the pack's
    generate: Generate | None = None  # one call that lists thoughts, or k calls for one each; default: the pack's
    k: int | None = None  # thoughts wanted from each state; default: the pack's
    nodes: int | None = None  # thoughts that join the tree at most; default: no limit
    temperature: float = 0.7  # for generating and judging
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        positive(self, ("depth", "k", "nodes"))
        different(self)

    def terms(self, **more: Any) -> Terms:
        """What the model is asked, once every field has its value."""
        own = {
            "depth": self.depth,
            "generate": self.generate,
            "k": self.k,
            "nodes": self.nodes,
            "temperature": self.temperature,
            "reply_tokens": self.reply_tokens,
        }
        return Terms(**own, **more)  # type: ignore[arg-type]

    def resolved(self, problem: Problem) -> Self:
        """With the pack's defaults where a field is None."""
        return filled(self, problem, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuing(Growing):
    """How a tree of thoughts grows, and how its states are valued."""

    n_evaluate: int | None = None  # value samples a state; default: the pack's
    evaluator: Of = field(default=None, metadata={"flag": str | None, "draws": False})  # asked instead, e.g. "sc(n=3)"

    def __post_init__(self) -> None:
        object.__setattr__(self, "evaluator", inner(self.evaluator))
        Growing.__post_init__(self)
        positive(self, ("n_evaluate",))
        alone(self)

    def terms(self, **more: Any) -> Terms:
        """What the model is asked, once every field has its value."""
        return Growing.terms(self, n_evaluate=self.n_evaluate, evaluator=self.evaluator, **more)


def filled(strategy: T, problem: Problem, usual: Mapping[str, Any]) -> T:
    """The strategy with the pack's values where it has none, those of `tot` for the tree; then the usual ones."""
    pack, kind = prompts.pack(problem.pack), cast(Any, type(strategy))
    named = {f.name for f in fields(kind)}
    shared = {f.name for f in fields(Valuing)} & named
    tot = registry.load("strategy", "tot")
    trees = own = pack.parameters("tot", tot)
    if not isinstance(strategy, tot):
        own = pack.parameters(registry.name_of("strategy", strategy), kind)
    values = {**PAPER, **usual, **{name: value for name, value in trees.items() if name in shared}, **own}
    if getattr(strategy, "evaluator", None) is not None:
        values["n_evaluate"] = None
    missing = {name: value for name, value in values.items() if name in named and getattr(strategy, name) is None}
    return cast(T, replace(cast(Any, strategy), **missing))


def shrunk(strategy: T, problem: Problem, samples: int, names: Sequence[str]) -> T | None:
    """The largest version that takes no more samples: these numbers, and those of the tree, made smaller."""
    return in_step(strategy, problem, samples, [*names, *_numbers_of(strategy)])


def _numbers_of(strategy: Any) -> list[str]:
    """The numbers of a tree that decide how many samples it takes, and can be smaller."""
    judges = getattr(strategy, "evaluator", None) is None and hasattr(strategy, "n_evaluate")
    listed = strategy.generate == "propose" or strategy.nodes is not None
    return ["n_evaluate"] * judges + ["nodes"] * listed + ["k"] * (strategy.generate == "sample")


def positive(strategy: object, names: Iterable[str]) -> None:
    """BadInput when one of these numbers is given and below 1."""
    for name in names:
        at_least(1, PAPER.get(name, 5), **{name: getattr(strategy, name)})


def different(strategy: Any) -> None:
    """BadInput when samples that are to differ would all be the same one."""
    many = (getattr(strategy, "n_evaluate", None) or 1) > 1 or (strategy.generate == "sample" and (strategy.k or 1) > 1)
    if many:
        hint = "e.g. --temperature 0.7, or --temperature 0 --generate propose --n-evaluate 1"
        warm(strategy.temperature, "samples", hint=hint)


def alone(strategy: Any) -> None:
    """BadInput when an evaluator is given together with value samples of the model's own."""
    if strategy.evaluator is not None and strategy.n_evaluate not in (None, 1):
        raise BadInput(
            "--evaluator is asked once a state; --n-evaluate counts the model's own verdicts",
            hint=f'e.g. --evaluator "sc(n={strategy.n_evaluate})" alone',
        )
