"""The closing lines of a run: what it took, what was checked, how it ended, where its trace is."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from promptkit.render import amounts, frame
from promptkit.render.safe import Legible, clean, clip, flow, one_line
from promptkit.render.state import RunState, Snapshot
from promptkit.render.thoughts import grown
from promptkit.render.votes import ruling, tie
from promptkit.types import Outcome, Usage

_CHECKED = "by program, not by the model"
_WRONG = "✗ checked by program: wrong"
_FLAGS = {"calls": "--max-calls", "tokens": "--max-tokens", "cost": "--max-cost", "seconds": "--timeout"}
_REPLY = 60  # characters shown of a reply that has no answer


def closing(outcome: Outcome, state: RunState | None = None) -> Legible:
    """The lines that stand under a run's display."""
    return Legible(_Closing(lines(outcome, state)))


@dataclass(frozen=True, slots=True)
class _Closing:
    lines: list[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        gap = frame.margin(options.max_width)
        for line, style in self.lines:
            yield from frame.indented([Text(row, style=style) for row in _evenly(line, options.max_width - gap)], gap)


def _evenly(line: str, width: int) -> list[str]:
    """The line's parts in as few rows as they need, none of them left with a single word where that can be."""
    rows = flow(line, width)
    while len(rows) > 1 and width > 1 and len(narrower := flow(line, width - 1)) == len(rows):
        rows, width = narrower, width - 1
    return rows


def lines(outcome: Outcome, state: RunState | None = None) -> list[tuple[str, str]]:
    """The lines with their styles, without margin."""
    snapshot = state.snapshot() if state else Snapshot()
    wrong = outcome.verified is False
    style = "yellow" if wrong or outcome.status != "done" else "green"
    # A wrong answer comes first: what stands above looks like any other.
    found = [(_WRONG, "bold red")] if wrong else []
    found += [(_took(outcome, snapshot), "dim")]
    found += [(f"checked: {_checked(outcome)}", "green")] if _verified(outcome, snapshot) else []
    found += [(line, style) for line in (_ended(outcome, snapshot), _reply(outcome, snapshot)) if line]
    found += [(holds, "dim")] if (holds := _holds(outcome)) else []
    trace = f"trace {outcome.run} · promptkit runs show {outcome.run}"
    return [*found, *([(trace, "dim")] if outcome.run else [])]


def _took(outcome: Outcome, snapshot: Snapshot) -> str:
    usage = outcome.usage
    trees = sum(map(bool, map(grown, snapshot.trees.values())))
    where = f" in {trees} trees" if trees > 1 else ""
    words = [f"{amounts.many(snapshot.thoughts, 'thought')}{where}, {snapshot.kept} kept"] if trees else []
    words += [
        amounts.calls(usage),
        f"{amounts.short(usage.input_tokens)} in, {amounts.short(usage.output_tokens)} out{_thought(usage)}",
        amounts.lasting(outcome.seconds),
        amounts.money(outcome.cost_usd, outcome.model),
    ]
    if snapshot.retries:
        words.append("1 retry" if snapshot.retries == 1 else f"{snapshot.retries} retries")
    return " · ".join(words)


def _thought(usage: Usage) -> str:
    """How much of what was written is reasoning."""
    return f" ({amounts.short(usage.reasoning_tokens)} of them thinking)" if usage.reasoning_tokens else ""


def _verified(outcome: Outcome, snapshot: Snapshot) -> bool:
    best = snapshot.best
    return outcome.answer is not None and bool(
        outcome.verified or (best and best.verified and best.answer == outcome.answer)
    )


def _checked(outcome: Outcome) -> str:
    said = outcome.detail.get("checked")
    return one_line(said) if isinstance(said, str) and said.strip() else _CHECKED


def _ended(outcome: Outcome, snapshot: Snapshot) -> str:
    why = frame.reason(snapshot.stopped)
    match outcome.status:
        case "done":
            sure = "" if outcome.confidence is None else f"decided, {_share(outcome, snapshot)}"
            return sure + (f" · stopped early: {why}" if why and sure else f"stopped early: {why}" if why else "")
        case "undecided":
            reason = outcome.detail.get("reason")
            fallback = one_line(reason) if isinstance(reason, str) and reason else why or _unread(outcome)
            if fallback in (one_line(warned.message) for warned in snapshot.warnings):
                return "undecided"  # the warning has just said why
            counted = snapshot.votes and not reason  # a rule that gave up says why
            because = ruling(snapshot.votes).removeprefix("undecided: ") if snapshot.votes and counted else fallback
            return f"undecided: {because}"
        case "budget":
            kept = _kept(outcome, snapshot)
            cut = outcome.detail.get("cut")
            cap = one_line(cut) if isinstance(cut, str) and not snapshot.budget else frame.budget_words(snapshot)
            return f"{cap} · {kept}{_resume(outcome, snapshot)}"
        case "cancelled":
            return f"cancelled · {_kept(outcome, snapshot)}{_resume(outcome)}"
        case "error":
            error = outcome.detail.get("error")
            return f"failed: {frame.reason(error)}" if isinstance(error, str) and error else "failed"


def _holds(outcome: Outcome) -> str:
    """What the rule that ended a vote guarantees, how far it had come, and the interval of the leader's share."""
    told = outcome.detail
    guarantee, rule = told.get("guarantee"), told.get("stop")
    if not (isinstance(guarantee, str) and guarantee and isinstance(rule, str)) or rule == "none":
        return ""
    level, needed = told.get("level"), told.get("needed")
    short = f" ({level:.3g} of {needed:.3g})" if isinstance(level, (int, float)) and needed is not None else ""
    rule = f"{rule} holds" if told.get("ruled") else f"{rule} had not decided{short}"
    low, high = told.get("interval") or (0.0, 1.0)
    return one_line(f"{rule}: {guarantee} · share of the leader {low:.0%} to {high:.0%} (95 %)")


def _kept(outcome: Outcome, snapshot: Snapshot) -> str:
    """What a run that was cut off leaves behind."""
    if outcome.answer is not None:
        return "the best so far is the answer"
    tied = tie(snapshot.votes) if snapshot.votes else ""
    return f"{tied}, there is no answer yet" if tied else "there is no answer yet"


def _share(outcome: Outcome, snapshot: Snapshot) -> str:
    voted = snapshot.votes or outcome.detail.get("votes")
    return f"{'share of the vote' if voted else 'confidence'} {outcome.confidence:.0%}"


def _unread(outcome: Outcome) -> str:
    """Why there is no answer where nothing was put to the vote; only `finish` tells that there was a single reply."""
    if outcome.detail.get("finish") == "length":
        return "the reply was cut off before its answer"
    if outcome.text.strip():
        return "no answer could be read from the reply"
    return "the reply was empty" if "finish" in outcome.detail else "the strategy came to no answer"


def _reply(outcome: Outcome, snapshot: Snapshot) -> str:
    """How a reply begins that no answer could be read from."""
    reason = outcome.detail.get("reason") or snapshot.stopped or snapshot.votes
    first = next((line for line in clean(outcome.text).splitlines() if line.strip()), "")
    if outcome.status != "undecided" or reason or not first:
        return ""
    return f"the reply begins: {clip(one_line(first), _REPLY)}"


def _resume(outcome: Outcome, snapshot: Snapshot | None = None) -> str:
    """What to type to go on: with twice the cap that was hit, for under the same one nothing more would be sent."""
    if not outcome.run:
        return ""
    hit = snapshot.budget if snapshot else None
    flag = _FLAGS.get(hit.cap) if hit else None
    more = f" {flag} {2 * max(hit.limit, hit.used):.6g}" if hit and flag else ""
    then = outcome.detail.get("not_before")
    later = f", not before {one_line(then)}" if isinstance(then, str) and then else ""
    return f" · promptkit resume {outcome.run}{more}{later}"
