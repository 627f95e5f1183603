"""What goes wrong between promptkit and a server, as promptkit's errors.

The SDKs of OpenAI, Groq and Ollama raise classes of the same names, their own or those of the HTTP client below
them, so an error is known by the names of its classes and no SDK is imported to look at it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from promptkit import errors
from promptkit.errors import PromptkitError
from promptkit.providers.remote.options import is_loopback

SECRET = re.compile(r"\b(?:sk|gsk|xai|key)[-_][\w*.\-]{6,}|\bBearer\s+\S+|\S*\*{4,}\S*")
TOO_LONG = re.compile(r"context.{0,10}(length|size|window)|maximum context|exceeds? the context|too many tokens", re.I)
OFFLINE = "check the network, or try without one: -m builtin"


@dataclass(frozen=True, slots=True)
class Service:
    """A server as its errors speak of it."""

    who: str  # e.g. OpenAI
    model: str
    address: str
    variable: str = ""  # the environment variable that holds the key
    console: str = ""  # where one gets a key
    start: str = ""  # what starts it, where the user runs it
    pull: str = ""  # what makes a missing model available

    def key(self) -> str:
        """The key in force, read anew for every call; KeyMissing when there is none and one is needed."""
        key = os.environ.get(self.variable, "").strip()
        if key and not (key.isascii() and key.isprintable()):
            raise errors.KeyMissing(f"{self.variable} holds characters no key has", hint=self._key_hint())
        if not key and not is_loopback(self.address):
            raise errors.KeyMissing(f"{self.who} needs a key: {self.variable} is not set", hint=self._key_hint())
        return key

    def failure(self, error: Exception) -> PromptkitError | None:
        """The error as one of ours; None when it is none of a server's."""
        names = {kind.__name__ for kind in type(error).__mro__}
        if names & {"APITimeoutError", "TimeoutException"}:
            return errors.TimedOut(f"{self.who} took too long", hint="-o timeout=SECONDS waits longer")
        if names & {"APIConnectionError", "TransportError", "DecodingError", "ConnectionError"}:
            return self._unreachable(error)
        if names & {"APIError", "ResponseError"} and "APIResponseValidationError" not in names:
            return self._answered(error)
        if isinstance(error, ValueError) or "APIError" in names:  # JSON that is none, or not of this format
            return errors.BadReply(f"{self.who} answered with something that is not a chat completion")
        return None

    def _unreachable(self, error: Exception) -> PromptkitError:
        refused = any(type(cause).__name__ in ("ConnectError", "ConnectionError") for cause in _causes(error))
        if refused and (self.start or is_loopback(self.address)):
            hint = self.start or "start it, or check the address"
            return errors.Unreachable(f"nothing answers at {self.address}", hint=hint)
        reason = self._clean(next((str(cause) for cause in _causes(error)[1:] if str(cause)), str(error)))
        return errors.Unavailable(f"{self.who} cannot be reached: {reason}", hint=OFFLINE)

    def _answered(self, error: Any) -> PromptkitError:
        body = error.body if isinstance(getattr(error, "body", None), Mapping) else {}
        body = body["error"] if isinstance(body.get("error"), Mapping) else body
        code, kind = str(body.get("code") or ""), str(body.get("type") or "")
        status = getattr(error, "status_code", -1)
        if status < 400:  # it came in the middle of the reply
            status = int(code) if code.isdigit() else 0
        said = self._clean(str(body.get("message") or getattr(error, "error", "") or getattr(error, "message", error)))
        headers = getattr(getattr(error, "response", None), "headers", {})
        return self._of_status(status, {code, kind}, said, headers)

    def _of_status(self, status: int, codes: set[str], said: str, headers: Mapping[str, str]) -> PromptkitError:
        wait = _retry_after(headers)
        if codes & {"model_not_found", "model_decommissioned"} or (status == 404 and "model" in said.lower()):
            hint = self.pull or "check the name after the colon"
            return errors.ModelMissing(f"{self.who} has no model {self.model!r} for you", hint=hint)
        if codes & {"context_length_exceeded", "exceed_context_size_error"} or (status < 500 and TOO_LONG.search(said)):
            return errors.ContextOverflow(f"the prompt does not fit {self.model}: {said}", hint="shorten the prompt")
        if "insufficient_quota" in codes or status == 402:
            return errors.NoCredit(f"{self.who}: the account has no credit left", hint=self.console)
        match status:
            case 401:
                return errors.KeyMissing(f"{self.who} refused the key in {self.variable}", hint=self._key_hint())
            case 403:
                return errors.KeyMissing(f"{self.who} refused access: {said}", hint=self._key_hint())
            case 404:
                hint = "a base_url usually ends in /v1"
                return errors.ModelMissing(f"{self.address} has no chat completions: {said}", hint=hint)
            case 408 | 504:
                return errors.TimedOut(f"{self.who} took too long: {said}", retry_after=wait)
            case 429 | 498:
                return errors.RateLimited(f"{self.who} asks to slow down: {said}", retry_after=wait)
            case 0 if codes & {"rate_limit_exceeded", "rate_limit_error"}:
                return errors.RateLimited(f"{self.who} asks to slow down: {said}", retry_after=wait)
            case _ if 400 <= status < 500 and status not in (409, 425):
                return errors.Rejected(f"{self.who} refused the request: {said}")
        return errors.Unavailable(f"{self.who} failed: {said}", retry_after=wait)

    def _key_hint(self) -> str:
        return f"export {self.variable}=…\nget one at {self.console}\nor try without a key: -m builtin"

    def _clean(self, text: str) -> str:
        """What a server said, in one line without a key: some repeat the key they refuse."""
        if (key := os.environ.get(self.variable, "").strip()) and len(key) > 3:
            text = text.replace(key, "…")
        line = " ".join(SECRET.sub("…", text).split())
        return "".join(character for character in line if character.isprintable())[:300]


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The server's wish in seconds: milliseconds, seconds or a date."""
    with suppress(ValueError):
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
    if not (wish := headers.get("retry-after")):
        return None
    with suppress(ValueError):
        return max(0.0, float(wish))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(wish).timestamp() - time.time())
    return None
