"""Layers by name around any strategy: whatever the order they are asked for in, they go inside one another in one.

From the inside: `reflect` mends the draft of the strategy, `structured` gives the mended text its form, `pattern` says
what else is wanted, `persona` says to every call of these who answers and who listens, and `descriptive` completes the
question before any of them sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from promptkit import composition, registry
from promptkit.errors import BadInput
from promptkit.types import Strategy

NAMES = ("persona", "audience", "structured", "pattern", "descriptive", "reflect")  # keywords, and flags with --
_EXAMPLES = {
    "persona": "a terse physicist",
    "audience": "a ten-year-old",
    "structured": "table:city,people",
    "pattern": "fact-check",
}


def parted(strategy: str | Strategy, asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The layers that are asked for, and what is a parameter of the strategy itself: `audience` of `persona`."""
    kind = registry.load("strategy", composition.read(strategy)[0]) if isinstance(strategy, str) else None
    own = {f.name for f in fields(kind) if f.init} if kind else set()
    given = {name: value for name, value in asked.items() if value not in (None, False, (), [])}
    return (
        {name: value for name, value in given.items() if name not in own},
        {name: value for name, value in given.items() if name in own},
    )


def layered(strategy: Strategy, asked: Mapping[str, Any]) -> Strategy:
    """The strategy inside the layers that are asked for."""
    if empty := next((name for name, value in asked.items() if isinstance(value, str) and not value.strip()), None):
        raise BadInput(f"{empty} is empty", hint=f'e.g. {empty}="{_EXAMPLES[empty]}"', parameter=empty)
    for name, params in _layers(asked):
        strategy = composition.made(name, {**params, "of": strategy})
    return strategy


def _layers(asked: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The strategies that the layers are, the innermost first."""
    found: list[tuple[str, dict[str, Any]]] = []
    if asked.get("reflect"):
        found.append(("reflect", {}))
    if form := asked.get("structured"):
        found.append(("structured", {"form": form}))
    if blocks := asked.get("pattern"):
        found.append(("pattern", {"use": (blocks,) if isinstance(blocks, str) else tuple(blocks)}))
    if asked.get("persona") or asked.get("audience"):
        found.append(("persona", {"who": asked.get("persona"), "audience": asked.get("audience")}))
    if asked.get("descriptive"):
        known = {"audience": "audience", "structured": "format"}  # what other layers say, nobody has to assume
        found.append(("descriptive", {"known": tuple(word for name, word in known.items() if asked.get(name)) or None}))
    return found
