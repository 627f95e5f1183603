"""What a model cannot do is refused before anything is sent or recorded."""

from __future__ import annotations

from collections.abc import Iterator

from promptkit.errors import BadInput, CapabilityMissing
from promptkit.types import Blob, Effort, Model, Request

LOCAL = "a GGUF file can: -m llamacpp:path/to/model.gguf"
IMAGES = "a model that sees takes them: -m openai:gpt-4.1-mini, or -m ollama: with a vision model"
REASONING = "leave --effort out, or ask a model that reasons: -m openai:gpt-5-mini, -m groq:openai/gpt-oss-20b"
RAW = "models that do: -m llamacpp:path/to/model.gguf, -m builtin, -m ollama:NAME"
QUOTED = "texts are put into the prompt: attach them"
TOOLS = "models that do: -m openai:gpt-4.1-mini, many of groq: and ollama:, or your own with Capabilities(tools=True)"


def refuse_effort(effort: Effort | None, model: Model) -> None:
    """CapabilityMissing when the model is known not to reason; one that nobody knows about is asked."""
    if effort not in (None, "none") and model.capabilities.reasoning is False:
        raise CapabilityMissing(f"{model.id} does not reason: it has no effort to choose", hint=REASONING)


def refuse_unable(request: Request, model: Model) -> None:
    """CapabilityMissing, naming a form of model that can, when this one cannot answer such a request."""
    if request.weak is not None and not request.logprobs:
        raise BadInput("what ends a weak reply are its log-probabilities", hint="logprobs=20")
    if request.weak is not None and request.weak.window < 1:
        raise BadInput("a window has at least one token", hint="Weak(below=2.0, window=64)")
    refuse_effort(request.effort, model)
    for what, can, hint in _wants(request, model):
        if not can:
            raise CapabilityMissing(f"{model.id} {what}", hint=hint)


def _wants(request: Request, model: Model) -> Iterator[tuple[str, bool, str]]:
    has = model.capabilities
    if request.schema is not None:
        yield "cannot hold its reply to a JSON schema", has.json_schema, LOCAL
    if request.grammar is not None:
        yield "cannot hold its reply to a grammar", has.grammar, LOCAL
    if request.raw is not None:
        yield "cannot go on with a bare text: it takes messages only", has.raw, RAW
    if request.logprobs:
        yield "does not tell log-probabilities", has.logprobs, LOCAL
    if request.tools or any(turn.calls or turn.role == "tool" for turn in request.messages):
        yield "cannot call tools", has.tools, TOOLS
    for part in (part for turn in request.messages for part in turn.content if isinstance(part, Blob)):
        yield f"takes no {part.kind}s", has.images and part.kind == "image", IMAGES if part.kind == "image" else QUOTED
