"""The samples of a recorded run: what each was asked, said and took. A call may have brought several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from promptkit.cli.form import printable
from promptkit.cli.speak import clean, err, out, out_json
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.journal import Journal, RunRow

_TOLD = ("span", "draw", "cached", "input_tokens", "output_tokens", "seconds", "finish", "error")


def calls_of(journal: Journal, row: RunRow) -> Iterator[dict[str, Any]]:
    """The run's samples, numbered from 1 in the order they came back; `key` and `text` are null for one that failed."""
    # A completion is noted as used in the very step its CallEnded is emitted: the n-th use is the n-th success.
    used = iter(journal.calls(row.id))
    ended = (event for event in journal.events(row.id) if event["type"] == "CallEnded")
    for number, event in enumerate(ended, start=1):
        key, span, _ = ("", "", False) if event["error"] else next(used, ("", "", False))
        stored = journal.get(key) if key and span == event["span"] else None
        reply = stored.completion if stored else None
        yield {
            "call": number,
            **{name: event[name] for name in _TOLD},
            "prompt": event["key"],
            "key": key if stored else None,
            "model": reply.model if reply else None,
            "text": reply.text if reply else None,
            "reasoning": reply.reasoning if reply else None,
            "reasoning_tokens": reply.usage.reasoning_tokens if reply else None,
        }


def answered(journal: Journal, row: RunRow) -> list[str]:
    """The models that answered, where the run had several that stand in for each other."""
    if not row.options.get("models"):
        return []
    return list(dict.fromkeys(call["model"] for call in calls_of(journal, row) if call["model"]))


def show_call(journal: Journal, row: RunRow, number: int, as_json: bool) -> None:
    """Print the whole prompt and reply of a sample."""
    from promptkit.render.amounts import many

    calls = list(calls_of(journal, row))
    if not 1 <= number <= len(calls):
        last = f" to --call {len(calls)}" if len(calls) > 1 else ""
        hint = f"--call 1{last}" if calls else f"promptkit runs show {row.id}"
        raise BadInput(f"run {row.id} has {many(len(calls), 'sample')}, no sample {number}", hint=hint)
    call = calls[number - 1]
    asked = _request(journal, calls, call)
    if as_json:
        return out_json({"schema": "promptkit.call/1", "run": row.id, **call, "request": asked})
    out(_headline(call, len(calls), row.model))
    for turn in asked["messages"] if asked else ():
        out(f"\n[{turn['role']}]\n{printable(_text(turn))}")
    if call["reasoning"]:
        out(f"\n[reasoning]\n{printable(call['reasoning'])}")
    if call["text"] is not None:
        out(f"\n[reply]\n{printable(call['text'])}")
    if asked is None:
        err("the prompt is not in the journal: it is kept with a reply")
    return None


def _request(journal: Journal, calls: list[dict[str, Any]], call: dict[str, Any]) -> dict[str, Any] | None:
    """What the call asked; for one that failed, what another draw of the same prompt asked."""
    same = (other["key"] for other in calls if other["key"] and other["prompt"] == call["prompt"])
    key = call["key"] or next(same, None)
    return journal.request(key) if key else None


def _text(turn: dict[str, Any]) -> str:
    """The turn's text, with a note in place of an image or a file."""
    parts = [
        part["text"] if "text" in part else f"[{part['kind']} {part['name'] or part['sha256'][:12]}]"
        for part in turn["content"]
    ]
    wishes = [f"\n[calls {wish['name']} {wish['arguments']}]" for wish in turn["calls"]]
    return "".join((*parts, *wishes))


def _headline(call: dict[str, Any], calls: int, model: str) -> str:
    """What the sample took; which model it came from, where the run had several."""
    from promptkit.render import amounts
    from promptkit.render.amounts import lasting, short

    draw = "/".join(map(str, call["draw"]))
    words = [f"sample {call['call']} of {calls}", call["span"], f"draw {draw}"]
    if call["error"]:
        return clean(" · ".join([*words, f"failed: {call['error']}"]))
    tokens = f"{short(call['input_tokens'])} → {short(call['output_tokens'])} tokens"
    tokens += f" ({short(call['reasoning_tokens'])} of them thinking)" if call["reasoning_tokens"] else ""
    words += [amounts.model(call["model"])] if call["model"] not in (None, model) else []
    words += [tokens, "cached" if call["cached"] else lasting(call["seconds"])]
    return clean(" · ".join([*words, *([call["finish"]] if call["finish"] != "stop" else [])]))
