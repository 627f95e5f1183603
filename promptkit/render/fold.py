"""Which lines of a tree to show when there is room for only so many: a pure function of the tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from promptkit.render.thoughts import Node, Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a node, the work going on under it, or what is not shown below it."""

    kind: Literal["node", "work", "rest"]
    path: Path  # the node; for work and rest, the node they hang under
    rails: tuple[bool, ...]  # for each level above, whether a line runs on downwards; the last is its own
    below: int = 0  # thoughts folded away under this node
    working: bool = False  # something in flight is folded away here
    dropped: tuple[tuple[str, int], ...] = ()  # how many were pruned, merged, illegal
    more: int = 0  # further thoughts left out for want of room


class Tree:
    """The nodes as a tree of what is worth a line."""

    def __init__(self, nodes: Mapping[Path, Node], working: Set[Path] = frozenset()) -> None:
        self.nodes = nodes
        self.children: dict[Path, list[Path]] = {}
        self.dropped: dict[Path, Counter[str]] = {}
        self.under: Counter[Path] = Counter()  # thoughts below, shown or not
        starred = {path[:n] for path, node in nodes.items() if node.status == "best" for n in range(len(path) + 1)}
        for path in sorted(nodes):
            if not path:
                continue
            for length in range(len(path)):
                self.under[path[:length]] += 1
            if nodes[path].dropped and path not in starred:
                self.dropped.setdefault(path[:-1], Counter())[nodes[path].status] += 1
            else:
                self.children.setdefault(path[:-1], []).append(path)
        self.working = {path for path in working if path in nodes and not self.children.get(path)}
        self.alive = {path[:n] for path in self._open() for n in range(len(path) + 1)}

    def _open(self) -> Iterable[Path]:
        yield from self.working
        yield from (path for path, node in self.nodes.items() if path and node.status == "open")

    def extra(self, path: Path) -> int:
        """Lines under a node that are not nodes."""
        return (path in self.dropped) + (path in self.working)

    def heights(self) -> dict[Path, int]:
        """For each node that can be seen, how many lines it takes unfolded, its own among them."""
        seen: list[Path] = [()]
        for path in seen:
            seen.extend(self.children.get(path, ()))
        heights: dict[Path, int] = {}
        for path in reversed(seen):
            heights[path] = 1 + self.extra(path) + sum(heights[child] for child in self.children.get(path, ()))
        return heights

    def touched(self, path: Path) -> int:
        """When anything last happened at the node or below it."""
        node = self.nodes.get(path)
        return node.touched if node else -1


def fold(tree: Tree, rows: int) -> list[Row]:
    """At most `rows` lines: closed branches fold first, least recently active first, then the others."""
    heights = tree.heights()
    folded: set[Path] = set()
    order = sorted(
        (path for path in heights if path and heights[path] > 1),
        key=lambda path: (path in tree.alive, tree.touched(path), -len(path)),
    )
    for path in order:
        if heights[()] <= rows:
            break
        if any(path[:length] in folded for length in range(1, len(path))):
            continue
        folded.add(path)
        saved = heights[path] - 1
        for length in range(len(path) + 1):
            heights[path[:length]] -= saved
    shown = list(tree.children.get((), ()))
    left_out = 0
    if heights[()] > rows:
        # Every branch is one line by now, and still they are too many: the liveliest stay.
        room = max(0, rows - 2)
        by_life = sorted(shown, key=lambda path: (path in tree.alive, tree.touched(path)), reverse=True)
        stay = set(by_life[:room])
        left_out = len(shown) - len(stay)
        shown = [path for path in shown if path in stay]
    lines = [Row("node", (), (), below=tree.under[()] if rows < 2 else 0, working=rows < 2 and bool(tree.alive))]
    if rows >= 2:
        _grow(tree, (), (), shown, left_out, folded, lines, squeezed=left_out > 0)
    return lines[: max(0, rows)]


def _grow(
    tree: Tree,
    path: Path,
    rails: tuple[bool, ...],
    children: list[Path],
    left_out: int,
    folded: Set[Path],
    lines: list[Row],
    squeezed: bool = False,
) -> None:
    dropped = tuple(tree.dropped.get(path, Counter()).most_common())
    work = path in tree.working and not squeezed
    rest = bool(dropped or left_out)
    for at, child in enumerate(children):
        own = (*rails, at < len(children) - 1 or rest or work)
        if child in folded:
            lines.append(Row("node", child, own, below=tree.under[child], working=child in tree.alive))
        else:
            lines.append(Row("node", child, own))
            _grow(tree, child, own, tree.children.get(child, []), 0, folded, lines)
    if work:
        lines.append(Row("work", path, (*rails, rest)))
    if rest:
        lines.append(Row("rest", path, (*rails, False), dropped=dropped, more=left_out))
