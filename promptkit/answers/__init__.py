"""Readers: from a model's reply to a canonical answer, or to the honest statement that there is none.

A reader works in layers and says which one fired. It first drops the reasoning and a question the model went on to
ask itself; then the last `####`, `\\boxed{}` or "the answer is" in a dozen languages counts, later corrections win,
and what is negated, hedged or asked does not count. Only `number` may fall back on the last number of the text, and
only where a sentence asserts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from promptkit.answers.reading import Ambiguous, Read, Reader, Reading
from promptkit.errors import UnknownName
from promptkit.thinking import set_aside

__all__ = ["READERS", "Ambiguous", "Read", "Reader", "Reading", "names", "read"]

READERS = ("number", "choice", "expression", "boxed", "final")  # a module each, imported on use: they cost 20 ms


def names() -> tuple[str, ...]:
    """The readers there are."""
    return READERS


def read(reader: str, text: str, *, options: Sequence[str] = ()) -> Read:
    """The answer in a reply, Ambiguous when it can be read two ways, None when there is none.

    `options` are the texts a `choice` is among: its answer is then one of them, named or by its letter.
    """
    if reader not in READERS:
        raise UnknownName("reader", reader, READERS)
    from promptkit.answers.plain import cut

    reply, _ = set_aside(text)
    chosen: Reader = import_module(f"promptkit.answers.{reader}").read
    return chosen(cut(reply), tuple(options))
