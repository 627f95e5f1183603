"""The flags of `promptkit run`, written down once: what reads a command line is made from this table."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_args, get_type_hints

from promptkit.types import Strategy


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag: its type, what it is when it is not given, and its names."""

    kind: Any
    default: Any
    names: tuple[str, ...]
    help: str = ""
    metavar: str | None = None
    strategy: bool = False  # whether its words are a strategy, as in `few-shot(n=4)`
    heading: str | None = None  # what it stands under in the help; the other options where there is none


def _flag(kind: Any, default: Any, *names: str, help: str, metavar: str | None = None) -> Flag:
    return Flag(kind, default, names, help, metavar)


def _layer(kind: Any, default: Any, name: str, metavar: str | None, help: str) -> Flag:
    return Flag(kind, default, (name,), help, metavar, heading="Layers")


LAYERS: dict[str, Flag] = {
    "persona": _layer(str | None, None, "--persona", "WHO", 'Who answers, e.g. "a terse physicist".'),
    "audience": _layer(str | None, None, "--audience", "WHO", 'Who listens, e.g. "a ten-year-old".'),
    "structured": _layer(
        str | None,
        None,
        "--structured",
        "FORM",
        "Form of the text: title, steps, sections:A,B,C, table:COLUMN,…, json[:SCHEMA.json], markdown[:SKELETON.md].",
    ),
    "pattern": _layer(
        list[str], [], "--pattern", "NAME[:TEXT]", "A block of prompts/tricks, e.g. fact-check; repeatable."
    ),
    "descriptive": _layer(bool, False, "--descriptive", None, "Complete the question with stated assumptions."),
    "reflect": _layer(bool, False, "--reflect", None, "Mend the answer where a review finds the mend better."),
}


SHARED: dict[str, Flag] = {
    **LAYERS,
    "model": _flag(str | None, None, "-m", "--model", help="provider:name; the default is `builtin`."),
    "pack": _flag(str, "general", "-P", "--pack", help="Prompt pack."),
    "option": _flag(list[str], [], "-o", metavar="KEY=VALUE", help="Provider option; repeatable."),
    "reader": _flag(str | None, None, "--reader", help="How the answer is read, e.g. number."),
    "output": _flag(str | None, None, "--output", metavar="SCHEMA.json", help="JSON Schema the answer must fit."),
    "attach": _flag(list[str], [], "--with", metavar="FILE|-", help="A text or an image to ask about; repeatable."),
    "answers": _flag(
        str | None, None, "--answers", metavar="FILE", help="Answers to what a strategy asks you, in YAML."
    ),
    "effort": _flag(
        str | None, None, "--effort", help="How long a reasoning model thinks: none, minimal, low, medium, high."
    ),
    "seed": _flag(int, 0, "--seed", help="Run seed."),
    "fresh": _flag(bool, False, "--fresh", help="Draws that no earlier run has used."),
    "max_calls": _flag(int | None, None, "--max-calls", help="Cap on calls; those from the journal do not count."),
    "max_tokens": _flag(int | None, None, "--max-tokens", help="Cap on tokens, input and output, over the run."),
    "max_cost": _flag(float | None, None, "--max-cost", help="Cap in USD."),
    "timeout": _flag(float | None, None, "--timeout", help="Cap in seconds."),
    "fit": _flag(bool, False, "--fit", help="Make the strategy small enough for --max-calls."),
    "concurrency": _flag(int | None, None, "--concurrency", help="Calls in flight at once; the default is 8."),
    "journal": _flag(str | None, None, "--journal", metavar="PATH", help="Another journal; memory keeps nothing."),
    "as_json": _flag(bool, False, "--json", help="One JSON object on stdout."),
    "events": _flag(bool, False, "--events", help="Events as JSON lines on stderr."),
    "dry_run": _flag(bool, False, "--dry-run", help="Show the first prompts; call nothing."),
    "plain": _flag(bool, False, "--plain", help="No live display."),
    "quiet": _flag(bool, False, "-q", "--quiet", help="Warnings only."),
}


def of_run(strategy: type[Any]) -> dict[str, Flag]:
    """All flags of a run: the strategy's own, and the shared ones; `audience` of persona is its own, and no layer."""
    own = of_strategy(strategy)
    return {**own, **{key: flag for key, flag in SHARED.items() if key not in own or key not in LAYERS}}


def of_strategy(strategy: type[Any]) -> dict[str, Flag]:
    """A flag for each field of a strategy that a word can say; their help is the comments beside them (fields.py)."""
    hints = get_type_hints(strategy)
    said = [field for field in fields(strategy) if field.metadata.get("flag", True) is not None]
    return {field.name: _of_field(field, hints[field.name]) for field in said}


def _of_field(field: Field[Any], hint: Any) -> Flag:
    kind = field.metadata.get("flag", hint)  # where Python takes more than a word can say
    name = "--" + field.name.replace("_", "-")
    if kind in (bool, bool | None):
        name += f"/--no-{name[2:]}"
    default = None if field.default is MISSING else field.default
    return Flag(kind, default, (name,), strategy=Strategy in get_args(hint))
