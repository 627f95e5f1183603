"""What the tests look at in a run."""

from __future__ import annotations

from typing import Any

from promptkit import events
from promptkit.cli.form import as_json
from promptkit.events import Record
from promptkit.types import Outcome, plain

TREE = ("NodeAdded", "NodeValued", "NodePruned", "NodeMerged", "NodeSelected", "LevelDone")


class Seen:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def __call__(self, record: Record) -> None:
        self.records.append(record)

    def of(self, *kinds: type[Any]) -> list[Any]:
        return [record.event for record in self.records if isinstance(record.event, kinds)]

    @property
    def tree(self) -> list[Any]:
        """The search tree, each event with the span it happened in; when it happened does not matter."""
        return tree([record.to_json() for record in self.records])

    @property
    def best(self) -> list[str | None]:
        return [event.answer for event in self.of(events.Best)]


def tree(stored: list[dict[str, Any]]) -> list[Any]:
    """The tree of events as the journal keeps them."""
    return [
        [event["span"], event["type"], {k: v for k, v in plain(event).items() if k not in ("seq", "at", "spent")}]
        for event in stored
        if event["type"] in TREE
    ]


def facts(outcome: Outcome) -> dict[str, Any]:
    """An outcome in its stable form, without what may differ between two equal runs."""
    body = as_json(outcome)
    for name in ("run", "seconds", "cost_usd"):
        del body[name]
    del body["usage"]["cached_calls"]
    return body
