"""Monte-Carlo tree search: select, expand, simulate, back up (UCT, Kocsis and Szepesvári 2006, and what grew from it).

The rules of RAP (arXiv:2305.14992), LATS (arXiv:2310.04406), rStar (arXiv:2408.06195) and AlphaZero's PUCT are values
of `Rules`. Leaves are taken in batches of a fixed width, kept apart by virtual loss and backed up in the order in which
they were taken: the tree depends on the answers, never on when they came.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from promptkit.algorithms.search.beam import reward
from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.chance import rng
from promptkit.algorithms.search.mcts_outputs import Landing, Output, answers
from promptkit.algorithms.search.mcts_tree import Backup, Edge, State, Tree, Unvisited, back_up, best_edge, fly
from promptkit.algorithms.search.nodes import Expand, Node, Path, Request, Search, Statistics, Thought, Turn

Formula = Literal["uct", "puct"]
Simulate = Literal["none", "greedy", "sample", "random"]
Judged = Literal["leaf", "children", "steps"]
Returns = Literal["last", "sum", "mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What kind of Monte-Carlo tree search it is."""

    iterations: int = 10
    depth: int = 5  # steps from the root, simulated ones included
    width: int = 1  # leaves a batch
    formula: Formula = "uct"
    c: float = 1.0  # weight of exploration
    unvisited: Unvisited = (
        "first"  # a new child comes first, counts as its own value (or prior), or as its parent − 0.2
    )
    simulate: Simulate = "none"  # from a new leaf on: nothing (it is valued as it is), or steps down to an end
    judge: Judged = "leaf"  # who is valued: where an iteration ends, all children of what it expands, all its steps
    returns: Returns = "last"  # what a state gets of an iteration: its end's reward, or those of the steps from here on
    alpha: float = 1.0  # a step's reward is score^alpha · prior^(1 − alpha)
    backup: Backup = "mean"  # Q: the mean of all returns, or the highest
    output: Output = "most-visited"
    loss: float = 1.0  # virtual loss of a visit under way
    failed: float = 0.0  # the reward of a dead end
    share: bool = True  # equal states share their statistics
    stop_at_goal: bool = True


UCT = Rules()
PUCT = Rules(formula="puct", unvisited="parent")  # AlphaZero's; priors are the probabilities of the proposals
RAP = Rules(unvisited="own", simulate="greedy", judge="steps", returns="sum", alpha=0.5, output="max-reward")
LATS = Rules(
    iterations=30, depth=7, unvisited="own", simulate="greedy", judge="children", failed=-1.0, output="best-leaf"
)
RSTAR = Rules(iterations=16, c=2.0, simulate="random", output="max-reward")  # judged by how often an answer comes up


def mcts(root: Thought, *, rules: Rules = UCT, seed: int = 0, caps: Caps = NONE) -> Search:
    """The states that the output rule names, best first, after so many iterations, at a verified goal or at a cap."""
    run = _Run(root, rules, seed, Meter(caps))
    goals: list[Node] = []
    number, stop = 0, ""
    while not stop:
        number += 1
        flights = run.launched()
        goals = yield from run.flown(number, flights)
        ended = () if goals else run.landed(flights)
        stop = "goal" if goals else run.stop()
        yield Turn(number, ended, (), tuple(run.merged), goals[0] if goals else run.best, stop)
        run.merged.clear()
    yield Statistics(tuple(run.tree.visited()))
    found = answers(run.tree, run.landings, rules.output, rules.backup)
    known_goals = {node.path for node in goals}
    return (*goals, *(node for node in found if node.path not in known_goals))


@dataclass(slots=True, eq=False)
class _Flight:
    """One iteration under way."""

    at: State
    trail: list[Edge] = field(default_factory=list)
    passed: set[int] = field(default_factory=set)  # identities of the states behind it: no step leads back
    waiting: bool = False  # its state must be expanded first
    simulating: bool = False
    dead: bool = False  # nothing follows, and it is no end

    def take(self, edge: Edge) -> None:
        """One step down."""
        self.passed.add(id(self.at))
        self.trail.append(edge)
        fly((), (edge,), 1)
        self.at = edge.child


class _Run:
    """The tree of one search, and the iterations under way in it."""

    def __init__(self, root: Thought, rules: Rules, seed: int, meter: Meter) -> None:
        self.rules = rules
        self.seed = seed
        self.meter = meter
        self.tree = Tree(root, rules.depth, rules.share)
        self.landings: list[Landing] = []
        self.merged: list[tuple[Node, Path]] = []
        self.best: Node | None = None
        self._rank: tuple[bool, float] = (False, float("-inf"))  # of the best

    def launched(self) -> list[_Flight]:
        """A batch of iterations, each at another leaf; what leads to a leaf that is taken is not flown."""
        rules, root = self.rules, self.tree.root
        flights: list[_Flight] = []
        doubles: list[_Flight] = []
        taken: set[int] = set()
        for _ in range(min(rules.width, rules.iterations - len(self.landings))):
            flight = _Flight(root)
            fly((root,), (), 1)
            self._advance(flight)
            (doubles if id(flight.at) in taken else flights).append(flight)
            taken.add(id(flight.at))
        for flight in doubles:
            self._ground(flight)
        return flights

    def flown(self, number: int, flights: list[_Flight]) -> Generator[Request, Any, list[Node]]:
        """Expand, simulate and value until every flight is at its end; returns verified goals that end it."""
        while wanting := _unique([flight.at for flight in flights if flight.waiting]):
            states = wanting[: self.meter.take("expansions", len(wanting))]
            if states:
                offered = self.meter.admitted((yield Expand(number, tuple(state.node for state in states))))
                fresh: list[State] = []
                for state, thoughts in zip(states, offered, strict=True):
                    new, merged = self.tree.grow(state, thoughts)
                    fresh += new
                    self.merged += merged
                goals = [state.node for state in fresh if state.node.thought.goal]
                if goals and self.rules.stop_at_goal:
                    return goals
                if self.rules.judge == "children":
                    yield from self._value(number, fresh)
            for flight in flights:
                if flight.waiting and flight.at.edges is not None:
                    flight.simulating = self.rules.simulate != "none"
                    self._advance(flight)
                else:
                    flight.dead |= flight.waiting  # a cap: it ends where it is, and landed() drops it
                    flight.waiting = False
        if self.rules.judge == "steps":
            yield from self._value(number, _unique([edge.child for flight in flights for edge in flight.trail]))
        else:
            yield from self._value(number, _unique([flight.at for flight in flights if not flight.dead]))
        return []

    def landed(self, flights: Sequence[_Flight]) -> tuple[Node, ...]:
        """Back up what the iterations brought, in their order; returns their ends."""
        ends: list[Node] = []
        for flight in flights:
            self._ground(flight)
            returns = self._returns(flight)
            if returns is None:
                continue
            back_up(self.tree.root, flight.trail, returns)
            end, finished = flight.at, self.tree.complete(flight.at, len(flight.trail))
            self.landings.append(Landing(end, finished, returns[0]))
            ends.append(end.scored())
            if end.reward is not None and not flight.dead:
                rank = (finished, end.reward)
                if self.best is None or rank > self._rank:
                    self.best, self._rank = end.scored(), rank
        return tuple(ends)

    def stop(self) -> str:
        """Why the search ends now; empty where it goes on."""
        if self.meter.hit:
            return self.meter.hit
        if len(self.landings) >= self.rules.iterations:
            return "iterations"
        return "exhausted" if self.tree.root.edges == [] else ""

    def _advance(self, flight: _Flight) -> None:
        """Go down to where the flight ends, or to a state that must be expanded first."""
        while True:
            state = flight.at
            flight.waiting = False
            if self.tree.complete(state, len(flight.trail)):
                return
            if state.edges is None:
                new = state.visits == 0 and state is not self.tree.root
                flight.waiting = not (new and self.rules.simulate == "none")
                return
            edges = [edge for edge in state.edges if id(edge.child) not in flight.passed]
            if not edges:
                flight.dead = True
                return
            flight.take(self._simulated(state, edges) if flight.simulating else self._selected(state, edges))

    def _selected(self, state: State, edges: Sequence[Edge]) -> Edge:
        rules = self.rules
        puct = rules.formula == "puct"
        return best_edge(
            state, edges, puct=puct, c=rules.c, unvisited=rules.unvisited, backup=rules.backup, loss=rules.loss
        )

    def _simulated(self, state: State, edges: Sequence[Edge]) -> Edge:
        """The next step of a simulation: by RAP's fast reward, or by the value where all children have one."""
        chance = rng(self.seed, "simulate", state.node.path, state.visits + state.flying)
        if self.rules.simulate == "random":
            return chance.choice(edges)
        worth = [edge.child.own(edge.prior if edge.prior is not None else 1 / len(edges)) for edge in edges]
        if self.rules.simulate == "greedy":
            return edges[max(range(len(edges)), key=worth.__getitem__)]
        return chance.choices(edges, [max(each, 1e-9) for each in worth])[0]

    def _value(self, number: int, states: Sequence[State]) -> Generator[Request, Any, None]:
        """Ask the judge about the states that have no reward yet."""
        asked = {state.node.path: state for state in states if state.reward is None and state is not self.tree.root}
        for node in (yield from valued(number, [state.node for state in asked.values()], self.meter)):
            asked[node.path].reward = node.score

    def _returns(self, flight: _Flight) -> list[float] | None:
        """What the root and each state of the trail get; None when a cap left out a value that it takes."""
        rules, steps = self.rules, [edge.child for edge in flight.trail]
        if rules.returns == "last":
            end = rules.failed if flight.dead or not steps else flight.at.reward
            return None if end is None or self._cut(flight) else [end] * (len(steps) + 1)
        rewards: list[float] = []
        for edge in flight.trail:
            if edge.child.reward is None:
                return None
            rewards.append(reward(edge.child.node.thought, edge.child.reward, rules.alpha))
        if self._cut(flight):
            return None
        gather = sum if rules.returns == "sum" else fmean
        return [float(gather(rewards[max(0, i - 1) :] or [rules.failed])) for i in range(len(rewards) + 1)]

    def _cut(self, flight: _Flight) -> bool:
        """Whether a cap stopped the flight before an end."""
        return flight.dead and flight.at.edges is None

    def _ground(self, flight: _Flight) -> None:
        fly((self.tree.root,), flight.trail, -1)


def _unique(states: Sequence[State]) -> list[State]:
    """Each state once, in order."""
    return list({id(state): state for state in states}.values())
