"""Prompting strategies as small, budgeted, replayable programs over any model.

import promptkit as pk
pk.run("tot", "1 4 9 11", pack="game24").answer
"""

from __future__ import annotations

TYPE_CHECKING = False  # as a type checker sees it, without importing typing: that would be half of the whole import

__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Any

    from promptkit.api import areplay, aresume, arun, open_journal, plan, replay, resume, run, runs, stream
    from promptkit.errors import PromptkitError
    from promptkit.events import Record, emit, span, watch
    from promptkit.interop.langchain.runnable import as_runnable
    from promptkit.providers.scripted import Scripted
    from promptkit.recording import record
    from promptkit.types import Capabilities, Completion, Message, Model, Outcome, Problem, Request, Strategy, Usage

_HOMES = {
    "promptkit.api": "aresume areplay arun open_journal plan replay resume run runs stream",
    "promptkit.errors": "PromptkitError",
    "promptkit.events": "Record emit span watch",
    "promptkit.interop.langchain.runnable": "as_runnable",
    "promptkit.providers.scripted": "Scripted",
    "promptkit.recording": "record",
    "promptkit.types": "Capabilities Completion Message Model Outcome Problem Request Strategy Usage",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Capabilities",
    "Completion",
    "Message",
    "Model",
    "Outcome",
    "Problem",
    "PromptkitError",
    "Record",
    "Request",
    "Scripted",
    "Strategy",
    "Usage",
    "__version__",
    "areplay",
    "aresume",
    "arun",
    "as_runnable",
    "emit",
    "open_journal",
    "plan",
    "record",
    "replay",
    "resume",
    "run",
    "runs",
    "span",
    "stream",
    "watch",
]


def __getattr__(name: str) -> Any:
    # Loaded on use (PEP 562): importing promptkit costs nothing.
    if name not in _HOME:
        raise AttributeError(f"module 'promptkit' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
