"""The forms an outcome is printed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.cli.speak import clean
from promptkit.types import Outcome, plain


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The stable JSON form of an outcome, "promptkit.run/1"."""
    detail = dict(outcome.detail)
    body: dict[str, Any] = {
        "schema": "promptkit.run/1",
        "run": outcome.run,
        "strategy": outcome.strategy,
        "model": outcome.model,
        "answer": outcome.answer,
        "status": outcome.status,
        "confidence": outcome.confidence,
        "verified": detail.pop("verified", None),
    }
    if outcome.value is not None:
        body["value"] = plain(outcome.value)
    if "votes" in detail:
        body["votes"] = plain(detail.pop("votes"))
    body |= {
        "text": outcome.text,
        "usage": plain(outcome.usage),
        "cost_usd": outcome.cost_usd,
        "seconds": outcome.seconds,
        "detail": plain(detail),
    }
    return body


def shown(outcome: Outcome) -> str:
    """What stdout has of an outcome with an answer: the text in the form that was asked for, else the answer."""
    told = outcome.detail.get("structured")
    return told["text"] if isinstance(told, Mapping) and told.get("valid") is True else str(outcome.answer)


def printable(answer: str) -> str:
    """The answer for stdout: lines kept; escape sequences and control characters shown, not sent to a terminal."""
    return "\n".join(clean(line).rstrip() for line in answer.splitlines())
