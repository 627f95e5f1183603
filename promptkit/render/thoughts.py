"""The thoughts of a search as they are drawn, and what can be told from a tree of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Path = tuple[int, ...]
NodeStatus = Literal["open", "kept", "pruned", "merged", "illegal", "best"]

# Proposals of a level are numbered like the thoughts they continue, best first: "tot/level-2/propose/0".
WORK_SPAN = re.compile(r"/level-(\d+)/(\w+)/(\d+)$")
NESTED = "~"  # marks the span of a strategy inside another


@dataclass(frozen=True, slots=True)
class Node:
    """A thought in the tree; `touched` is the number of the last record about it or anything below it."""

    path: Path
    thought: str = ""
    state: str = ""
    status: NodeStatus = "open"
    score: float | None = None
    verdicts: tuple[str | None, ...] = ()
    rank: int | None = None
    reason: str = ""
    into: Path | None = None
    verified: bool = False
    touched: int = -1

    @property
    def dropped(self) -> bool:
        """Whether the search has given it up."""
        return self.status in ("pruned", "merged", "illegal")

    @property
    def verdict(self) -> str | None:
        """The most frequent readable verdict, the first of equals; None when there is none."""
        counts = Counter(word for word in self.verdicts if word is not None)
        return counts.most_common(1)[0][0] if counts else None


def grown(tree: Mapping[Path, Node]) -> int:
    """How many thoughts a tree has; its root is none."""
    return len(tree) - (() in tree)


def kept(tree: Mapping[Path, Node]) -> int:
    """How many thoughts of a tree the search kept."""
    return sum(node.status in ("kept", "best") and node.path != () for node in tree.values())


def in_order(spans: Iterable[str]) -> list[str]:
    """As they began, those side by side by their numbers: concurrent ones begin in any order."""
    first: dict[str, int] = {}
    keys = {}
    for at, span in enumerate(spans):
        where, _, name = span.rpartition("/")
        number = name.removeprefix(NESTED)
        keys[span] = (first.setdefault(where, at), int(number) if number.isdecimal() else -1)
    return sorted(keys, key=lambda span: keys[span])


def continued(span: str, tree: Mapping[Path, Node]) -> Path | None:
    """The thought a proposal continues; None for any other work."""
    found = WORK_SPAN.search(span)
    if not found or found[2] != "propose":
        return None
    level, index = int(found[1]), int(found[3])
    if level == 1:
        return () if index == 0 else None
    kept = [node for path, node in tree.items() if len(path) == level - 1 and node.rank is not None]
    ranked = sorted(kept, key=lambda node: node.rank or 0)
    return ranked[index].path if index < len(ranked) else None


def frontier(tree: Mapping[Path, Node]) -> set[Path]:
    """The kept thoughts of the deepest level nobody has grown yet: what a search is at when it does not say."""
    parents = {path[:-1] for path in tree if path}
    leaves = {path for path, node in tree.items() if path not in parents and (path == () or node.status == "kept")}
    deepest = max((len(path) for path in leaves), default=0)
    return {path for path in leaves if len(path) == deepest}
