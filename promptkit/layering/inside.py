"""The span of a layer. It is none of a strategy inside another: the best answers in it are the run's as they come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from promptkit.events import span
from promptkit.sampling import called
from promptkit.types import Strategy


@contextmanager
def layer(name: str, inside: Strategy) -> Iterator[None]:
    """What the strategy inside a layer does happens in a span of the layer's name."""
    with span(name, called(inside)):
        yield
