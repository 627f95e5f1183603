"""`promptkit diversity QUESTION|RUN`: how much several draws of one prompt differ, and what that shows."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.looking import SHARED, looked, text_from, writable
from promptkit.cli.run import shared
from promptkit.cli.speak import err, out, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.verb import Verb

if TYPE_CHECKING:
    from promptkit.decoding.diversity import Drawn
    from promptkit.journal import Journal, RunRow

What = Annotated[
    str | None,
    typer.Argument(
        metavar="QUESTION|RUN",
        help="A question to draw replies to, or a run that has; - reads a question from stdin.",
        show_default=False,
        autocompletion=complete.runs,
    ),
]
OPTIONS: dict[str, tuple[Any, Any]] = {
    "n": (20, Annotated[int, typer.Option("--n", "-n", help="Draws.")]),
    "template": ("cot", Annotated[str, typer.Option("-t", "--template", help="The pack's template: cot, solve, …")]),
    "temperature": (0.7, Annotated[float, typer.Option("--temperature", help="Sampling temperature.")]),
    "reply_tokens": (
        None,
        Annotated[int | None, typer.Option("--reply-tokens", help="Longest reply.", show_default=False)],
    ),
}
RUN = re.compile(r"last|r[0-9a-f]{4,8}")
HEAD = ("measure", "value", "95 % interval", "what it is")


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("diversity", cls=Verb)(_command())


def _command() -> Callable[..., int]:
    def diversity(what: str | None = None, **given: Any) -> int:
        """Tell how much draws of one prompt differ: in their answers, and in their words.

        A run is looked at without a call: the draws of the prompt it asked most often. The draws of a question are
        those that `sc` would vote over, so each is paid for once.
        """
        return _diversity(what, {name: given.pop(name) for name in OPTIONS}, given)

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("what", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=What),
        *(inspect.Parameter(name, kind, default=default, annotation=a) for name, (default, a) in OPTIONS.items()),
        *shared([*SHARED, "pack", "reader"]),
    ]
    diversity.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    diversity.__annotations__ = {each.name: each.annotation for each in parameters}
    return diversity


def _diversity(what: str | None, fields: dict[str, Any], given: dict[str, Any]) -> int:
    from promptkit import api

    if what is not None and RUN.fullmatch(what):
        journal = api.open_journal(given["journal"])
        return _told(journal, api.find_run(what, journal), given["as_json"])
    from promptkit.decoding.draws import Draws

    plan, outcome = looked(Draws(**fields), text_from(what, "diversity"), given)
    if "reason" in outcome.detail:  # the model was not made for such a question, and was asked nothing
        if given["as_json"]:
            out_json(_document(None, plan.provider.id, [], 0, "unclear", str(outcome.detail["reason"])))
        return Exit.UNDECIDED
    if outcome.status == "budget":
        err(f"cut short: promptkit resume {outcome.run} --max-calls …; these are the draws it has")
    code = _told(plan.journal, plan.journal.run(plan.run), given["as_json"])
    return Exit.BUDGET if outcome.status == "budget" else code


def _told(journal: Journal, row: RunRow, as_json: bool) -> int:
    """Print what the draws of a run come to."""
    from promptkit.cli.drawn import draws_of
    from promptkit.decoding.diversity import measured, verdict

    draws, others = draws_of(journal, row)
    word, sentence = verdict(draws)
    unread = sum(draw.key is None for draw in draws)
    if as_json:
        out_json(_document(row.id, row.model, draws, others, word, sentence))
        return Exit.DONE
    columns(HEAD, [(m.name, _number(m.value), _between(m.low, m.high), m.about) for m in measured(draws)])
    out("")
    prose(sentence)
    for line in _beside(draws, unread, others):
        err(line)
    return Exit.DONE


def _document(run: str | None, model: str, draws: Sequence[Drawn], others: int, word: str, sentence: str) -> Any:
    """The draws as data; of none there is no measure."""
    from promptkit.decoding.diversity import measured

    shown = {draw.key: draw.shown for draw in reversed(draws)}  # of equal answers the first is shown
    counts = Counter(draw.key for draw in draws if draw.key is not None).most_common()
    measures = measured(draws) if draws else []
    numbers = {m.name.replace(" ", "_"): {"value": m.value, "low": m.low, "high": m.high} for m in measures}
    body: dict[str, Any] = {"schema": "promptkit.diversity/1", "run": run, "model": model, "draws": len(draws)}
    body |= {"unread": sum(draw.key is None for draw in draws), "other_calls": others}
    body |= {"answers": [[shown[key], count] for key, count in counts], "measures": numbers}
    return writable({**body, "verdict": word, "sentence": sentence})


def _beside(draws: Sequence[Drawn], unread: int, others: int) -> list[str]:
    """What the numbers do not cover."""
    from promptkit.render.amounts import many

    said = [f"no answer could be read in {unread} of {len(draws)} draws"] if unread else []
    return [*said, *([f"{many(others, 'other call')} of the run asked something else: left out"] if others else [])]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _between(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.2f} to {high:.2f}"
