"""`promptkit compare QUESTION -s cot,sc,tot`: strategies side by side on one question, each its own recorded run."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.answer import parse_options, question_from
from promptkit.cli.exits import OF_STATUS, Exit
from promptkit.cli.run import Question, shared
from promptkit.cli.speak import clean, err, out_json, say
from promptkit.cli.tables import columns
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, PromptkitError
from promptkit.types import Outcome, Usage

if TYPE_CHECKING:
    from promptkit.runtime.plan import Plan

Specs = Annotated[
    list[str],
    typer.Option(
        "-s",
        "--strategies",
        metavar="STRATEGY,…",
        help='Strategies, as in -s cot,"sc(n=20)"; repeatable.',
        autocompletion=complete.specs,
        show_default=False,
    ),
]
SHARED = "model pack option reader answers effort seed fresh".split()
SHARED += "persona audience structured pattern descriptive reflect".split()
SHARED += "max_calls max_tokens max_cost timeout fit concurrency journal as_json quiet".split()
HEAD = ("strategy", "checked", "votes", "calls", "tokens", "cost", "seconds", "run", "answer")
MOST = 160  # cells that an answer takes on a terminal


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare", cls=Verb)(_command())


def _command() -> Callable[..., int]:
    def compare(question: str | None = None, strategies: Sequence[str] = (), **given: Any) -> int:
        """Answer a question with several strategies, and show them side by side.

        Each is a run of its own, with caps of its own, one after the other; Ctrl-C keeps what is done. Exit code: 0
        when one of them has an answer, 3 when none has, 5 when one reached a cap, 1 when one failed.
        """
        return _compare(question, strategies, given)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter("question", kind, default=None, annotation=Question),
        inspect.Parameter("strategies", inspect.Parameter.KEYWORD_ONLY, default=[], annotation=Specs),
        *shared(SHARED),
    ]
    compare.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    compare.__annotations__ = {each.name: each.annotation for each in parameters}
    return compare


def _compare(question: str | None, written: Sequence[str], given: dict[str, Any]) -> int:
    from promptkit import api, composition

    if not (specs := [spec for each in written for spec in composition.listed(each)]):
        raise BadInput("compare wants strategies", hint="-s cot,sc,tot\nlist them: promptkit strategies")
    as_json, quiet = given.pop("as_json"), given.pop("quiet")
    how = {"model_options": parse_options(given.pop("option")), **given}
    asked = question_from(question, "compare")
    specs, plans = _different(specs, [api.plan(spec, asked, **how) for spec in specs])  # before anything is asked
    rows = _Rows(specs, plans, quiet=quiet)
    try:
        for number in range(len(plans)):
            rows.run(number)
    except KeyboardInterrupt:
        rows.interrupted = True
    ended = rows.exit()
    if as_json:
        out_json({"schema": "promptkit.compare/1", "question": asked, "exit": int(ended), "runs": rows.document()})
    else:
        columns(HEAD, [row(spec, outcome) for spec, outcome in rows.done])
    return ended


def _different(specs: Sequence[str], plans: Sequence[Plan]) -> tuple[list[str], list[Plan]]:
    """Each strategy once: the same one again would make no call of its own."""
    kept: dict[int, Plan] = {}
    for number, plan in enumerate(plans):
        if any(plan.strategy == other.strategy for other in kept.values()):
            say(f"{specs[number]} is named twice: it is compared once", ["to draw it anew: a compare with --seed 1"])
        else:
            kept[number] = plan
    return [specs[number] for number in kept], list(kept.values())


class _Rows:
    """The strategies, and what came of those that were run."""

    def __init__(self, specs: Sequence[str], plans: Sequence[Plan], *, quiet: bool) -> None:
        self.specs, self.plans, self.quiet = specs, plans, quiet
        self.done: list[tuple[str, Outcome]] = []
        self.errors: list[PromptkitError] = []
        self.interrupted = False

    def run(self, number: int) -> None:
        """Run one; an error is its row, unless it would be everybody's."""
        from promptkit import sync
        from promptkit.runtime.run import execute

        plan, spec = self.plans[number], self.specs[number]
        if not self.quiet:
            err(f"{number + 1}/{len(self.plans)}  {clean(spec)} …")
        try:
            outcome = sync.run(execute(plan))
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._keep(number)
            raise KeyboardInterrupt from None
        except PromptkitError as error:
            if error.exit_code != Exit.FAILED and not self.done:  # of the key, or of the question: the next has it too
                raise
            self.errors.append(error)
            told = {"error": error.message}
            outcome = Outcome(answer=None, status="error", run=plan.run, strategy=plan.name, detail=told)
            err(f"error: {clean(spec)}: {clean(error.message)}")
        self.done.append((spec, outcome))

    def _keep(self, number: int) -> None:
        """What the journal has of a run that was stopped; nothing where it had not begun."""
        plan = self.plans[number]
        try:
            row = plan.journal.run(plan.run)
        except PromptkitError:
            return
        kept: Mapping[str, Any] = row.outcome or {}
        known = {name: kept[name] for name in ("text", "seconds", "cost_usd", "detail") if name in kept}
        told: dict[str, Any] = {"run": plan.run, "strategy": plan.name, "model": plan.provider.id}
        told["usage"] = Usage(**kept.get("usage", {}))
        self.done.append((self.specs[number], Outcome(answer=kept.get("answer"), status="cancelled", **known, **told)))
        err(f"interrupted; to go on with it: promptkit resume {plan.run}")

    def exit(self) -> Exit:
        """How the command ends."""
        ended = {outcome.status for _, outcome in self.done}
        if self.interrupted:
            return Exit.INTERRUPTED
        for status in ("error", "budget"):
            if status in ended:
                return OF_STATUS[status]
        return Exit.DONE if any(outcome.answer is not None for _, outcome in self.done) else Exit.UNDECIDED

    def document(self) -> list[dict[str, Any]]:
        """Every run as `run --json` has it, with what was typed for it."""
        from promptkit.cli.form import as_json

        return [{"spec": spec, **as_json(outcome)} for spec, outcome in self.done]


def row(spec: str, outcome: Outcome) -> tuple[str, ...]:
    from promptkit.render import amounts
    from promptkit.render.safe import clip, one_line

    checked = {True: "right", False: "wrong"}
    usage = outcome.usage
    shown = one_line(outcome.answer) if outcome.answer is not None else f"({_why(outcome)})"
    return (
        spec,
        checked.get(outcome.verified, "") if outcome.verified is not None else "",
        _votes(outcome),
        f"{usage.calls:,}" + (f" ({usage.cached_calls:,} cached)" if usage.cached_calls else ""),
        amounts.short(usage.tokens),
        amounts.money(outcome.cost_usd, outcome.model) if usage.calls else "",
        f"{outcome.seconds:.1f}",
        outcome.run,
        clip(shown, MOST) if sys.stdout.isatty() else shown,
    )


def _votes(outcome: Outcome) -> str:
    """`7 of 10`: the votes for the answer, or for the first one that leads, of those that were counted."""
    votes = outcome.detail.get("votes")
    listed = votes if isinstance(votes, (list, tuple)) else ()  # a strategy may put anything there
    counts = [each for each in listed if isinstance(each[1], (int, float))]
    if not counts:
        return ""
    most = max(count for _, count in counts)  # the answer may have fewer, where votes have weights
    mine = next((count for answer, count in counts if answer == outcome.answer), most)
    return f"{mine:g} of {sum(count for _, count in counts):g}"


def _why(outcome: Outcome) -> str:
    """Why there is no answer, in a word or a line."""
    told = outcome.detail.get("error") or outcome.detail.get("cut")
    return f"{outcome.status}: {told}" if isinstance(told, str) and told else str(outcome.status)
