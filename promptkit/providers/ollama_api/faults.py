"""What goes wrong between promptkit and an Ollama, in promptkit's errors and with what to type."""

from __future__ import annotations

from dataclasses import replace

from promptkit.errors import ContextOverflow, ModelMissing, ProviderError, Rejected, Unavailable
from promptkit.providers.ollama_api.asking import no_thinking, no_tools
from promptkit.providers.ollama_api.context import overflow, told
from promptkit.providers.ollama_api.installed import Installed
from promptkit.providers.remote.errors import Service
from promptkit.types import Request


def failure(
    service: Service, error: Exception, request: Request | None = None, known: Installed | None = None
) -> Exception:
    """The error as one of ours; itself when it is none of a server's."""
    # The SDK's own, on JSON that is no object, and on one that is not Ollama's; what is no JSON may have been cut.
    if isinstance(error, AttributeError) or any(kind.__name__ == "ValidationError" for kind in type(error).__mro__):
        return service.astray("JSON that is not Ollama's")
    ours = service.failure(error)
    if isinstance(ours, ContextOverflow) and request and known and (numbers := told(ours.message)):
        needed, there = numbers
        return overflow(request, replace(known, context=there), needed, exact=True)
    if isinstance(ours, Rejected) and "does not support thinking" in ours.message:
        return no_thinking(service.model)
    if isinstance(ours, Rejected) and "does not support tools" in ours.message:
        return no_tools(service.model)
    if ours and "pull model manifest" in ours.message and "not exist" in ours.message:
        return ModelMissing(f"there is no {service.model!r} to pull", hint="names are at https://ollama.com/library")
    if isinstance(ours, Unavailable) and "system memory" in ours.message:  # no try will find more
        return ProviderError(ours.message, hint="a smaller model, or a smaller one of its tags, may fit")
    return ours or error
