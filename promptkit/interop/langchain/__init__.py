"""LangChain both ways: models, strategies and tools as Runnables, and promptkit's budget and journal in its agents."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promptkit.interop.langchain.chat_model import PromptkitChatModel, as_chat_model
    from promptkit.interop.langchain.middleware import PromptkitMiddleware
    from promptkit.interop.langchain.runnable import StrategyRunnable, Undecided, as_runnable
    from promptkit.interop.langchain.tools import Tool, from_langchain_tool
    from promptkit.providers.langchain import from_langchain

_HOMES = {
    "promptkit.interop.langchain.chat_model": "PromptkitChatModel as_chat_model",
    "promptkit.interop.langchain.middleware": "PromptkitMiddleware",
    "promptkit.interop.langchain.runnable": "StrategyRunnable Undecided as_runnable",
    "promptkit.interop.langchain.tools": "Tool from_langchain_tool",
    "promptkit.providers.langchain": "from_langchain",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "PromptkitChatModel",
    "PromptkitMiddleware",
    "StrategyRunnable",
    "Tool",
    "Undecided",
    "as_chat_model",
    "as_runnable",
    "from_langchain",
    "from_langchain_tool",
]


def __getattr__(name: str) -> Any:
    # Loaded on use: LangChain's agents alone take a second, and a chain needs none of them.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
