"""The exercises by name, each loaded when it is wanted."""

from __future__ import annotations

import importlib
from pathlib import Path

from promptkit.errors import UnknownName
from promptkit.journal import Journal
from promptkit.lessons.desk import MODEL, Desk
from promptkit.lessons.exercise import Exercise
from promptkit.types import Model

LESSONS = {
    "vote": "predict which answer wins a vote, and whether it is right",
    "tree": "choose what a tree search keeps, and see whether 24 can still be reached",
    "beam": "spot the chain of thought with a wrong equation",
    "top-p": "say which tokens top-p and min-p keep",
    "samples": "say when a stopping rule ends a vote",
    "examples": "find the worked example that tells most",
}
_HOMES = {name: f"promptkit.lessons.{name.replace('-', '_')}" for name in LESSONS} | {
    "examples": "promptkit.lessons.shots"
}


def exercise(
    name: str, seed: int = 0, *, model: str | Model = MODEL, journal: str | Path | Journal | None = None
) -> Exercise:
    """The exercise of that name, made now; the same seed gives the same one. UnknownName with the nearest name."""
    if name not in LESSONS:
        raise UnknownName("exercise", name, LESSONS, listing="promptkit learn")
    desk = Desk(name=name, seed=seed, model=model, journal=journal)
    made: Exercise = importlib.import_module(_HOMES[name]).made(desk)
    return made
