"""The sections there are, in the order they are measured: each imported when it is wanted."""

from __future__ import annotations

import importlib
from dataclasses import replace

from promptkit.algorithms.stats.paired import FEW
from promptkit.bench.section import Bench, Section
from promptkit.render.amounts import many

SECTIONS = {
    name: f"promptkit.bench.{name}"
    for name in ("game24", "grid", "words", "adaptive", "patterns", "verdicts", "reflection", "speed")
}
DRAWN = ("game24", "words")  # those with a chart


async def measure(name: str, bench: Bench) -> Section:
    """A section, measured; where there are too few questions for its intervals to say much, it says so first."""
    section: Section = await importlib.import_module(SECTIONS[name]).measure(bench)
    if bench.items >= FEW or name == "speed":  # which has no interval
        return section
    few = (
        f"{many(bench.items, 'question')}, fewer than {FEW}: intervals are wide, and little can be told apart. All but "
        "those of an AUC are Wilson's: resampling so few makes an interval too narrow, as it does there."
    )
    return replace(section, notes=(few, *section.notes))
