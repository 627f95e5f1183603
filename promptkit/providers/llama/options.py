"""The options of a local model, checked."""

from __future__ import annotations

from collections.abc import Mapping

from promptkit.errors import BadInput
from promptkit.providers.llama.gguf_file import GgufFile
from promptkit.providers.llama.model import LlamaModel
from promptkit.providers.llama.server import Layout

CONTEXT = 4096  # what a model is given when it allows more: its memory is paid batch times per replica

# Lowest, highest.
OPTIONS = {
    "batch": (1, 256),  # draws generated together; part of what determines a text
    "context": (16, 2**24),  # tokens, prompt and reply together
    "replicas": (1, 256),  # batches answered at the same time
    "threads": (1, 512),  # of each replica
    "n_gpu_layers": (-1, 10_000),  # -1: all that fit
}


def open_model(
    id: str, file: GgufFile, options: Mapping[str, object], *, packs: tuple[str, ...] | None = None
) -> LlamaModel:
    """A provider for the file; BadInput when an option is unknown or out of range."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise BadInput(f"{id}: no option {unknown[0]!r}", hint=f"there are: {', '.join(OPTIONS)}")
    given = {name: _whole(id, name, value) for name, value in options.items()}
    replicas = given.pop("replicas", None)
    context = given.setdefault("context", min(file.context or CONTEXT, CONTEXT))
    if file.context is not None and context > file.context:
        raise BadInput(f"{id}: context={context} is more than the model allows", hint=f"at most {file.context}")
    return LlamaModel(id, file, Layout(**given), replicas=replicas, packs=packs)


def _whole(id: str, name: str, value: object) -> int:
    low, high = OPTIONS[name]
    try:
        number = int(value) if isinstance(value, str) else value  # the command line gives strings
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise BadInput(f"{id}: {name}={value!r} cannot be used", hint=f"a whole number between {low} and {high}")
    return number
