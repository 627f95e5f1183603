"""`builtin`: the tiny model in the package; no key, no server, no network."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from promptkit.errors import BadInput
from promptkit.providers.llama.gguf_file import read_gguf
from promptkit.providers.llama.options import open_model
from promptkit.types import Provider

PACKS = ("game24", "words", "patterns")


def open_builtin(name: str, options: Mapping[str, object]) -> Provider:
    """The model on board: real samples, for arithmetic only; what it can do is in its MODEL_CARD.md."""
    if name not in ("", "builtin"):
        raise BadInput(f"there is one built-in model, not {name!r}", hint="builtin, or llamacpp:PATH for a GGUF file")
    return open_model("builtin", read_gguf(_weights()), options, packs=PACKS)


@cache
def _weights() -> Path:
    beside = Path(__file__).parents[1] / "_data" / "builtin.gguf"
    if beside.is_file():
        return beside
    # llama.cpp wants a real file: a package in a zip has it unpacked until the process ends.
    from importlib import resources

    files = ExitStack()
    atexit.register(files.close)
    return files.enter_context(resources.as_file(resources.files("promptkit") / "_data" / "builtin.gguf"))
