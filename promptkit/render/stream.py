"""A reply as it is written."""

from __future__ import annotations

from rich.text import Text

from promptkit.render import frame
from promptkit.render.safe import one_line, parts, wrap
from promptkit.render.state import Draft, Snapshot


def live(snapshot: Snapshot, now: float, width: int, rows: int) -> list[Text]:
    """The end of the lowest unfinished draw, never more than `rows` lines."""
    draft = _shown(snapshot)

    def body(room: int, left: int) -> list[Text]:
        if draft is None:
            return [frame.question(snapshot, room)]
        thinking = not draft.text
        written = draft.reasoning if thinking else draft.text
        # Only the end can be seen, so only the end is wrapped.
        lines = wrap(written.strip("\n")[-(left + 1) * room * 2 :], room)[-left:]
        return [Text(line, style="dim italic" if thinking else "") for line in lines]

    room = max(1, width - 2 * frame.margin(width))
    busy = f"{frame.spinner(now)} " if snapshot.in_flight and not snapshot.ended else ""
    words = frame.tallies(snapshot, now)
    open_drafts = sum(not each.done for each in snapshot.drafts)
    if draft and open_drafts > 1:
        words.insert(0, f"draw {'.'.join(map(str, draft.draw))}")
    foot = Text(busy, style="cyan").append(parts(words, max(1, room - len(busy))), style="dim")
    return frame.layout(snapshot, now, width, rows, body, foot)


def final(snapshot: Snapshot, width: int, rows: int) -> list[Text]:
    """The reply in full, unless it is nothing but the answer that is printed anyway."""
    gap = frame.margin(width)
    draft = _shown(snapshot)
    answer = snapshot.ended.answer if snapshot.ended else None
    if draft is None or not draft.text.strip() or one_line(draft.text) == one_line(answer or ""):
        return []
    lines = [Text(line) for line in wrap(draft.text.strip(), max(1, width - 2 * gap))]
    return [frame.header(snapshot, max(1, width - gap)), Text(), *frame.indented(lines, gap)]


def _shown(snapshot: Snapshot) -> Draft | None:
    """The lowest draw that is still being written; when all are done, the last."""
    written = [draft for draft in snapshot.drafts if draft.text or draft.reasoning]
    unfinished = [draft for draft in written if not draft.done]
    return min(unfinished, key=lambda draft: draft.draw) if unfinished else written[-1] if written else None
