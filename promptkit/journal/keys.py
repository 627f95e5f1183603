"""What names a completion."""

from __future__ import annotations

import hashlib

from promptkit.types import Request


def key(request: Request, identity: str) -> str:
    """The name of one draw of a request answered by the model of that identity; the same on every machine."""
    # Neither the index nor the canonical line holds a newline, so no two triples read alike.
    named = f"{identity}\n{request.canonical()}\n{request.index}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
