"""Tokens as they are shown: blanks and line breaks visible, parts of characters as their bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len
from rich.text import Text

_SEEN = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs")
_SHADES = ("black on bright_cyan", "black on bright_yellow")


def visible(token: str, id: int | None = None) -> str:
    """The token on one line, every character of it seen; one without any text is a mark of the model's own."""
    if not token:
        return "(end)" if id is None else f"(mark {id})"
    return "".join(map(_shown, token))


def _shown(char: str) -> str:
    if char in _SEEN:
        return _SEEN[char]
    if "\udc80" <= char <= "\udcff":
        return f"<0x{ord(char) - 0xDC00:02X}>"
    kind = unicodedata.category(char)
    if kind in _UNSEEN or kind == "Cs":
        return f"<U+{ord(char):04X}>"
    return f"◌{char}" if kind in ("Mn", "Me") else char


def readable(text: str) -> str:
    """A text that any file can hold: bytes that make no character are the replacement character."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if not text.isascii() else text


def parts_of(tokens: Sequence[str]) -> list[str]:
    """For each token the characters that it has only a part of; "" for whole ones."""
    data = [token.encode("utf-8", "surrogateescape") for token in tokens]
    ends = list(accumulate(len(each) for each in data))
    whole = b"".join(data).decode("utf-8", "replace")
    if "\ufffd" in whole:  # not text at all, or a token that really is that character: no spans can be told
        return ["" for _ in tokens]
    found, at, spans = [], 0, []
    for char in whole:
        spans.append((at, at + len(char.encode()), char))
        at = spans[-1][1]
    for each, end in zip(data, ends, strict=True):
        begin = end - len(each)
        cut = [char for low, high, char in spans if low < end and high > begin and not (begin <= low and high <= end)]
        found.append("".join(cut))
    return found


def joined(tokens: Sequence[str], width: int) -> list[Text]:
    """The text with its tokens apart: bars between them, and two shades by turns where there is colour."""
    lines, used = [Text()], 0
    for place, token in enumerate(tokens):
        shown = visible(token)
        bar = "│" if used else ""
        if used and used + cell_len(bar + shown) > width:
            lines.append(Text())
            used, bar = 0, ""
        lines[-1].append(bar, style="dim").append(shown, style=_SHADES[place % 2])
        used += cell_len(bar + shown)
    for line in lines:
        line.truncate(max(1, width), overflow="ellipsis")
    return lines
