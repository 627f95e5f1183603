"""The search tree as it grows, folded to the room there is; at the end, the way that won."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.text import Text

from promptkit.render import amounts, frame
from promptkit.render.fold import Row, Tree, fold
from promptkit.render.safe import beside, clip, one_line, parts, sides
from promptkit.render.state import Snapshot
from promptkit.render.thoughts import Node, Path, grown, kept

_STATE_WIDTH = 24  # a longer state is text, not a position
_VERDICT_STYLES = {"sure": "green", "likely": "yellow", "impossible": "dim red", "verified": "bold green"}
_NARROW = 48
_CLOSING = 8  # rows for the header, the warnings and the summary around a final form


def live(snapshot: Snapshot, now: float, width: int, rows: int) -> list[Text]:
    """A frame of the running search, never more than `rows` lines."""
    tree = Tree(snapshot.nodes, snapshot.working if not snapshot.ended else frozenset())

    def body(room: int, left: int) -> list[Text]:
        return [_line(snapshot, row, now, room) for row in fold(tree, left)]

    gap = frame.margin(width)
    return frame.layout(snapshot, now, width, rows, body, _progress(snapshot, now, max(1, width - 2 * gap)))


def final(snapshot: Snapshot, width: int, rows: int) -> list[Text]:
    """The winning path; without a winner, what was kept, in at most `rows` lines."""
    gap = frame.margin(width)
    room = max(1, width - 2 * gap)
    won = _winner(snapshot)
    if won is None:
        body = [_line(snapshot, row, 0.0, room) for row in fold(Tree(snapshot.nodes), max(4, rows - _CLOSING))]
    else:
        body = [frame.question(snapshot, room)]
        for length in range(1, len(won) + 1):
            node = snapshot.nodes[won[:length]]
            lead = Text(_guides((False,) * length, room), style="dim")
            lead.append_text(_sign(node, "") if length == len(won) else Text())
            body.append(_thought(node, lead, room, last=length == len(won)))
    return frame.fitted([frame.header(snapshot, max(1, width - gap)), Text(), *frame.indented(body, gap)], width)


def whole(snapshot: Snapshot, width: int) -> list[Text]:
    """Every thought of a finished run, the dropped ones with their reasons; of several searches each its own tree."""
    trees = {span: nodes for span, nodes in snapshot.trees.items() if grown(nodes)}
    lines = [frame.question(snapshot, width)]
    for span, nodes in trees.items():
        if len(trees) > 1:
            counted = f"{amounts.many(grown(nodes), 'thought')}, {kept(nodes)} kept"
            said = [*filter(None, [one_line(snapshot.place(span))]), counted]
            lines += [Text(), Text(clip(" · ".join(said), width), style="bold")]
        lines += beside(_branches(nodes, width), width)
    return lines


def _branches(nodes: Mapping[Path, Node], width: int) -> list[tuple[Text, Text]]:
    pairs: list[tuple[Text, Text]] = []
    children: dict[Path, list[Path]] = {}
    for path in sorted(nodes):
        if path:
            children.setdefault(path[:-1], []).append(path)
    stack: list[tuple[Path, tuple[bool, ...]]] = [(path, ()) for path in reversed(children.get((), []))]
    while stack:
        path, rails = stack.pop()
        own = (*rails, path != children[path[:-1]][-1])
        node = nodes[path]
        lead = Text(_guides(own, width), style="dim").append_text(_sign(node, "○"))
        pairs.append(_sides_of(node, lead, width, last=False, reasons=True))
        stack.extend((child, own) for child in reversed(children.get(path, [])))
    return pairs


def _winner(snapshot: Snapshot) -> Path | None:
    if snapshot.best and snapshot.best.node and snapshot.best.node in snapshot.nodes:
        return snapshot.best.node
    return min((path for path, node in snapshot.nodes.items() if path and node.verified), default=None)


def _line(snapshot: Snapshot, row: Row, now: float, width: int) -> Text:
    if row.kind == "node" and not row.path:
        root = frame.question(snapshot, width)
        if row.below:
            root = Text(clip(root.plain, max(1, width - 16)), style="bold").append(f"  … {row.below} below", "dim")
        return root
    lead = Text(_guides(row.rails, width), style="dim")
    if row.kind == "work":
        written = _written(snapshot, row.path)
        lead.append(f"{frame.spinner(now)} ", style="cyan")
        lead.append(f"thinking: {written}" if written else "thinking", style="dim italic")
        lead.truncate(width, overflow="ellipsis")
        return lead
    if row.kind == "rest":
        words = [f"✗ {count} {what}" if not at else f"{count} {what}" for at, (what, count) in enumerate(row.dropped)]
        if row.more:
            words.append(f"{row.more} more" if words else f"… {row.more} more")
        return lead.append(parts(words, max(1, width - lead.cell_len)), style="dim")
    node = snapshot.nodes[row.path]
    busy = not snapshot.ended and (row.working or node.status == "open")
    sign = Text(f"{frame.spinner(now)} ", style="cyan") if busy else _sign(node, "○")
    return _thought(node, lead.append_text(sign), width, below=row.below)


def _thought(node: Node, lead: Text, width: int, *, below: int = 0, last: bool = True) -> Text:
    return sides(*_sides_of(node, lead, width, below=below, last=last), width)


def _sides_of(
    node: Node, lead: Text, width: int, *, below: int = 0, last: bool = True, reasons: bool = False
) -> tuple[Text, Text]:
    """Guides and sign, then the thought, then its state as long as there is room; how it was valued at the right."""
    style = "bold" if node.status == "best" and last else "dim" if node.dropped else ""
    left = lead.append(one_line(node.thought) or "…", style=style)
    right = _value(node, width, reasons)
    state = one_line(node.state)
    room = width - (right.cell_len + 2 if right.cell_len else 0)
    shown = state and state not in left.plain and len(state) <= _STATE_WIDTH
    if shown and left.cell_len + cell_len(state) + 5 <= room:
        left.append(f"   ({state})", style="dim")
    if below and left.cell_len + 12 <= room:
        left.append(f"  … {below} below", style="dim")
    return left, right


def _value(node: Node, width: int, reasons: bool) -> Text:
    if node.verified:
        return Text("verified", style=_VERDICT_STYLES["verified"])
    if reasons and node.status in ("illegal", "merged"):
        return Text(node.status, style="dim")
    words = []
    if reasons and node.reason == "tie":
        words.append("tied")
    if node.verdict:
        words.append(clip(one_line(node.verdict), 16))
    elif node.verdicts and width >= _NARROW:
        words.append("unread")
    told = any(char.isdigit() for char in node.verdict or "")  # "3 of 5" is the number
    if node.score is not None and not told and (width >= _NARROW or not words):
        words.append(amounts.score(node.score))
    style = "dim" if node.dropped else _VERDICT_STYLES.get(node.verdict or "", "")
    return Text(" ".join(words), style=style)


def _sign(node: Node, open_sign: str) -> Text:
    if node.status == "best" or node.verified:
        return Text("★ ", style="bold yellow")
    if node.dropped:
        return Text("✗ ", style="dim red")
    if node.status == "kept":
        return Text("● ", style="green")
    return Text(f"{open_sign} " if open_sign else "", style="dim")


def _guides(rails: tuple[bool, ...], width: int) -> str:
    """The lines that lead to a row, tighter where columns are few; of very deep rows only the last ones."""
    wide = width >= _NARROW
    down, gap, tee, bend = ("│  ", "   ", "├─ ", "└─ ") if wide else ("│ ", "  ", "├ ", "└ ")
    shown = rails[-max(1, width // 2 // len(down)) :]
    return "".join(down if runs else gap for runs in shown[:-1]) + (tee if shown[-1] else bend)


def _written(snapshot: Snapshot, path: Path) -> str:
    """The end of what is being written for a node, when its calls say which node they are for."""
    for draft in snapshot.drafts:
        if not draft.done and draft.text and draft.node == path:
            lines = [line for line in draft.text[-400:].splitlines() if line.strip()]
            return one_line(lines[-1]) if lines else ""
    return ""


def _progress(snapshot: Snapshot, now: float, width: int) -> Text:
    """`level 2/3  ▰▰▰▰▱▱▱▱▱▱   22 calls · 3 waiting · 4.1k tokens · 0:07 · $0 local`."""
    words = frame.tallies(snapshot, now)
    if not snapshot.at_level:
        return Text(parts(words, width), style="dim")
    level = f"level {snapshot.at_level}/{snapshot.depth}" if snapshot.depth else f"level {snapshot.at_level}"
    line = Text(f"{level}  ")
    if snapshot.depth and width >= 60:
        line.append_text(frame.bar(snapshot.progress, 10)).append("   ")
    line.append(parts(words, max(1, width - line.cell_len)), style="dim")
    line.truncate(width, overflow="ellipsis")
    return line
