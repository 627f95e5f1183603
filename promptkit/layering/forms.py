"""The forms of a text: `title`, `steps`, `sections:A,B`, `table:COLUMN,…`, `markdown[:SKELETON.md]`, `json[:SCHEMA]`.

A form says in words what it is, finds itself in a reply, and can hold a model to it: by a grammar, or by a JSON schema
from whose value a program writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from promptkit import outputs
from promptkit.errors import BadInput, UnknownName
from promptkit.layering import markdown
from promptkit.layering.shapes import Free, Headings, Json, Shape, Steps, Tabular, skeleton
from promptkit.textfile import text_of

HINT = "title, steps, sections:A,B,C, table:COLUMN,…, json[:SCHEMA.json] or markdown[:SKELETON.md]"


def shape(written: str) -> Shape | Json:
    """The form that is written as in `sections:A,B`; BadInput when it is none."""
    kind, colon, told = (part.strip() for part in written.partition(":"))
    if kind not in KINDS:
        error = UnknownName("form", kind, KINDS)
        raise BadInput(error.message, hint=f"{error.hint}\n--structured {HINT}")
    if colon and not told:
        raise BadInput(f"nothing stands behind the colon of {written!r}", hint=f"--structured {HINT}")
    return KINDS[kind](told)


def _title(told: str) -> Shape:
    _nothing("title", told)
    return Headings(
        ((1, None),), "Begin with a title on a line of its own, as in `# Title`. The text follows below it."
    )


def _steps(told: str) -> Shape:
    _nothing("steps", told)
    return Steps()


def _sections(told: str) -> Shape:
    names = _listed("sections", told, "Summary,Risks,Next steps")
    if wrong := next((name for name in names if not _heading(name)), None):
        raise BadInput(f"a section cannot be called {wrong!r}", hint="words without marks of Markdown")
    said = "Write these sections, in this order, each with its heading on a line of its own and its text below it:\n\n"
    return Headings(tuple((2, name) for name in names), said + "\n".join(f"## {name}" for name in names))


def _heading(name: str) -> bool:
    """Whether a heading can say just that."""
    return [each.text for each in markdown.headings(f"## {name}")] == [name]


def _table(told: str) -> Shape:
    columns = _listed("table", told, "city,people")
    if wrong := next((name for name in columns if "|" in name or "\\" in name), None):
        raise BadInput(f"a column cannot be called {wrong!r}", hint="without | and \\")
    return Tabular(columns)


def _markdown(told: str) -> Shape:
    return skeleton(_text(told)) if told else Free()


def _json(told: str) -> Json:
    if not told:
        return Json(outputs.form({}))
    if told.startswith("{"):
        import json

        try:
            value = json.loads(told)
        except ValueError as error:
            raise BadInput(f"not JSON: {error}", hint="--structured json:schema.json") from error
        return Json(outputs.form(value))
    return Json(outputs.form(Path(told).expanduser()))


def inlined(written: str) -> str:
    """The same with the text of the file it names in place of its path: a run can be made again when that is gone."""
    kind, _, told = (part.strip() for part in written.partition(":"))
    if kind == "json" and told:
        found = shape(written)
        return f"json:{found.wanted}" if isinstance(found, Json) else written
    return f"markdown:{_text(told)}" if kind == "markdown" and told else written


def _text(told: str) -> str:
    """The text itself, or that of the file it names."""
    if told.startswith("#") or "\n" in told:
        return told
    return text_of(Path(told).expanduser(), hint="a file with headings, e.g. # Title and ## Summary")


def _listed(kind: str, told: str, example: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in told.split(","))
    same = {name.casefold() for name in names}
    if not all(names) or len(same) < len(names) or "\n" in told:
        raise BadInput(
            f"{kind} wants names that differ, and commas between them", hint=f'--structured "{kind}:{example}"'
        )
    return names


def _nothing(kind: str, told: str) -> None:
    if told:
        raise BadInput(f"{kind} takes nothing behind a colon, not {told!r}", hint=f"--structured {kind}")


KINDS: Mapping[str, Callable[[str], Shape | Json]] = {
    "title": _title,
    "steps": _steps,
    "sections": _sections,
    "table": _table,
    "json": _json,
    "markdown": _markdown,
}
