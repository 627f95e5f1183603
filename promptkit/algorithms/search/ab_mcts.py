"""AB-MCTS-A, adaptive branching Monte-Carlo tree search with node aggregation (arXiv:2503.04412).

Every node is an answer of its own, and its children are attempts to better it: a score is what an answer is worth.

At every node Thompson sampling decides between one child more (GEN, wider) and one of the children that are there
(CONT, deeper). With several generators, which of them is asked is decided the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.chance import rng
from promptkit.algorithms.search.nodes import Node, Path, Search, Statistics, Thought, Turn, Visited, Widen
from promptkit.algorithms.search.posteriors import Gaussian, Posterior, Seen


@dataclass(slots=True, eq=False)
class _Arms:
    """A node with its arms: the rewards seen by each."""

    node: Node
    parent: _Arms | None = None
    draws: int = 0  # thoughts asked for
    picks: int = 0  # times that one of the arms was picked
    children: list[_Arms] = field(default_factory=list)
    generated: Seen = field(default_factory=Seen)  # GEN: what new children are worth
    continued: Seen = field(default_factory=Seen)  # CONT: what comes from going on below
    own: Seen = field(default_factory=Seen)  # the arm that leads here: the node's score, and those below it
    of_key: dict[str, Path] = field(default_factory=dict)  # the child that stands for each key


@dataclass(frozen=True, slots=True, eq=False)
class _Pick:
    """A thought that is asked for."""

    at: _Arms
    draw: int
    generator: int


def ab_mcts(
    root: Thought,
    *,
    iterations: int,
    width: int = 1,
    generators: int = 1,
    depth: int | None = None,
    posterior: Posterior | None = None,
    failed: float = 0.0,
    seed: int = 0,
    caps: Caps = NONE,
) -> Search:
    """Ask for `iterations` thoughts, `width` at a time; returns all nodes, best first, or at once at a verified goal.

    A thought that does not come counts as a reward of `failed`, one equal to a sibling as that sibling's. Arms are
    drawn by place and turn, so a run is the same however its replies come. Expansions are capped as thoughts asked for.
    """
    meter, run = Meter(caps), _Run(root, generators, depth, posterior or Gaussian(), seed)
    goals: tuple[Node, ...] = ()
    done = number = 0
    stop = ""
    while not stop:
        number += 1
        wanted = meter.take("expansions", min(width, iterations - done))
        picks = [pick for _ in range(wanted) if (pick := run.pick())]
        done += len(picks)
        born: list[tuple[_Pick, Node | None]] = []
        if picks:
            nodes, draws = tuple(pick.at.node for pick in picks), tuple(pick.draw for pick in picks)
            offered = yield Widen(number, nodes, draws, tuple(pick.generator for pick in picks))
            for pick, thought in zip(picks, offered, strict=True):
                joins = thought is not None and meter.take("nodes", 1)
                born.append((pick, Node((*pick.at.node.path, pick.draw), thought) if joins else None))
        goals = tuple(node for _, node in born if node and node.thought.goal)
        fresh, merged = run.parted(born)
        pruned: list[tuple[Node, str]] = []
        if not goals:
            scored = {node.path: node for node in (yield from valued(number, fresh, meter))}
            run.learn([(pick, scored.get(node.path) if node else None) for pick, node in born], merged, failed)
            pruned = [(node, "cap") for node in fresh if node.path not in scored]
        if goals:
            stop = "goal"
        elif meter.hit or done >= iterations:
            stop = meter.hit or "iterations"
        elif not picks:
            stop = "exhausted"
        best = goals[0] if goals else run.best
        yield Turn(number, tuple(pick.at.node for pick in picks), tuple(pruned), tuple(merged), best, stop)
    yield Statistics(run.visited())
    return (*goals, *sorted((arms.node for arms in run.everyone[1:]), key=lambda node: -node.score))


class _Run:
    """The tree of one search."""

    def __init__(self, root: Thought, generators: int, depth: int | None, posterior: Posterior, seed: int) -> None:
        self.depth = depth
        self.posterior = posterior
        self.seed = seed
        self.everyone = [_Arms(Node((), root))]
        self.generators = [Seen() for _ in range(generators)]
        self.best: Node | None = None
        self.score_of: dict[Path, float] = {}

    def pick(self) -> _Pick | None:
        """Where one thought more is wanted; None when nothing can grow."""
        arms = self.everyone[0]
        while True:
            chance = rng(self.seed, arms.node.path, arms.picks)
            arms.picks += 1
            grows, open_ = self._grows(arms), [child for child in arms.children if self._open(child)]
            if not grows and not open_:
                return None
            if not open_ or (grows and self._wider(arms, chance)):
                generator = 0
                if len(self.generators) > 1:
                    worth = [self.posterior.draw(seen, chance) for seen in self.generators]
                    generator = max(range(len(worth)), key=worth.__getitem__)
                arms.draws += 1
                return _Pick(arms, arms.draws - 1, generator)
            worth = [self.posterior.draw(child.own, chance) for child in open_]
            arms = open_[max(range(len(worth)), key=worth.__getitem__)]

    def parted(self, born: Sequence[tuple[_Pick, Node | None]]) -> tuple[list[Node], list[tuple[Node, Path]]]:
        """The new nodes, and those equal to a sibling with its path."""
        fresh: list[Node] = []
        merged: list[tuple[Node, Path]] = []
        for pick, node in born:
            if node is None:
                continue
            if (same := pick.at.of_key.setdefault(node.thought.key, node.path)) == node.path:
                fresh.append(node)
            else:
                merged.append((node, same))
        return fresh, merged

    def learn(
        self, born: Sequence[tuple[_Pick, Node | None]], merged: Sequence[tuple[Node, Path]], failed: float
    ) -> None:
        """Back up the rewards, in the order in which the thoughts were asked for."""
        into = {node.path: path for node, path in merged}
        for pick, node in born:
            path = (*pick.at.node.path, pick.draw)
            if node is not None:
                child = _Arms(node, pick.at)
                child.own.add(node.score)
                pick.at.children.append(child)
                self.everyone.append(child)
                if self.best is None or node.score > self.best.score:
                    self.best = node
                self.score_of[path] = node.score
            reward = self.score_of.get(into.get(path, path), failed)
            pick.at.generated.add(reward)
            self.generators[pick.generator].add(reward)
            arms = pick.at
            arms.own.add(reward)
            while arms.parent is not None:
                arms.parent.continued.add(reward)
                arms = arms.parent
                arms.own.add(reward)

    def visited(self) -> tuple[Visited, ...]:
        """Every node with the rewards of its arm."""
        return tuple(
            Visited(arms.node, arms.own.n, arms.own.mean, tuple(child.node.path for child in arms.children), valued)
            for arms in self.everyone
            for valued in [arms.parent is not None]
        )

    def _wider(self, arms: _Arms, chance: Random) -> bool:
        """GEN or CONT, by one draw of each."""
        gen, cont = (self.posterior.draw(seen, chance) for seen in (arms.generated, arms.continued))
        return gen >= cont

    def _grows(self, arms: _Arms) -> bool:
        thought = arms.node.thought
        return not thought.terminal and (self.depth is None or arms.node.depth < self.depth)

    def _open(self, arms: _Arms) -> bool:
        return self._grows(arms) or any(self._open(child) for child in arms.children)
