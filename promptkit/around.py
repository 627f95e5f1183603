"""A model around a model: what a layer of a run and a strategy that touches every request have in common."""

from __future__ import annotations

from promptkit.types import Capabilities, Model


class Around:
    """Answers to its inner model's name and can what that can; who inherits says what `complete` does."""

    __slots__ = ()

    inner: Model

    @property
    def id(self) -> str:
        """The inner model's."""
        return self.inner.id

    @property
    def capabilities(self) -> Capabilities:
        """The inner model's."""
        return self.inner.capabilities
