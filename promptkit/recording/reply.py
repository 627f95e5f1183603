"""A reply as it came over the wire and as it lies in the journal: status, the headers that count, the body."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEPT = ("content-type", "x-request-id")  # the rest is about the connection, the account or the day
STREAMS = ("text/event-stream", "application/x-ndjson")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply whose body is decoded."""

    status: int
    headers: Mapping[str, str]  # by their names in lower case
    body: bytes

    @property
    def streamed(self) -> bool:
        """Whether it is meant to be read in pieces."""
        return streamed(self.headers)

    def pieces(self) -> list[bytes]:
        """The body as the server would send it: event by event, line by line, or whole."""
        if not self.streamed:
            return [self.body]
        end = b"\n" if "ndjson" in self.headers.get("content-type", "") else b"\n\n"
        *whole, rest = self.body.split(end)
        return [*(piece + end for piece in whole), *([rest] if rest else [])]

    def stored(self) -> dict[str, Any]:
        """As a JSON object."""
        headers = {name: value for name, value in self.headers.items() if name in KEPT}
        try:
            body = {"body": self.body.decode()}
        except UnicodeDecodeError:
            body = {"base64": b64encode(self.body).decode()}
        return {"status": self.status, "headers": headers, **body}


def streamed(headers: Mapping[str, str]) -> bool:
    """Whether a reply with these headers comes in pieces."""
    return headers.get("content-type", "").startswith(STREAMS)


def restored(stored: Mapping[str, Any]) -> Reply:
    """The reply of such a JSON object."""
    body = b64decode(stored["base64"]) if "base64" in stored else str(stored["body"]).encode()
    return Reply(int(stored["status"]), dict(stored["headers"]), body)
