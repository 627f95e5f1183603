"""What a model cannot do is refused before anything is sent or recorded."""

from __future__ import annotations

from collections.abc import Iterator

from promptkit.errors import CapabilityMissing
from promptkit.types import Blob, Model, Request

LOCAL = "a GGUF file can: -m llamacpp:path/to/model.gguf"
IMAGES = "a model that sees takes them: -m openai:gpt-4.1-mini, or -m ollama: with a vision model"
QUOTED = "texts are put into the prompt: attach them"
OWN = "no provider on board calls tools yet; a model of your own may: model=, with Capabilities(tools=True)"


def refuse_unable(request: Request, model: Model) -> None:
    """CapabilityMissing, naming a form of model that can, when this one cannot answer such a request."""
    for what, can, hint in _wants(request, model):
        if not can:
            raise CapabilityMissing(f"{model.id} {what}", hint=hint)


def _wants(request: Request, model: Model) -> Iterator[tuple[str, bool, str]]:
    has = model.capabilities
    if request.schema is not None:
        yield "cannot hold its reply to a JSON schema", has.json_schema, LOCAL
    if request.grammar is not None:
        yield "cannot hold its reply to a grammar", has.grammar, LOCAL
    if request.logprobs:
        yield "does not tell log-probabilities", has.logprobs, LOCAL
    if request.tools or any(turn.calls or turn.role == "tool" for turn in request.messages):
        yield "cannot call tools", has.tools, OWN
    for part in (part for turn in request.messages for part in turn.content if isinstance(part, Blob)):
        yield f"takes no {part.kind}s", has.images and part.kind == "image", IMAGES if part.kind == "image" else QUOTED
