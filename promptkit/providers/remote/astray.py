"""An address where something else answers than the server that was meant: no other try finds it there.

What is recognised is a web page by its content type, before anybody reads it, and a reply that came whole, is JSON,
and is not of the format. What was cut off or garbled on the way is neither, and is asked for again.
"""

from __future__ import annotations

from typing import Any

PAGES = ("text/html", "application/xhtml+xml")
A_PAGE = "a web page"


class Astray(Exception):
    """Who answers is not who was asked; `came` says with what."""

    def __init__(self, came: str) -> None:
        super().__init__(came)
        self.came = came


def hooks() -> dict[str, list[Any]]:
    """`event_hooks` of an httpx.Client that refuses web pages."""
    return {"response": [_look]}


def async_hooks() -> dict[str, list[Any]]:
    """`event_hooks` of an httpx.AsyncClient that refuses web pages."""

    async def look(response: Any) -> None:
        _look(response)

    return {"response": [look]}


def _look(response: Any) -> None:
    """Astray for a web page that is no error's."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in PAGES and response.status_code < 300:
        raise Astray(A_PAGE)
