"""The sections there are, in the order they are measured: each imported when it is wanted."""

from __future__ import annotations

import importlib

from promptkit.bench.section import Bench, Section
from promptkit.errors import UnknownName

SECTIONS = {
    name: f"promptkit.bench.{name}"
    for name in ("game24", "grid", "words", "adaptive", "patterns", "verdicts", "reflection", "speed")
}


def known(name: str) -> str:
    """The name itself; UnknownName with the nearest one when there is no such section."""
    if name not in SECTIONS:
        raise UnknownName("section", name, SECTIONS)
    return name


async def measure(name: str, bench: Bench) -> Section:
    """A section, measured."""
    section: Section = await importlib.import_module(SECTIONS[name]).measure(bench)
    return section
