"""What a server says it does not take, remembered: left out, or called by its other name, from then on.

Only a refusal that names a parameter teaches anything, and each parameter is learned once, so a call is made again at
most as often as it has parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from promptkit.errors import CapabilityMissing
from promptkit.events import Warned, emit

RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
SPARE = {"temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty", "seed", "stop", "n"}
SPARE |= {"stream", "stream_options", "reasoning_effort", "reasoning_format", "include_reasoning"}
NEEDED = {"response_format": "json_schema", "tools": "tools", "logprobs": "logprobs", "top_logprobs": "logprobs"}
QUIET = {"stream", "stream_options", "n", "stop", "reasoning_format"}  # the reply is the same without
REFUSING = {"unsupported_parameter", "unknown_parameter", "unsupported_value", "extra_forbidden"}
WORDS = re.compile(
    r"unsupported|not? (?:currently )?support|n't support|unrecogni[sz]ed|unknown|unexpected|not (?:permitted|allowed)"
    r"|extra[_ ](?:inputs|fields|forbidden)|only the default|no longer|deprecated|not available|not accept|not take"
    r"|cannot be (?:set|used|specified)|invalid (?:parameter|field|argument|property)",
    re.I,
)


class Lessons:
    """What one model's server has taught."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._renamed: dict[str, str] = {}
        self.left_out: set[str] = set()
        self.lacks: set[str] = set()  # capabilities it turned out not to have

    def applied(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as this server takes them."""
        if not self.left_out and not self._renamed:
            return dict(wanted)
        return {self._renamed.get(name, name): value for name, value in wanted.items() if name not in self.left_out}

    def learn(self, error: Exception, sent: Mapping[str, Any]) -> bool:
        """Whether the refusal taught something, so that the same call may go through now.

        CapabilityMissing where it refused what a reply cannot do without.
        """
        name = refused(error, sent)
        if name in NEEDED:
            self.lacks.add(NEEDED[name])
            hint = f"-o {NEEDED[name]}=false, or another model"
            raise CapabilityMissing(f"{self._who} does not take {name}", hint=hint) from None
        if name in RENAMED:
            return self._rename(name)
        if name not in SPARE:
            return False
        if name not in self.left_out:  # a call beside this one may have learned it first
            self.left_out.add(name)
            if name not in QUIET:
                emit(Warned(f"{self._who} does not take {name}: it is left out"))
        return True

    def _rename(self, name: str) -> bool:
        other = RENAMED[name]
        if self._renamed.get(other) == name:
            return False  # it takes neither: without a limit on replies no budget holds
        if self._renamed.get(name) != other:
            self._renamed[name] = other
            emit(Warned(f"{self._who} does not take {name}: it is sent as {other}"))
        return True


def refused(error: Exception, sent: Mapping[str, Any]) -> str:
    """The parameter of the request that a server's error says it does not take; "" when it names none."""
    if getattr(error, "status_code", None) not in (400, 422):
        return ""
    body = getattr(error, "body", None)
    told = body.get("error", body) if isinstance(body, Mapping) else body
    told = told if isinstance(told, Mapping) else {"message": told}
    said = str(told.get("message") or json.dumps(told, default=str))
    code, param = str(told.get("code") or told.get("type") or ""), str(told.get("param") or "")
    if code not in REFUSING and not WORDS.search(said):
        return ""
    if param.partition(".")[0] in sent:
        name = param.partition(".")[0]
    else:
        places = {name: found.start() for name in sent if (found := _mentioned(name, said))}
        name = min(places, key=lambda each: places[each], default="")
    if name == "reasoning_effort" and (code == "unsupported_value" or "supported values" in said.lower()):
        return ""  # that effort, not effort as such: the error says which there are
    return name


def _mentioned(name: str, said: str) -> re.Match[str] | None:
    """Where a text speaks of the parameter: short names are words of English, and count where they are marked."""
    marked = rf"['\"`]{name}(?:\.\w+)?['\"`]|\b(?:param\w*|field|argument|property|key|option|input)s?\W{{1,3}}{name}\b"
    return re.search(marked if len(name) < 7 or name == "messages" else rf"\b{name}\b", said, re.I)
