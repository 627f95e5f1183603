"""What a run has come to, folded from its records: enough to draw any frame, and nothing about drawing."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod
from typing import Any

from promptkit import events as e
from promptkit.events import Record
from promptkit.render.stored import restore
from promptkit.render.thoughts import (
    NESTED,
    WORK_SPAN,
    Node,
    NodeStatus,
    Path,
    continued,
    frontier,
    grown,
    in_order,
    kept,
)
from promptkit.types import Usage

_DRAFT_LIMIT = 100_000  # characters kept of one reply; a frame shows its end
_DRAFTS_KEPT = 32  # finished replies remembered
_INSIDE = re.compile(r"(?:.*/)?~[^/]*")  # of a span: up to the innermost strategy that it is in


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply as far as it is written."""

    span: str
    draw: tuple[int, ...]
    text: str = ""
    reasoning: str = ""
    done: bool = False
    node: Path | None = None  # the thought it continues, if it does


@dataclass(slots=True)
class Snapshot:
    """A run at one moment. Nobody changes it once it is handed out."""

    run: e.RunStarted | None = None
    ended: e.RunEnded | None = None
    started_at: float | None = None
    last_at: float = 0.0
    nodes: dict[Path, Node] = field(default_factory=dict)  # of the run's own tree, or of the first one inside
    trees: dict[str, dict[Path, Node]] = field(default_factory=dict)  # every tree by the span of its root
    called: dict[str, str] = field(default_factory=dict)  # the names of strategies inside, by span
    working: frozenset[Path] = frozenset()  # nodes a call in flight is about
    best: e.Best | None = None
    votes: e.VotesCounted | None = None
    level: e.LevelDone | None = None
    levels_done: int = 0
    progress: float = 0.0  # 0 to 1, never falling
    drafts: tuple[Draft, ...] = ()
    calls: int = 0
    cached: int = 0
    failed: int = 0
    in_flight: int = 0
    tokens: int = 0
    spent: Usage = field(default_factory=Usage)
    unread: int = 0
    warnings: dict[e.Warned, int] = field(default_factory=dict)  # how often each was said
    retries: int = 0
    retry_until: float = 0.0
    budget: e.BudgetHit | None = None
    stopped: str = ""

    @property
    def thoughts(self) -> int:
        """Nodes of all trees but the roots."""
        return sum(map(grown, self.trees.values()))

    @property
    def kept(self) -> int:
        """Thoughts the searches kept."""
        return sum(map(kept, self.trees.values()))

    @property
    def only_nested(self) -> bool:
        """Whether every tree there is belongs to a strategy inside another."""
        return bool(self.trees) and all(NESTED in span for span in self.trees)

    def place(self, span: str) -> str:
        """Where in the run a span is, in words: `samples-0 · tot 1`; "" for the run itself."""
        words, path = [], ""
        for part in span.split("/"):
            path = f"{path}/{part}" if path else part
            inside = part.startswith(NESTED)
            words.append(f"{self.called.get(path, 'inside')} {part.removeprefix(NESTED)}" if inside else part)
        return " · ".join(words[1:])

    @property
    def depth(self) -> int:
        """How many levels the search has, 0 when nobody said."""
        wanted = self.run.params.get("depth") if self.run else None
        return wanted if isinstance(wanted, int) and wanted > 0 else self.level.depth if self.level else 0

    @property
    def at_level(self) -> int:
        """The level in progress, counted from 1; 0 before the first thought."""
        deepest = max((len(path) for path in self.nodes), default=0)
        reached = max(deepest, self.levels_done + (0 if self.ended else 1) if self.levels_done else 0)
        return min(reached, self.depth) if self.depth else reached

    def seconds(self, now: float) -> float:
        """How long the run has been going, or went."""
        if self.ended:
            return self.ended.seconds
        return max(0.0, now - self.started_at) if self.started_at is not None else 0.0


class RunState:
    """Feed it records from one thread, take snapshots from another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = Snapshot()
        self._trees: dict[str, dict[Path, Node]] = {}  # span of the root -> its nodes
        self._drafts: dict[tuple[str, tuple[int, ...]], Draft] = {}
        self._flying: Counter[tuple[str, str, tuple[int, ...]]] = Counter()
        self._level_calls = [0, 0]  # started and ended since the last level was done

    def feed(self, record: Record) -> None:
        """Take one record into account."""
        with self._lock:
            now = self._now
            now.started_at = record.at if now.started_at is None else now.started_at
            now.last_at = max(now.last_at, record.at)
            now.spent = record.spent if record.spent != Usage() else now.spent
            self._on(record.event, record)

    def feed_json(self, row: Mapping[str, Any]) -> None:
        """Take one stored record into account; what cannot be read is passed over."""
        record = restore(row)
        if record is not None:
            self.feed(record)

    def snapshot(self) -> Snapshot:
        """The run as it stands, safe to read while records keep coming."""
        with self._lock:
            now = self._now
            trees = {span: dict(self._trees[span]) for span in in_order(self._trees)}
            root = next((span for span in trees if NESTED not in span), next(iter(trees), ""))
            tree = trees.get(root, {})
            return replace(
                now,
                nodes=tree,
                trees=trees,
                called=dict(now.called),
                working=frozenset(self._working(root, tree)),
                drafts=tuple(self._drafts.values()),
                warnings=dict(now.warnings),
                in_flight=self._flying.total(),
                tokens=now.spent.tokens or now.tokens,
            )

    def _working(self, root: str, tree: Mapping[Path, Node]) -> set[Path]:
        """The thoughts being continued: by the names of the spans, or whatever has not grown yet."""
        spans = [span for span, _, _ in self._flying if not root or span.startswith(f"{root}/")]
        if any(WORK_SPAN.search(span) for span in spans):
            return {node for span in spans if (node := continued(span, tree)) is not None}
        return frontier(tree) if spans and tree else set()

    def _node(self, record: Record, path: Path) -> Node:
        """The node, touched; with what leads to it, if it is new."""
        tree = self._tree(record.span)
        for length in range(len(path) + 1):
            part = path[:length]
            tree[part] = replace(tree.get(part, Node(part)), touched=record.seq)
        return tree[path]

    def _tree(self, span: str) -> dict[Path, Node]:
        return self._trees.setdefault(self._root(span), {})

    def _root(self, span: str) -> str:
        """The span whose tree it grows: of the nearest root, and never one outside the strategy it is in."""
        owners = [root for root in self._trees if root == "" or span == root or span.startswith(f"{root}/")]
        inside = _INSIDE.match(span)
        return max([*owners, inside[0] if inside else ""], key=len)

    def _put(self, record: Record, node: Node) -> None:
        self._tree(record.span)[node.path] = node

    def _grown(self, span: str) -> Mapping[Path, Node]:
        """The tree a span grows, which there may not be."""
        return self._trees.get(self._root(span), {})

    @singledispatchmethod
    def _on(self, event: e.Event, record: Record) -> None:
        """Spans need no memory here: records carry their path."""

    @_on.register
    def _(self, event: e.RunStarted, record: Record) -> None:
        if self._now.run is None:
            self._now.run, self._now.started_at = event, record.at

    @_on.register
    def _(self, event: e.SpanStarted, record: Record) -> None:
        if event.strategy:
            self._now.called[record.span] = event.strategy

    @_on.register
    def _(self, event: e.RunEnded, record: Record) -> None:
        if NESTED not in record.span:
            self._now.ended, self._now.progress = event, 1.0
            self._flying.clear()

    @_on.register
    def _(self, event: e.Delta, record: Record) -> None:
        key = (record.span, event.draw)
        draft = self._drafts.get(key) or Draft(*key, node=continued(record.span, self._grown(record.span)))
        if event.reasoning:
            draft = replace(draft, reasoning=(draft.reasoning + event.text)[-_DRAFT_LIMIT:])
        else:
            draft = replace(draft, text=(draft.text + event.text)[-_DRAFT_LIMIT:])
        self._drafts[key] = draft

    @_on.register
    def _(self, event: e.CallStarted, record: Record) -> None:
        self._flying[(record.span, event.key, event.draw)] += 1
        self._drafts.pop((record.span, event.draw), None)
        self._level_calls[0] += 1

    @_on.register
    def _(self, event: e.CallEnded, record: Record) -> None:
        now, flight, key = self._now, (record.span, event.key, event.draw), (record.span, event.draw)
        self._flying[flight] -= 1
        if self._flying[flight] <= 0:
            del self._flying[flight]
        now.calls += 1
        now.cached += event.cached
        now.failed += bool(event.error)
        now.tokens += 0 if event.cached else event.input_tokens + event.output_tokens
        self._level_calls[1] += 1
        self._advance()
        if key in self._drafts:
            self._drafts[key] = replace(self._drafts[key], done=True)
        finished = [key for key, draft in self._drafts.items() if draft.done]
        if len(finished) > _DRAFTS_KEPT:
            del self._drafts[finished[0]]

    @_on.register
    def _(self, event: e.HumanAnswered, record: Record) -> None:
        # What was asked and answered stands above the frame, whether or not the end of the call was told.
        asked = event.question.strip()
        self._drafts = {
            key: draft
            for key, draft in self._drafts.items()
            if not draft.done and (not asked or asked not in draft.text)
        }

    @_on.register
    def _(self, event: e.Retrying, record: Record) -> None:
        now = self._now
        now.retries += 1
        now.retry_until = max(now.retry_until, record.at + event.wait)
        # The next attempt writes the reply anew. Which draw failed is not said; with one it is plain.
        open_here = [key for key, draft in self._drafts.items() if key[0] == record.span and not draft.done]
        if len(open_here) == 1:
            del self._drafts[open_here[0]]

    @_on.register
    def _(self, event: e.SampleRead, record: Record) -> None:
        self._now.unread += event.answer is None and not event.error

    @_on.register
    def _(self, event: e.VotesCounted, record: Record) -> None:
        if NESTED not in record.span:
            self._now.votes = event
            if event.n > 0:
                self._now.progress = max(self._now.progress, min(1.0, event.seen / event.n))

    @_on.register
    def _(self, event: e.NodeAdded, record: Record) -> None:
        if event.node == ():
            self._trees.setdefault(record.span, {})
        node = self._node(record, event.node)
        verified = node.verified or event.verified
        self._put(record, replace(node, thought=event.thought, state=event.state, verified=verified))

    @_on.register
    def _(self, event: e.NodeValued, record: Record) -> None:
        node = self._node(record, event.node)
        self._put(record, replace(node, score=event.score, verdicts=event.verdicts))

    @_on.register
    def _(self, event: e.NodeMerged, record: Record) -> None:
        self._put(record, replace(self._node(record, event.node), status="merged", into=event.into))

    @_on.register
    def _(self, event: e.NodePruned, record: Record) -> None:
        node = self._node(record, event.node)
        status: NodeStatus = "illegal" if event.reason == "illegal" else "pruned"
        if node.status != "best":
            thought = node.thought or event.thought
            self._put(record, replace(node, status=status, reason=event.reason, thought=thought))

    @_on.register
    def _(self, event: e.NodeSelected, record: Record) -> None:
        node = self._node(record, event.node)
        status: NodeStatus = "best" if node.status == "best" else "kept"
        self._put(record, replace(node, status=status, rank=event.rank))

    @_on.register
    def _(self, event: e.LevelDone, record: Record) -> None:
        if NESTED in record.span:
            return
        self._now.level = event
        self._now.levels_done += 1
        self._level_calls = [0, 0]
        self._advance()

    @_on.register
    def _(self, event: e.Best, record: Record) -> None:
        if NESTED not in record.span:
            self._now.best = event if event.answer is not None else None
        if event.node is not None:
            tree = self._tree(record.span)
            for path, node in tree.items():
                if node.status == "best":
                    tree[path] = replace(node, status="kept")
            node = self._node(record, event.node)
            self._put(record, replace(node, status="best", verified=node.verified or event.verified))

    @_on.register
    def _(self, event: e.Warned, record: Record) -> None:
        self._now.warnings[event] = self._now.warnings.get(event, 0) + 1

    @_on.register
    def _(self, event: e.BudgetHit, record: Record) -> None:
        self._now.budget = event

    @_on.register
    def _(self, event: e.Stopped, record: Record) -> None:
        if NESTED not in record.span:
            self._now.stopped = event.reason

    def _advance(self) -> None:
        now, (started, ended) = self._now, self._level_calls
        if depth := now.depth:
            # Calls of this level still to come are unknown, so a level is never quite done before it says so.
            share = 0.8 * min(1.0, ended / started) if started else 0.0
            now.progress = max(now.progress, min(1.0, (now.levels_done + share) / depth))


def rebuild(rows: Iterable[Mapping[str, Any]]) -> Snapshot:
    """A finished run from its stored events."""
    state = RunState()
    for row in rows:
        state.feed_json(row)
    return state.snapshot()
