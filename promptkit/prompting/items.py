"""The items of a list that a model was asked for, as a model writes lists: numbered or dashed, a line each."""

from __future__ import annotations

import re

from promptkit.types import Completion

_NUMBERED = re.compile(r"[ \t>#]*([*_]*)\(?\d{1,3}(?:[.):]+[*_]*\s+|[：、．）]\s*)(\S.*)")
_DASHED = re.compile(r"[ \t]*()[-*•–]\s+(\S.*)")
_MARKS = "*_"


def numbered(completion: Completion) -> tuple[str, ...]:
    """The items behind numbers, without the numbers; the last one of a reply that was cut off is left out."""
    return _matching(_NUMBERED, completion)


def listed(completion: Completion) -> tuple[str, ...]:
    """The numbered items, or the dashed ones where nothing is numbered; sentences are no items."""
    return numbered(completion) or _matching(_DASHED, completion)


def _matching(form: re.Pattern[str], completion: Completion) -> tuple[str, ...]:
    found = [match for line in _lines(completion) if (match := form.fullmatch(line))]
    return tuple(item for match in found if (item := _bare(match[2], begun=bool(match[1]))))


def _lines(completion: Completion) -> list[str]:
    lines = completion.text.strip().splitlines()
    if completion.finish == "length" and lines:
        lines = lines[:-1]  # half an item, or a whole one: nobody can tell
    return [line.strip() for line in lines if line.strip()]


def _bare(item: str, *, begun: bool) -> str:
    """The item without marks of emphasis around all of it; where they began before the number only the end is left."""
    whole = item.startswith(("*", "_")) and item.endswith(("*", "_"))
    return item.strip(_MARKS).strip() if whole or begun else item.strip()
