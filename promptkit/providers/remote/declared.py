"""What a server can do as its user says it: options, since such servers differ and none tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promptkit.providers.remote.options import Reader, whole
from promptkit.types import Capabilities


def truth(value: object) -> bool:
    """True or False, as a word or as itself."""
    said = str(value).strip().lower()
    if said in ("true", "yes", "on", "1"):
        return True
    if said in ("false", "no", "off", "0"):
        return False
    raise ValueError("true or false")


DECLARED: dict[str, Reader] = {
    "native_n": whole(1, 128),  # samples drawn in one call
    "json_schema": truth,
    "tools": truth,
    "logprobs": truth,
    "alternatives": whole(1, 100_000),  # most log-probabilities of a token
    "raw": truth,  # it has /completions, too: it goes on with a bare text
    "images": truth,
    "reasoning": truth,
    "context": whole(1, 2**31 - 1),  # tokens
}


def declared(given: Mapping[str, Any], known: Capabilities) -> Capabilities:
    """What is known of a model, and over it what its user says."""
    return replace(known, **{name: given[name] for name in DECLARED if name in given})
