"""What becomes of thoughts, said to whoever watches."""

from __future__ import annotations

from promptkit.algorithms.search.nodes import Level, Path, Turn
from promptkit.events import LevelDone, NodeMerged, NodePruned, NodeSelected, emit


class Reporter:
    """Turns a search's reports into events."""

    def __init__(self, depth: int, levels: bool) -> None:
        self.depth = depth
        self.levels = levels
        self.turns = 0
        self.stop = ""  # why the search ended, where it said so
        self._chosen: dict[Path, int] = {}

    def level(self, level: Level) -> None:
        """A level: what was kept at which rank, what was dropped, and how many were tied at the cut."""
        worst = level.kept[-1].score if level.kept else None
        for node in level.pruned:
            emit(NodePruned(node.path, "tie" if node.score == worst and level.tied else "score"))
        for rank, node in enumerate(level.kept):
            emit(NodeSelected(node.path, rank))
        seen = len(level.kept) + len(level.pruned)
        emit(LevelDone(level.level, self.depth, len(level.kept), seen, level.tied))
        self.stop = level.stop

    def turn(self, turn: Turn) -> None:
        """A turn of a search without levels: what was visited, in its order, and what was dropped why."""
        self.turns = turn.number
        for node, into in turn.merged:
            emit(NodeMerged(node.path, into))
        for node, reason in turn.pruned:
            emit(NodePruned(node.path, reason))
        for node in turn.chosen:
            if node.path and node.path not in self._chosen:
                self._chosen[node.path] = len(self._chosen)
                emit(NodeSelected(node.path, self._chosen[node.path]))
        self.stop = turn.stop
