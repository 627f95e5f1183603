"""An outcome as a notebook shows it: one piece of HTML that runs nothing, fetches nothing and escapes everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from promptkit.render import amounts
from promptkit.render.safe import clean, one_line
from promptkit.render.state import Snapshot, rebuild
from promptkit.render.thoughts import Node, Path, grown, kept
from promptkit.types import Outcome

_LONGEST = 4_000  # characters shown of one text
_NODES = 400  # thoughts shown of one tree
_ANSWERS = 20  # answers shown of one vote
_COLOURS = {"done": "#1a7f37", "undecided": "#9a6700", "budget": "#9a6700", "cancelled": "#9a6700", "error": "#cf222e"}
_SIGNS = {"best": "★", "kept": "●", "pruned": "✗", "illegal": "✗", "merged": "✗", "open": "○"}
_CARD = "border:1px solid #8884;border-radius:6px;padding:10px 14px;max-width:60em;font-size:14px;line-height:1.5"
_QUIET = "opacity:.65;font-size:12px"
_MONO = "font-family:ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere"


def card(outcome: Outcome, events: Iterable[Mapping[str, Any]] = ()) -> str:
    """The outcome with its votes, its tree and what it cost; `events` are the run's, from the journal."""
    run = rebuild(events)
    pieces = [_answer(outcome, run), _votes(outcome, run), _tree(run), _reply(outcome), _took(outcome)]
    return f'<div class="promptkit-outcome" style="{_CARD}">{"".join(pieces)}</div>'


def _answer(outcome: Outcome, run: Snapshot) -> str:
    none = f'<span style="{_QUIET}">no answer</span>'
    answer = none if outcome.answer is None else f'<b style="{_MONO};font-size:16px">{_text(outcome.answer)}</b>'
    best = run.best
    checked = outcome.verified or (best and best.verified and best.answer == outcome.answer)
    badges = [_badge(outcome.status, _COLOURS.get(outcome.status, "#888"))]
    if checked and outcome.answer is not None:
        badges.append(_badge("verified by program", _COLOURS["done"]))
    elif outcome.verified is False:
        badges.append(_badge("wrong, checked by program", _COLOURS["error"]))
    if outcome.confidence is not None:
        share = "share of the vote" if run.votes or outcome.detail.get("votes") else "confidence"
        badges.append(f'<span style="{_QUIET}">{share} {outcome.confidence:.0%}</span>')
    why = next((outcome.detail[k] for k in ("reason", "cut", "error") if isinstance(outcome.detail.get(k), str)), "")
    told = f'<div style="{_QUIET}">{_text(why)}</div>' if why else ""
    asked = f'<div style="{_QUIET}">{_text(run.run.question)}</div>' if run.run else ""
    return f"{asked}<div>{answer} {' '.join(badges)}</div>{told}"


def _badge(words: str, colour: str) -> str:
    style = f"color:{colour};border:1px solid {colour};border-radius:9px;padding:0 7px;font-size:12px"
    return f'<span style="{style}">{_text(words)}</span>'


def _votes(outcome: Outcome, run: Snapshot) -> str:
    counts = list(run.votes.counts if run.votes else outcome.detail.get("votes") or ())
    if not counts:
        return ""
    whole = max(1, run.votes.seen if run.votes else sum(count for _, count in counts))
    rows = "".join(_bar(answer, count, whole) for answer, count in counts[:_ANSWERS])
    lost = [amounts.many(len(counts) - _ANSWERS, "more answer")] if len(counts) > _ANSWERS else []
    if run.votes:
        lost += [f"{run.votes.unread} could not be read"] if run.votes.unread else []
        lost += [f"{run.votes.failed} failed"] if run.votes.failed else []
    rest = f'<div style="{_QUIET}">{_text(" · ".join(lost))}</div>' if lost else ""
    return f'<table style="border-collapse:collapse;margin:6px 0;width:100%">{rows}</table>{rest}'


def _bar(answer: str, count: int, whole: int) -> str:
    share = 100 * count / whole
    bar = f'<div style="background:#2da44e;border-radius:2px;height:10px;width:{share:.1f}%"></div>'
    name = f'<td style="text-align:left;padding:1px 10px 1px 0;{_MONO}">{_text(one_line(answer)[:80])}</td>'
    number = f'<td style="text-align:right;padding-left:10px;white-space:nowrap">{count}/{whole}</td>'
    return f'<tr>{name}<td style="width:50%">{bar}</td>{number}</tr>'


def _tree(run: Snapshot) -> str:
    trees = {span: nodes for span, nodes in run.trees.items() if grown(nodes)}
    room = _NODES // max(1, len(trees))
    return "".join(_searched(run.place(span) if len(trees) > 1 else "", trees[span], room) for span in trees)


def _searched(place: str, nodes: Mapping[Path, Node], room: int) -> str:
    """One tree, with where in the run it is."""
    children: dict[Path, list[Path]] = {}
    for path in sorted(nodes)[: room + 1]:
        if path:
            children.setdefault(path[:-1], []).append(path)
    left = grown(nodes) - room
    more = f'<div style="{_QUIET}">… {amounts.many(left, "more thought")}</div>' if left > 0 else ""
    head = " · ".join([*filter(None, [place]), f"{amounts.many(grown(nodes), 'thought')}, {kept(nodes)} kept"])
    body = "".join(_branch(nodes, children, path) for path in children.get((), []))
    return _folded(head, body + more, opened=True)


def _branch(nodes: Mapping[Path, Node], children: Mapping[Path, list[Path]], path: Path) -> str:
    # Strategies bound the depth of a tree to a few dozen levels; deeper ones are cut, not recursed into.
    line, below = _thought(nodes[path]), children.get(path, []) if len(path) < 60 else []
    if not below:
        return f'<div style="margin-left:1.2em">{line}</div>'
    opened = any(nodes[child].status in ("best", "kept", "open") for child in below)
    inside = "".join(_branch(nodes, children, child) for child in below)
    return f'<details style="margin-left:1.2em"{" open" if opened else ""}><summary>{line}</summary>{inside}</details>'


def _thought(node: Node) -> str:
    sign = "★" if node.verified else _SIGNS[node.status]
    words = ["verified"] if node.verified else [node.status] if node.status in ("illegal", "merged") else []
    words += ["tied"] if node.reason == "tie" else []
    words += [one_line(node.verdict)[:40]] if node.verdict and not node.verified else []
    words += [amounts.score(node.score)] if node.score is not None and not node.verified else []
    style = "opacity:.5" if node.dropped else "font-weight:bold" if sign == "★" else ""
    thought = f'<span style="{style};{_MONO}">{sign} {_text(one_line(node.thought) or "…")}</span>'
    return f'{thought} <span style="{_QUIET}">{_text(" ".join(words))}</span>'


def _reply(outcome: Outcome) -> str:
    if not outcome.text.strip() or outcome.text.strip() == outcome.answer:
        return ""
    return _folded("reply", f'<div style="{_MONO};font-size:12px">{_text(outcome.text)}</div>')


def _folded(head: str, body: str, *, opened: bool = False) -> str:
    return f'<details style="margin:6px 0"{" open" if opened else ""}><summary>{_text(head)}</summary>{body}</details>'


def _took(outcome: Outcome) -> str:
    return f'<div style="{_QUIET}">{_text(" · ".join(_words(outcome)))}</div>'


def _words(outcome: Outcome) -> Iterator[str]:
    yield from (word for word in (outcome.strategy, amounts.model(outcome.model) if outcome.model else "") if word)
    yield amounts.calls(outcome.usage)
    yield f"{amounts.short(outcome.usage.input_tokens)} in, {amounts.short(outcome.usage.output_tokens)} out"
    yield amounts.lasting(outcome.seconds)
    yield amounts.money(outcome.cost_usd, outcome.model)
    if outcome.run:
        yield f"run {outcome.run}"


def _text(content: str) -> str:
    """Someone's words as HTML: cleaned of control characters, cut when too long, escaped."""
    shown = content if len(content) <= _LONGEST else f"{content[:_LONGEST]}…"
    return escape(clean(shown), quote=True)
