"""A conversation as text: the pieces of a reply made safe as they come, the whole of it for a terminal or a file."""

from __future__ import annotations

import re

from promptkit.conversation import Conversation
from promptkit.render.safe import clean, wrap

CUT = "(stopped here)"
_UNFINISHED = re.compile(r"(?:\x1b|[\x80-\x9f])[^\n]{0,200}\Z|\r\Z")  # may be half of something that is dropped whole


class Pieces:
    """Text that comes in pieces: what may be shown of it so far, free of everything a terminal would act on."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, piece: str) -> str:
        """What may be shown now; the beginning of an escape sequence waits for its end."""
        text = self._held + piece
        found = _UNFINISHED.search(text)
        at = found.start() if found else len(text)
        self._held = text[at:]
        return clean(text[:at])

    def rest(self) -> str:
        """What was held back until now."""
        held, self._held = self._held, ""
        return clean(held)


def lines(conversation: Conversation, width: int) -> list[str]:
    """The exchanges as lines of at most `width` cells, each speaker above what they said."""
    found: list[str] = []
    for who, text in _said(conversation):
        found += ["", *wrap(who, width), *(f"  {line}".rstrip() for line in wrap(text, max(1, width - 2)))]
    return found[1:]


def markdown(conversation: Conversation, run: str = "") -> str:
    """The conversation as a Markdown document; what a model said stays as it is but for control characters."""
    head = f"# Conversation with {clean(conversation.model)}\n"
    if run:
        head += f"\n`promptkit chat --resume {run}` goes on with it.\n"
    return head + "".join(f"\n## {who}\n\n{clean(text).strip()}\n" for who, text in _said(conversation))


def _said(conversation: Conversation) -> list[tuple[str, str]]:
    turns = [("Persona", conversation.persona)] if conversation.persona else []
    for each in conversation.exchanges:
        turns += [("You", each.said), (each.model, f"{each.reply}\n{CUT}" if each.cut else each.reply)]
    if conversation.pending:
        turns.append(("You (no reply)", conversation.pending.said))
    return turns
