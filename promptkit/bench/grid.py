"""The Game of 24: what a model's proposals and its values are each worth, against ones that a program makes.

The search is the one of tot, algorithms/search/bfs.py, and so are the model's prompts: where both parts are the
model's, a run is a run of tot and takes its calls from the journal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

from promptkit import prompts
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.nodes import Evaluate, Expand, Level, Node, Thought
from promptkit.algorithms.search.select import greedy
from promptkit.bench.game24 import PACK, chosen
from promptkit.bench.measured import Measured, measured
from promptkit.bench.section import Bench, Section, Table
from promptkit.bench.shares import RIGHT, compared, share
from promptkit.bench.task import Task, checked
from promptkit.decisions import decide_all
from promptkit.exchange import put, verified
from promptkit.sampling import ask_all
from promptkit.searching.steps import follow, lines
from promptkit.strategies.search.tot import TreeOfThoughts
from promptkit.types import Model, Outcome, Problem
from promptkit.worlds.game24 import Game24, Step, moves, remaining, show, solvable
from promptkit.worlds.game24_whole import LARGEST, LISTED

Proposals = Literal["uniform", "model"]
Values = Literal["none", "model", "exact"]

Cell = tuple[Proposals, Values, int]  # and the breadth of the beam

WORLD = Game24()


async def measure(bench: Bench) -> Section:
    """Both kinds of proposals under three kinds of values, with a narrow beam and a wide one."""
    task = Task("grid", PACK, tuple(chosen("test", bench.items)), (), checked)
    found: dict[Cell, Measured] = {}
    cells = list(product((1, 5), get_args(Proposals), get_args(Values)))
    for b, proposals, values in cells:
        label = f"proposals {proposals}, values {values}, b={b}"
        mixed = Mixed(proposals=proposals, values=values, b=b)
        found[proposals, values, b] = await measured(bench, task, label, mixed, bench.seeds[:1])
        bench.partly(_table(found), len(cells))
    return Section(
        "grid",
        "Game of 24: the model's proposals and values",
        (_table(found),),
        (
            f"{len(task.asked)} puzzles of the test split, the first seed. Proposals: the model's, or as many legal"
            " steps drawn at random (8, 6 and 4 with 4, 3 and 2 numbers left; whole results from 0 to 300). Values:"
            " none (a random order), the model's, or exact (whether 24 can still be made). In every cell a goal is"
            " seen by program.",
            *_claims({cell: m.right for cell, m in found.items()}),
        ),
    )


def _table(found: Mapping[Cell, Measured]) -> Table:
    rows = tuple((*cell, *share(m.right), m.calls) for cell, m in found.items())
    return Table("Test puzzles solved", ("proposals", "values", "b", *RIGHT, "calls"), rows)


def _claims(right: Mapping[Cell, Sequence[float]]) -> Iterator[str]:
    """What each part is worth while the other stays as it is."""
    for b in (5, 1):
        whole = right["model", "model", b]
        for name, one, other in (
            ("Proposals, the model's − uniform ones (the model's values", whole, right["uniform", "model", b]),
            ("Values, the model's − none (the model's proposals", whole, right["model", "none", b]),
            ("Values, exact ones − the model's (the model's proposals", right["model", "exact", b], whole),
        ):
            yield compared(f"{name}, b={b})", one, other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """Tree of Thoughts on the Game of 24 with either of its parts, or both, replaced by a program."""

    proposals: Proposals
    values: Values
    b: int

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The first state that reaches 24, as an expression; undecided when the beam holds none."""
        parts = _Parts(self, problem, model)
        start = WORLD.start(problem.text)
        search = bfs(Thought("", start, WORLD.key(start)), depth=parts.how.depth or 1, b=self.b, select=greedy)
        reply: Any = None
        while True:
            try:
                step = search.send(reply)
            except StopIteration as done:
                return _outcome(problem, done.value)
            match step:
                case Expand(level, nodes):
                    reply = await parts.proposed(level, nodes)
                case Evaluate(level, nodes):
                    reply = await parts.valued(level, nodes)
                case Level():
                    reply = None


def _outcome(problem: Problem, kept: Sequence[Node]) -> Outcome:
    answer = WORLD.assemble(kept[0].thought.state) if kept else None
    if answer is None:
        return Outcome(answer=None, status="undecided", detail={"verified": None})
    return Outcome(answer=answer, detail={"verified": verified(WORLD, problem, answer)})


class _Parts:
    """Where proposals and values come from in one search."""

    def __init__(self, mixed: Mixed, problem: Problem, model: Model) -> None:
        self.mixed = mixed
        self.problem = problem
        self.model = model
        self.how = TreeOfThoughts(b=mixed.b).resolved(problem)
        self.pack = prompts.pack(problem.pack)

    async def proposed(self, level: int, nodes: Sequence[Node]) -> list[list[Thought]]:
        """The thoughts from each state that are legal and no dead end."""
        states = [node.thought.state for node in nodes]
        if self.mixed.proposals == "uniform":
            lists = [drawn(state, self._rng("propose", state)) for state in states]
        else:
            requests = [self._request("propose", state) for state in states]
            samples = await ask_all(self.model, requests, where=f"level-{level}/propose")
            lists = [lines(got.completion) if got.completion else [] for got in samples]
        return [followed(state, listed) for state, listed in zip(states, lists, strict=True)]

    async def valued(self, level: int, nodes: Sequence[Node]) -> list[float]:
        """A score for each state."""
        states = [node.thought.state for node in nodes]
        match self.mixed.values:
            case "none":
                return [self._rng("value", state).random() for state in states]
            case "exact":
                return [float(solvable(remaining(state))) for state in states]
            case "model":
                return await self._asked(level, states)

    async def _asked(self, level: int, states: Sequence[str]) -> list[float]:
        n, scores = self.how.n_evaluate or 1, self.pack.template("value").scores
        requests = [self._request("value", state, draw) for state in states for draw in range(n)]
        where = f"level-{level}/value"
        made = await decide_all(self.model, requests, tuple(scores), where=where, pack=self.problem.pack)
        points = [scores[each.verdict] if each.verdict else 0.0 for each in made]
        return [sum(points[at * n : (at + 1) * n]) for at in range(len(states))]

    def _request(self, name: str, state: str, draw: int = 0) -> Any:
        """Word for word the request of tot, or the journal would not have it."""
        inputs = {"state": WORLD.show(state), "k": self.how.k}
        return put(self.problem, self.pack.template(name), inputs, temperature=self.how.temperature).at(draw)

    def _rng(self, part: str, state: str) -> random.Random:
        """The same draws for a state however it was reached, as the model's are."""
        return random.Random(f"{self.problem.seed}|{self.problem.text}|{part}|{WORLD.key(state)}")


def drawn(state: str, rng: random.Random) -> list[str]:
    """As many legal steps as a list of proposals has, without repeats; fewer where there are not so many."""
    numbers = remaining(state)
    legal = [step for step in moves(numbers) if step.result.denominator == 1 and 0 <= step.result <= LARGEST]
    return [_line(step) for step in rng.sample(legal, min(LISTED.get(len(numbers), 0), len(legal)))]


def _line(step: Step) -> str:
    return f"{show(step.left)} {step.sign} {show(step.right)} = {show(step.result)}"


def followed(state: str, listed: Sequence[str]) -> list[Thought]:
    """The thoughts that the listed steps lead to: what is illegal or ends elsewhere than at 24 is left out."""
    return [thought for line in listed if isinstance(thought := follow(WORLD, state, line), Thought)]
