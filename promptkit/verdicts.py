"""Reading what a judge decided: the last line, anchored, or nothing. A verdict is never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LABEL = r"(?:(?:final|my|the)\s+)*(?:verdict|evaluation|judge?ment|answer|value)?\s*(?:is\b)?\s*[:=-]?\s*"
_THING = r"(?:choice|step|option|candidate|response)"
_ANOTHER = rf"\s*(?:or|and|,|/|&)\s*(?:{_THING}\s*)?\d"  # "1 or 2" names no choice
_CHOICE = re.compile(
    rf"(?:best|most promising|most consistent) {_THING} is\W*(?:{_THING}\W*)?(\d+)(?!\d|\.\d)(?!{_ANOTHER})", re.I
)


def verdict(text: str, words: Iterable[str]) -> str | None:
    """The one of `words` that the last line consists of, e.g. "Verdict: **sure**"; None otherwise."""
    line = _last_line(text).casefold()
    for word in words:
        if re.fullmatch(rf"{_LABEL}{re.escape(bare(word).casefold())}\W*", line):
            return word
    return None


def ballot(text: str, choices: int) -> int | None:
    """The 0-based choice named last in "The best choice is 3", if there is such a choice; None otherwise."""
    named = _CHOICE.findall(_last_line(text))
    if len(set(named)) != 1:
        return None
    number = int(named[0])
    return number - 1 if 1 <= number <= choices else None


def bare(text: str) -> str:
    """The text without marks of emphasis and quotation."""
    return re.sub(r"[*_`\"'“”]", "", text)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return bare(lines[-1]).strip() if lines else ""
