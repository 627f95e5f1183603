"""The sections there are, in the order they are measured: each imported when it is wanted."""

from __future__ import annotations

import importlib

from promptkit.bench.section import Bench, Section

SECTIONS = {
    name: f"promptkit.bench.{name}"
    for name in ("game24", "grid", "words", "adaptive", "patterns", "verdicts", "reflection", "speed")
}
DRAWN = ("game24", "words")  # those with a chart


async def measure(name: str, bench: Bench) -> Section:
    """A section, measured."""
    section: Section = await importlib.import_module(SECTIONS[name]).measure(bench)
    return section
