"""Names to things: the built-in table, then entry points. Nothing is imported before it is used."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from promptkit.errors import UnknownName

BUILT_IN: dict[str, dict[str, str]] = {
    "provider": {
        "builtin": "promptkit.providers.builtin:open_builtin",
        "groq": "promptkit.providers.groq:open_groq",
        "llamacpp": "promptkit.providers.llamacpp:open_llamacpp",
        "ollama": "promptkit.providers.ollama:open_ollama",
        "openai": "promptkit.providers.openai:open_openai",
        "scripted": "promptkit.providers.scripted:open_scripted",
    },
    "strategy": {
        "direct": "promptkit.strategies.direct:Direct",
        "cot": "promptkit.strategies.cot:ChainOfThought",
        "sc": "promptkit.strategies.sc:SelfConsistency",
        "tot": "promptkit.strategies.tot:TreeOfThoughts",
    },
    "world": {
        "game24": "promptkit.worlds.game24:Game24",
    },
}
GROUPS = {"provider": "promptkit.providers", "strategy": "promptkit.strategies", "world": "promptkit.worlds"}
LISTINGS = {"strategy": "promptkit strategies", "provider": "promptkit models"}


@cache
def _plugins(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUPS[kind])}


def names(kind: str) -> list[str]:
    """Every name of that kind, built in and plugged in, without importing any."""
    return sorted({*BUILT_IN[kind], *_plugins(kind)})


def load(kind: str, name: str) -> Any:
    """The thing itself; UnknownName with the nearest name when there is none."""
    target = BUILT_IN[kind].get(name)
    if target is None:
        point = _plugins(kind).get(name)
        if point is None:
            raise UnknownName(kind, name, names(kind), listing=LISTINGS.get(kind, ""))
        return point.load()
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
