"""What goes wrong in a LangChain model, as promptkit's errors: known by the names of its classes, or by a status."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from typing import Any

from promptkit import errors
from promptkit.errors import PromptkitError
from promptkit.providers.remote.errors import Service
from promptkit.redaction import redacted

LONGEST = 300  # characters of what an SDK says
PIP = re.compile(r"pip install [\w\-\[\] ,]+")
KINDS: dict[str, type[PromptkitError]] = {  # LangChain's own names; partner packages raise them beside their vendor's
    "ModelAuthenticationError": errors.KeyMissing,
    "ModelPermissionDeniedError": errors.KeyMissing,
    "ContextOverflowError": errors.ContextOverflow,
    "ModelNotFoundError": errors.ModelMissing,
    "ModelRateLimitError": errors.RateLimited,
    "ModelTimeoutError": errors.TimedOut,
    "ModelConnectionError": errors.Unavailable,
    "ModelAPIError": errors.Unavailable,
    "ModelInvalidRequestError": errors.Rejected,
}
STATUSES = {401: errors.KeyMissing, 403: errors.KeyMissing, 404: errors.ModelMissing, 408: errors.TimedOut}
STATUSES |= {429: errors.RateLimited, 504: errors.TimedOut}


def failure(error: Exception, id: str, address: str = "") -> PromptkitError:
    """The error as one of ours."""
    if isinstance(error, PromptkitError):
        return error
    line = f"{id}: {said(error)}"
    names = [kind.__name__ for kind in type(error).__mro__]
    if "LengthFinishReasonError" in names:  # of a schema: LangChain gives no reply then, not even the raw one
        return errors.Rejected(line, hint="ask for a longer reply: --reply-tokens N (max_tokens)")
    if known := _of_vendor(error, id, address):
        return known
    if kind := next((KINDS[name] for name in names if name in KINDS), None):
        return kind(line)
    status = _status(error)
    if status:
        lost = errors.Rejected if status < 500 else errors.Unavailable
        return STATUSES.get(status, lost)(line)
    if any("Timeout" in name for name in names):
        return errors.TimedOut(line)
    return errors.ProviderError(line, hint="what LangChain needs to know of the model is an option: -o NAME=VALUE")


def explained(error: Exception, id: str, example: str) -> PromptkitError:
    """Why a model could not be made: its package is not there, its key is not, or its name or options are not known."""
    line = said(error)
    if isinstance(error, ImportError):
        pip = found[0].strip() if (found := PIP.search(line)) else "pip install the partner package of the vendor"
        package = pip.split()[-1].replace("-", "_")
        if found and find_spec(package):  # it is there, and does not go with what is beside it
            hint = f"{pip.replace('install', 'install --upgrade', 1)} langchain"
            return errors.BadInput(f"{id}: its package cannot be loaded: {said(error.__cause__ or error)}", hint=hint)
        return errors.BadInput(f"{id} needs a package that is not installed", hint=pip)
    if re.search(r"api[_ ]key|credentials", line, re.I):
        return errors.KeyMissing(f"{id}: {line}", hint="export the key under the name it says")
    return errors.BadInput(f"{id}: {line}", hint=example)


def said(error: BaseException) -> str:
    """What it says, in one line without a key."""
    line = " ".join(redacted(f"{type(error).__name__}: {error}", foreign=True).split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= LONGEST else line[:LONGEST].rpartition(" ")[0].rstrip(".,;: ") + " …"


def offered() -> list[str]:
    """The providers that LangChain has packages for, by its names; none where it no longer tells."""
    from langchain.chat_models import base

    return sorted(getattr(base, "_BUILTIN_PROVIDERS", ()))


def _of_vendor(error: Any, id: str, address: str) -> PromptkitError | None:
    """The vendors' SDKs that promptkit knows itself say more than their classes' names; partners' come from them."""
    if isinstance(error, ValueError) and not isinstance(error, json.JSONDecodeError):
        return None  # LangChain's own: an input it does not take
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    if not modules & {"openai", "groq", "ollama", "httpx", "httpx2", "json"}:
        return None
    _, vendor, model = (*id.split(":", 2), "", "")[:3]
    variable = {"openai": "OPENAI_API_KEY", "groq": "GROQ_API_KEY"}.get(vendor, "")
    return Service(id, model, address, variable).failure(error)


def _status(error: Any) -> int | None:
    """The HTTP status behind an error, wherever the vendor's SDK keeps it."""
    response = getattr(error, "response", None)
    told = [getattr(error, "status_code", None), getattr(error, "code", None), getattr(response, "status_code", None)]
    return next((code for code in told if isinstance(code, int) and 400 <= code < 600), None)
