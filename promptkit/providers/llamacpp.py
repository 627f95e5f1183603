"""`llamacpp:PATH` or `llamacpp:hf://owner/repo/file.gguf`: any GGUF file, run in this process by llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping

from promptkit.errors import BadInput
from promptkit.providers.llama.gguf_file import HINT, read_gguf
from promptkit.providers.llama.hub import SCHEME, located
from promptkit.providers.llama.options import open_model
from promptkit.types import Provider


def open_llamacpp(name: str, options: Mapping[str, object]) -> Provider:
    """The model in the GGUF file at path `name`; its header is checked now, its weights are loaded on first use.

    A file of a hub is fetched now if it is not in the hub's cache.
    """
    if not name:
        raise BadInput("llamacpp: names no file", hint=HINT)
    if name.startswith(SCHEME):
        return open_model(f"llamacpp:{name}", read_gguf(located(name)), options)
    return open_model(f"llamacpp:{name}", read_gguf(name), options)
