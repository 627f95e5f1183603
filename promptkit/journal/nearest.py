"""Why a call was a miss: what the journal held at the time that came nearest to it, and what was different about it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from promptkit.journal import values

NEWEST = 5_000  # different requests looked through
CLOSELY = 8  # of which so many are compared word by word
ALIKE = 0.5  # part of the words two prompts must share to be called the same prompt, changed

_WHO = {"gguf": "the model file changed", "template": "the chat template changed", "weights": "the model file changed"}


@dataclass(frozen=True, slots=True)
class Why:
    """`kind` is fresh, draw, changed, new or unknown; `differences` say what is different from the `nearest` run's."""

    kind: str
    differences: tuple[str, ...]
    nearest: str | None = None  # a run that used what came nearest


@dataclass(frozen=True, slots=True)
class _Asked:
    call: str
    request: dict[str, Any]
    identity: str | None
    model: str | None
    draws: int = 1

    @property
    def words(self) -> list[str]:
        return [word for turn in self.request["messages"] for word in _text(turn).split()]

    @property
    def lines(self) -> set[str]:
        return {line for turn in self.request["messages"] for line in _text(turn).splitlines()}


def why(db: sqlite3.Connection, keys: Sequence[str], before: float) -> list[Why]:
    """For each completion, why a journal as it was at that time (seconds since the epoch) did not have it."""
    rows = db.execute(
        "SELECT max(id), request, identity, model, total(samples) FROM calls WHERE at < ?"
        " GROUP BY request, identity ORDER BY max(at) DESC LIMIT ?",
        (before, NEWEST),
    ).fetchall()
    held = [asked for row in rows if (asked := _asked(row))]
    known: dict[str, Why] = {}
    return [_why(db, _of(db, key), held, known) for key in keys]


def _why(db: sqlite3.Connection, mine: _Asked | None, held: Sequence[_Asked], known: dict[str, Why]) -> Why:
    if mine is None:
        return Why("unknown", ("the request is not in the journal",))
    if mine.call not in known:
        known[mine.call] = _explained(db, mine, held)
    return known[mine.call]


def _explained(db: sqlite3.Connection, mine: _Asked, held: Sequence[_Asked]) -> Why:
    if _branch(mine):
        return Why("fresh", ("fresh draws: --fresh takes what no earlier run has used",))
    lines = mine.lines
    rough = sorted(held, key=lambda other: (-_shared(lines, other.lines), len(_settings(mine, other))))[:CLOSELY]
    words = mine.words
    close = [(SequenceMatcher(None, other.words, words, autojunk=False).ratio(), other) for other in rough]
    close = [(ratio, other) for ratio, other in close if ratio >= ALIKE]
    if not close:
        return Why("new", ("never asked before: nothing in the journal comes near",))
    _, nearest = min(close, key=lambda pair: 10 * (1 - pair[0]) + _weight(mine, pair[1]))
    different = (*_settings(mine, nearest), *_prompt(mine, nearest))
    if different:
        return Why("changed", different, _run(db, nearest.call))
    asked = f"this draw was not taken before; of the same prompt there were {nearest.draws}"
    return Why("draw", (asked,), _run(db, nearest.call))


def _of(db: sqlite3.Connection, key: str) -> _Asked | None:
    columns = "calls.id, request, identity, model, samples"
    row = db.execute(f"SELECT {columns} FROM completions JOIN calls ON calls.id = call WHERE key = ?", (key,))
    return _asked(row.fetchone())


def _asked(row: tuple[Any, ...] | None) -> _Asked | None:
    request = values.unpack(row[1]) if row else None
    if row is None or not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        return None
    return _Asked(row[0], request, row[2], row[3], int(row[4]))


def _run(db: sqlite3.Connection, call: str) -> str | None:
    used = "SELECT run FROM uses JOIN completions ON completions.key = uses.key WHERE call = ? ORDER BY uses.id LIMIT 1"
    row = db.execute(used, (call,)).fetchone()
    return row[0] if row else None


def _branch(asked: _Asked) -> bool:
    draw = asked.request.get("draw") or [0]
    return bool(draw[0] < 0)


def _shared(mine: set[str], theirs: set[str]) -> float:
    return len(mine & theirs) / (len(mine | theirs) or 1)


def _weight(mine: _Asked, other: _Asked) -> float:
    """How far apart two requests are apart from their prompts; another model is further away than another setting."""
    return len(_settings(mine, other)) + (2 if mine.model != other.model else 0) + (3 if _branch(other) else 0)


def _settings(mine: _Asked, other: _Asked) -> tuple[str, ...]:
    """What is different besides the prompt."""
    found = list(_who(mine, other))
    for name in sorted(mine.request.keys() | other.request.keys()):
        was, now = other.request.get(name), mine.request.get(name)
        if name == "messages" or was == now:
            continue
        if name == "draw" and _branch(other):
            found.append("the same was only asked with --fresh, which nobody else is given")
        else:
            found.append(f"{name} {_said(was)} → {_said(now)}")
    return tuple(found)


def _who(mine: _Asked, other: _Asked) -> list[str]:
    if mine.model != other.model and mine.model and other.model:
        return [f"model {other.model} → {mine.model}"]
    if mine.identity == other.identity:
        return []
    was, now = _parts(other.identity), _parts(mine.identity)
    if was is None or now is None:
        return ["the model changed" if other.identity else "which model answered then was not recorded"]
    names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
    return [_WHO.get(name) or f"{name} {_said(was.get(name))} → {_said(now.get(name))}" for name in names]


def _parts(identity: str | None) -> dict[str, Any] | None:
    try:
        parts = json.loads(identity or "")
    except ValueError:
        return None
    return parts if isinstance(parts, dict) else None


def _prompt(mine: _Asked, other: _Asked) -> list[str]:
    """The first line of the prompt that differs."""
    now, was = mine.request["messages"], other.request["messages"]
    for number, (a, b) in enumerate(zip(was, now, strict=False), 1):
        place = f"prompt, message {number}" if max(len(now), len(was)) > 1 else "prompt"
        if a["role"] != b["role"]:
            return [f"{place}: from {a['role']} → {b['role']}"]
        before, after = _text(a).splitlines(), _text(b).splitlines()
        for line in range(max(len(before), len(after))):
            old, new = (text[line] if line < len(text) else None for text in (before, after))
            if old != new:
                return [f"{place}: line {line + 1} differs: {_said(old)} → {_said(new)}"]
        if a != b:
            return [f"{place}: an attachment or a tool call differs"]
    return [f"prompt: {len(was)} messages → {len(now)}"] if len(now) != len(was) else []


def _text(turn: Any) -> str:
    return "\n".join(part["text"] for part in turn["content"] if "text" in part)


def _said(value: Any) -> str:
    if value is None:
        return "none"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 72 else f"{text[:70]}…"
