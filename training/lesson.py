"""What the built-in model learns from: one conversation in a pack's own templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question put through a template, the reply to learn, and the turns of the same template before it."""

    pack: str
    template: str
    inputs: Mapping[str, object]
    reply: str
    shots: tuple[tuple[Mapping[str, object], str], ...] = ()  # earlier (inputs, reply) turns of the same template
