"""Thoughts from a model: one round of calls for all states that are expanded at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from promptkit.algorithms.search.nodes import Expand, Node, Path, Thought, Widen
from promptkit.events import NodeAdded, NodeMerged, NodePruned, Substituted, emit, emit_once
from promptkit.lazy import Lazy
from promptkit.sampling import Sample, ask_all, hold
from promptkit.searching.priors import EQUAL, OFTEN, WANTED, log_probabilities, shared
from promptkit.searching.states import States
from promptkit.searching.steps import lines
from promptkit.types import Completion, Model, Request

CUT = "cut off"
Reached = Callable[[Thought, Path], None]  # told of every goal


@dataclass(slots=True)
class _Born:
    """What the replies for one state came to."""

    thoughts: list[Thought] = field(default_factory=list)
    weights: list[float | None] = field(default_factory=list)  # logs of what each thought is worth as a prior
    lines: set[str] = field(default_factory=set)  # what was said for them
    left_out: list[tuple[str, str]] = field(default_factory=list)  # with the reason


class Generator:
    """Expands states; what it has asked and heard so far decides whether a lost call ends the search."""

    def __init__(self, states: States, model: Model, reached: Reached) -> None:
        self.states = states
        self.terms = states.terms
        self.model = model
        self.reached = reached
        self.joined = 0  # thoughts that are in the tree
        self.asked: list[Sample] = []
        self.offers: dict[Path, list[str]] = {}  # of states that are widened by lists: all that was offered
        self.used: dict[Path, int] = {}  # … how much of it was taken
        self.lists: dict[Path, int] = {}  # … and how many lists they were asked for
        self.logprobs = self.terms.priors and model.capabilities.logprobs
        if self.terms.priors and not self.logprobs:
            emit_once(Substituted(WANTED, OFTEN if self.terms.generate == "sample" else EQUAL))

    async def expanded(self, step: Expand, where: str) -> list[list[Thought]]:
        """The thoughts of each node, in the order in which they were offered; what is not followed is said."""
        template = self.states.template(self.terms.generate)
        k = step.k or self.terms.k
        draws = k if self.terms.generate == "sample" else 1

        def request(at: int) -> Request:
            return self._request(template.name, step.nodes[at // draws], k).at(at % draws)

        requests = Lazy(range(draws * len(step.nodes)), request)
        born = [_Born() for _ in step.nodes]
        first: dict[tuple[int, str], Path] = {}

        def hear(got: Sample) -> None:
            at = got.index // draws
            self._hear(got, step.nodes[at], born[at], first, step.k)

        await self._ask(requests, f"{where}/{template.name}", hear)
        for node, each in zip(step.nodes, born, strict=True):
            for i, (line, reason) in enumerate(each.left_out, start=len(each.thoughts)):
                emit(NodePruned((*node.path, i), reason, line))
        return [shared(each.thoughts, each.weights) if self.terms.priors else each.thoughts for each in born]

    async def widened(self, step: Widen, where: str) -> list[Thought | None]:
        """One thought more for each node and draw; None for one that does not come or is not followed."""
        asked = list(zip(step.nodes, step.draws, strict=True))
        texts = await (self._listed if self.terms.generate == "propose" else self._sampled)(asked, where)
        found: list[Thought | None] = []
        for (node, draw), text in zip(asked, texts, strict=True):
            path = (*node.path, draw)
            thought = self.states.follow(node.thought.state, text) if text else None
            if isinstance(thought, str):
                emit(NodePruned(path, thought, text or ""))
                thought = None
            if thought and self._join(thought, path) and thought.goal:
                self.reached(thought, path)
            found.append(thought)
        return found

    async def _sampled(self, asked: Sequence[tuple[Node, int]], where: str) -> list[str]:
        """Each draw is a sample of its own; one that was cut off says nothing."""
        requests = [self._request("sample", node, 1).at(draw) for node, draw in asked]
        texts = [""] * len(asked)

        def hear(got: Sample) -> None:
            if got.completion and got.completion.finish != "length":
                texts[got.index] = got.completion.text.strip()

        await self._ask(requests, f"{where}/sample", hear)
        return texts

    async def _listed(self, asked: Sequence[tuple[Node, int]], where: str) -> list[str]:
        """A draw is the next of the lines that the node was offered: another list is asked for when they are used up.

        Where that says nothing new the draw brings nothing, and the search learns that there is no more to be had.
        """
        wanted = Counter(node.path for node, _ in asked)
        nodes = {node.path: node for node, _ in asked}
        short = [
            node
            for path, node in nodes.items()
            if self.used.get(path, 0) + wanted[path] > len(self.offers.setdefault(path, []))
        ]
        requests = [self._request("propose", node, self.terms.k).at(self.lists.get(node.path, 0)) for node in short]

        def hear(got: Sample) -> None:
            path = short[got.index].path
            self.lists[path] = self.lists.get(path, 0) + 1
            listed = lines(got.completion) if got.completion else []
            self.offers[path] += [line for line in dict.fromkeys(listed) if line not in self.offers[path]]

        await self._ask(requests, f"{where}/propose", hear)
        texts: list[str] = []
        for node, _ in asked:
            at = self.used.get(node.path, 0)
            offers = self.offers[node.path]
            texts.append(offers[at] if at < len(offers) else "")
            self.used[node.path] = min(at + 1, len(offers))
        return texts

    @property
    def failed(self) -> int:
        """Calls that brought nothing."""
        return sum(got.error is not None for got in self.asked)

    async def _ask(self, requests: Sequence[Request], where: str, hear: Callable[[Sample], None]) -> None:
        """One round. A level that is lost as a whole ends the search; where a round may be one call, only all of it."""
        quorum = 0.0 if self.terms.levels else None
        if not requests:
            return
        self.asked += await ask_all(self.model, requests, where=where, each=hear, quorum=quorum)
        hold(self.asked, 0.0)

    def _request(self, name: str, node: Node, k: int) -> Request:
        request = self.states.request(name, node.thought.state, k=k)
        if self.logprobs:
            request = replace(request, logprobs=1)
        if self.terms.lanes and node.path:  # equal states of two lanes go on independently
            request = replace(request, draw=(node.path[0] % self.terms.lanes, *request.draw))
        return request

    def _hear(
        self, got: Sample, node: Node, born: _Born, first: dict[tuple[int, str], Path], wanted: int | None
    ) -> None:
        said = self._thoughts(got, born)
        likely: list[float | None] = [0.0] * len(said)
        if self.logprobs and got.completion:
            likely = log_probabilities(got.completion, said)
        for line, weight in zip(said, likely, strict=True):
            thought = self.states.follow(node.thought.state, line)
            if isinstance(thought, str):
                born.left_out.append((line, thought))
                continue
            if wanted is not None and len(born.thoughts) >= wanted:
                born.left_out.append((line, "breadth"))
                continue
            path = (*node.path, len(born.thoughts))
            born.thoughts.append(thought)
            born.weights.append(-math.inf if self.logprobs and line in born.lines else weight)
            born.lines.add(line)
            if not self._join(thought, path):
                continue
            lane = path[0] % self.terms.lanes if self.terms.lanes else 0
            if self.terms.levels and (same := first.setdefault((lane, thought.key), path)) != path:
                emit(NodeMerged(path, same))
            if thought.goal:
                self.reached(thought, path)

    def _thoughts(self, got: Sample, born: _Born) -> list[str]:
        """The thoughts in a reply: its lines when they were proposed, all of it when one was sampled."""
        if got.completion is None:
            return []
        if self.terms.generate == "propose":
            return lines(got.completion)
        return self._whole(got.completion, born)

    def _whole(self, completion: Completion, born: _Born) -> list[str]:
        text = completion.text.strip()
        if text and completion.finish == "length":
            born.left_out.append((text, CUT))
            return []
        return [text] if text else []

    def _join(self, thought: Thought, path: Path) -> bool:
        """Say that a thought is in the tree, or that there is no room left for it."""
        self.joined += 1
        if self.terms.nodes is not None and self.joined > self.terms.nodes:
            self.joined -= 1
            emit(NodePruned(path, "cap", thought.text))
            return False
        emit(NodeAdded(path, thought.text, self.states.show(thought.state), thought.goal))
        return True
