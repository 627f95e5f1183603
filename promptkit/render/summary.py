"""The closing lines of a run: what it took, what was checked, how it ended, where its trace is."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from promptkit.render import amounts, frame
from promptkit.render.safe import Legible, flow, one_line
from promptkit.render.state import RunState, Snapshot
from promptkit.render.votes import ruling
from promptkit.types import Outcome

_CHECKED = "by program, not by the model"


def closing(outcome: Outcome, state: RunState | None = None) -> Legible:
    """The lines that stand under a run's display."""
    return Legible(_Closing(lines(outcome, state)))


@dataclass(frozen=True, slots=True)
class _Closing:
    lines: list[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        gap = frame.margin(options.max_width)
        for line, style in self.lines:
            yield from frame.indented([Text(row, style=style) for row in flow(line, options.max_width - gap)], gap)


def lines(outcome: Outcome, state: RunState | None = None) -> list[tuple[str, str]]:
    """The lines with their styles, without margin."""
    snapshot = state.snapshot() if state else Snapshot()
    ended = _ended(outcome, snapshot)
    said = [(ended, "green" if outcome.status == "done" else "yellow")] if ended else []
    found = [(f"checked: {_checked(outcome)}", "green")] if _verified(outcome, snapshot) else []
    trace = f"trace {outcome.run} · promptkit runs show {outcome.run}"
    return [(_took(outcome, snapshot), "dim"), *found, *said, *([(trace, "dim")] if outcome.run else [])]


def _took(outcome: Outcome, snapshot: Snapshot) -> str:
    usage = outcome.usage
    words = [f"{amounts.many(snapshot.thoughts, 'thought')}, {snapshot.kept} kept"] if snapshot.thoughts else []
    words += [
        amounts.calls(usage),
        f"{amounts.short(usage.input_tokens)} in, {amounts.short(usage.output_tokens)} out",
        amounts.lasting(outcome.seconds),
        amounts.money(outcome.cost_usd, outcome.model),
    ]
    if snapshot.retries:
        words.append("1 retry" if snapshot.retries == 1 else f"{snapshot.retries} retries")
    return " · ".join(words)


def _verified(outcome: Outcome, snapshot: Snapshot) -> bool:
    best = snapshot.best
    return outcome.answer is not None and bool(
        outcome.detail.get("verified") or (best and best.verified and best.answer == outcome.answer)
    )


def _checked(outcome: Outcome) -> str:
    said = outcome.detail.get("checked")
    return one_line(said) if isinstance(said, str) and said.strip() else _CHECKED


def _ended(outcome: Outcome, snapshot: Snapshot) -> str:
    why = one_line(snapshot.stopped)
    match outcome.status:
        case "done":
            sure = f"decided, confidence {outcome.confidence:.0%}" if outcome.confidence is not None else ""
            return sure + (f" · stopped early: {why}" if why and sure else f"stopped early: {why}" if why else "")
        case "undecided":
            reason = outcome.detail.get("reason")
            fallback = one_line(reason) if isinstance(reason, str) and reason else why or "no answer won"
            if fallback in (one_line(warned.message) for warned in snapshot.warnings):
                return "undecided"  # the warning has just said why
            because = ruling(snapshot.votes).removeprefix("undecided: ") if snapshot.votes else fallback
            return f"undecided: {because}"
        case "budget":
            kept = "the best so far is the answer" if outcome.answer is not None else "there is no answer yet"
            cut = outcome.detail.get("cut")
            cap = one_line(cut) if isinstance(cut, str) and not snapshot.budget else frame.budget_words(snapshot)
            return f"{cap} · {kept}{_resume(outcome)}"
        case "cancelled":
            kept = "the best so far is the answer" if outcome.answer is not None else "there is no answer yet"
            return f"cancelled · {kept}{_resume(outcome)}"
        case "error":
            error = outcome.detail.get("error")
            return f"failed: {one_line(error)}" if isinstance(error, str) and error else "failed"


def _resume(outcome: Outcome) -> str:
    return f" · promptkit resume {outcome.run}" if outcome.run else ""
