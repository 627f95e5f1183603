"""What goes wrong between promptkit and a server, as promptkit's errors.

The SDKs of OpenAI, Groq and Ollama raise classes of the same names, their own or those of the HTTP client below
them, so an error is known by the names of its classes and no SDK is imported to look at it.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any

from promptkit import errors, keys
from promptkit.errors import PromptkitError
from promptkit.providers.remote.astray import Astray
from promptkit.providers.remote.options import is_loopback
from promptkit.providers.remote.overflow import overflow
from promptkit.redaction import STAND_IN, redacted

REFUSED = {"ConnectError", "ConnectionError", "ClientConnectorError", "ClientConnectorDNSError"}
DROPPED = {*REFUSED, "ServerDisconnectedError", "ClientOSError", "ClientConnectionResetError"}
TOO_LONG = re.compile(r"context.{0,10}(length|size|window)|maximum context|exceeds? the context|too many tokens", re.I)
TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}
PER_MINUTE = re.compile(r"Limit\D{0,3}([\d,]+)\b.{0,40}?\bRequested\D{0,3}([\d,]+)", re.I | re.S)  # tokens
OFFLINE = "check the network, or try without one: -m builtin"
ENDING = "a base_url usually ends in /v1"
BETWEEN = "a proxy or a sign-in page may stand in between"


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
    larger: str = ""  # what gives it a larger context
    needs_key: bool = True  # anywhere but on this machine
    provider: str = ""  # whose key it takes, as `promptkit keys set` names it; "": as the variable says
    place: str = ""  # how its address is written, where that is not as most are

    def key(self) -> str:
        """The key in force, read anew for every call; KeyMissing when there is none and one is needed."""
        found = self._found()
        if found and (wrong := keys.fault(found.value)):
            raise errors.KeyMissing(f"the key in {found.where} {wrong}", hint=self._key_hint())
        if not found and self.needs_key and not is_loopback(self.address):
            told = f"{self.variable} is not set, and the keyring that has one gives none"
            reason = told if keys.lost(self._owner) else f"{self.variable} is not set"
            raise errors.KeyMissing(f"{self.who} needs a key: {reason}", hint=self._key_hint())
        return found.value if found else ""

    def account(self) -> str:
        """Who is asked with which key: a short hash, never written down."""
        with suppress(errors.KeyMissing):
            found = self._found()
            return hashlib.sha256(f"{self.address} {found.value if found else ''}".encode()).hexdigest()[:12]
        return ""

    def failure(self, error: Exception) -> PromptkitError | None:
        """The error as one of ours; None when it is none of a server's."""
        names = {kind.__name__ for kind in type(error).__mro__}
        if came := next((cause.came for cause in _causes(error) if isinstance(cause, Astray)), ""):
            return self.astray(came)
        if any(type(cause).__name__ in DROPPED for cause in _causes(error)):  # which httpx-aiohttp calls a time-out
            return self._unreachable(error)
        if names & {"APITimeoutError", "TimeoutException"}:
            return errors.TimedOut(f"{self.who} took too long", hint="-o timeout=SECONDS waits longer")
        if names & {"APIConnectionError", "TransportError", "DecodingError", "ConnectionError"}:
            return self._unreachable(error)
        if names & {"APIError", "ResponseError"} and "APIResponseValidationError" not in names:
            return self._answered(error)
        if isinstance(error, ValueError) or "APIError" in names:  # JSON that is none, or not of this format
            who = self.who if self.address in ("", self.who) else f"{self.who} at {self.address}"
            said = f"{who} answered with something that is not a chat completion"
            return errors.BadReply(said, hint=self._address_hint)
        return None

    def within(self, body: Mapping[str, Any]) -> PromptkitError:
        """An error that came in the place of a reply, as one of ours."""
        return self._answered(SimpleNamespace(body=body, message="no reply"))

    def astray(self, came: str) -> PromptkitError:
        """The error of an address where somebody else answers, with `came`."""
        return errors.ModelMissing(f"{self.address} answered with {came}", hint=self._address_hint)

    def _unreachable(self, error: Exception) -> PromptkitError:
        refused = any(type(cause).__name__ in REFUSED for cause in _causes(error))
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
        if status < 500 and ({code, kind} & TOO_LONG_CODES or TOO_LONG.search(said)) and code != "rate_limit_exceeded":
            return overflow(self.model, said, body, self.larger)
        return self._of_status(status, {code, kind}, said, headers)

    def _of_status(self, status: int, codes: set[str], said: str, headers: Mapping[str, str]) -> PromptkitError:
        wait = _retry_after(headers)
        if codes & {"model_not_found", "model_decommissioned"} or (status == 404 and "model" in said.lower()):
            hint = self.pull or "check the name after the colon"
            return errors.ModelMissing(f"{self.who} has no model {self.model!r} for you", hint=hint)
        if large := _too_large(status, codes, said):
            limit, requested = large
            hint = "ask for a shorter reply: --reply-tokens N (max_tokens), or shorten the prompt"
            return errors.TooLarge(
                f"{self.who}: more tokens at once than the account may send a minute: {said}",
                hint=hint,
                limit=limit,
                requested=requested,
            )
        if "insufficient_quota" in codes or status == 402:
            return errors.NoCredit(f"{self.who}: the account has no credit left", hint=self.console)
        match status:
            case 401 if not self._has_key():
                asked = f"{self.who} asks for a key: {self.variable} is not set"
                return errors.KeyMissing(asked, hint=self._key_hint())
            case 401:
                return errors.KeyMissing(f"{self.who} refused the key in {self._key_is_in()}", hint=self._key_hint())
            case 403:
                return errors.KeyMissing(f"{self.who} refused access: {said}", hint=self._key_hint())
            case 404:
                return errors.ModelMissing(f"{self.address} has no chat completions: {said}", hint=self._address_hint)
            case 408 | 504:
                return errors.TimedOut(f"{self.who} took too long: {said}", retry_after=wait)
            case 429 | 498:
                return errors.RateLimited(f"{self.who} asks to slow down: {said}", retry_after=wait)
            case 0 if codes & {"rate_limit_exceeded", "rate_limit_error"}:
                return errors.RateLimited(f"{self.who} asks to slow down: {said}", retry_after=wait)
            case _ if 400 <= status < 500 and status not in (409, 425):
                return errors.Rejected(f"{self.who} refused the request: {said}")
        return errors.Unavailable(f"{self.who} failed: {said}", retry_after=wait)

    @property
    def _address_hint(self) -> str:
        return self.place or (ENDING if self.who == self.address else f"{BETWEEN}\n{OFFLINE}")

    @property
    def _owner(self) -> str:
        return self.provider or self.variable.removesuffix("_API_KEY").lower().replace("_", "-")

    def _found(self) -> keys.Found | None:
        return keys.find(self._owner, self.variable) if self.variable else None

    def _has_key(self) -> bool:
        with suppress(errors.KeyMissing):
            return self._found() is not None
        return True

    def _key_hint(self) -> str:
        get_one = f"get one at {self.console}\n" if self.console else ""
        ways = f"promptkit keys set {self._owner}\nexport {self.variable}=…\n" if self.variable else ""
        return f"{ways}{get_one}or try without a key: -m builtin"

    def _key_is_in(self) -> str:
        with suppress(errors.KeyMissing):
            if found := self._found():
                return found.where
        return self.variable

    def _clean(self, text: str) -> str:
        """What a server said, in one line without a key: some repeat the key they refuse."""
        with suppress(errors.KeyMissing):
            if (found := self._found()) and len(found.value) > 3:
                text = text.replace(found.value, STAND_IN)
        line = " ".join(redacted(text, foreign=True).split())
        return "".join(character for character in line if character.isprintable())[:300]


def unsent(error: BaseException) -> bool:
    """Whether a connection that was closing took nothing of the request: it can be sent again as it is."""
    return any(
        type(cause).__name__ == "ClientConnectionResetError" and "closing transport" in str(cause)
        for cause in _causes(error)
    )


def _too_large(status: int, codes: set[str], said: str) -> tuple[int | None, int | None] | None:
    """Tokens a minute and tokens asked for, where no waiting helps; None where it does, or is none of this."""
    if status not in (413, 429):
        return None
    if found := PER_MINUTE.search(said):
        limit, requested = (int(number.replace(",", "")) for number in found.groups())
        return (limit, requested) if requested > limit else None
    return (None, None) if status == 413 and "rate_limit_exceeded" in codes else None


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
