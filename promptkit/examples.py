"""Worked examples as files: questions with their answers and, where wanted, the reasoning between the two.

A file is a YAML list, JSON lines or CSV. Values are texts as they stand there: `answer: 1.10` is "1.10" and
`answer: no` is "no".
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput, UnknownName

FIELDS = ("question", "answer", "rationale")
FORM = "each example has a question, an answer and, if you like, a rationale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question with its answer; `rationale` is the reasoning that leads there."""

    question: str
    answer: str
    rationale: str = ""
    origin: str = ""  # file:line, for messages and for the record


Given = str | Path | Sequence[Example | Mapping[str, Any]] | None  # a file, the examples themselves, or the pack's


def same(question: str) -> str:
    """Equal for questions that differ in case, width, spacing and closing punctuation only."""
    return " ".join(unicodedata.normalize("NFKC", question).casefold().split()).rstrip(" .?!。？！؟")


def of_pack(pack: str) -> tuple[Example, ...]:
    """The pack's own examples, looked for as its templates are; BadInput when it has none."""
    for _, folder in places.search_path("prompts"):
        path = folder / pack / "examples.yaml"
        if path.is_file():
            return read(path)
    raise BadInput(f"the pack {pack} has no examples of its own", hint="--examples FILE (.yaml, .jsonl or .csv)")


def read(path: str | Path) -> tuple[Example, ...]:
    """The examples of a file in its order; BadInput names the line that cannot be used."""
    path = Path(path).expanduser()
    parse = _FORMATS.get(path.suffix.lower())
    if parse is None:
        raise BadInput(f"{path}: not an examples file", hint=f"one of: {', '.join(_FORMATS)}")
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", hint="--examples FILE (.yaml, .jsonl or .csv)") from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadInput(f"{path}:{line}: not UTF-8: {error.reason}", hint="save the file as UTF-8") from error
    found = tuple(_example(f"{path}:{line}", fields) for line, fields in parse(path, text))
    if not found:
        raise BadInput(f"{path}:1: holds no examples", hint=FORM)
    return found


def listed(given: Sequence[Example | Mapping[str, Any]]) -> tuple[Example, ...]:
    """Examples given in Python or kept in a journal; BadInput names the one that cannot be used."""
    return tuple(_listed(f"example {number}", each) for number, each in enumerate(given, start=1))


def _listed(where: str, given: Example | Mapping[str, Any]) -> Example:
    if isinstance(given, Example):
        return given
    if not isinstance(given, Mapping):
        raise BadInput(f"{where}: not a mapping", hint=FORM)
    fields = dict(given)
    return _example(str(fields.pop("origin", "") or where), fields)


def _example(where: str, fields: Mapping[str, Any]) -> Example:
    """One example of what a file says of it; None stands for a value that was left empty."""
    for name in fields:
        if name not in FIELDS:
            error = UnknownName("field", str(name), FIELDS)
            raise BadInput(f"{where}: {error.message}", hint=error.hint)
    texts = {name: "" if fields.get(name) is None else fields[name] for name in FIELDS}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise BadInput(f"{where}: {name} is not a text", hint=FORM)
        if text.encode("utf-8", "replace") != text.encode("utf-8", "surrogatepass"):
            raise BadInput(f"{where}: {name} holds half a character (a lone surrogate)", hint="write it out in UTF-8")
        if not text.strip() and name != "rationale":
            raise BadInput(f"{where}: {'empty' if name in fields else 'no'} {name}", hint=FORM)
    return Example(**{name: text.strip() for name, text in texts.items()}, origin=where)


# formats ------------------------------------------------------------------------------------------------------

Found = Iterator[tuple[int, dict[str, Any]]]  # the line an example begins on, and its fields


def _yaml(path: Path, text: str) -> Found:
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        raise BadInput(f"{path}:{mark.line + 1 if mark else 1}: {what}", hint=_YAML) from error
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise BadInput(f"{path}:{root.start_mark.line + 1}: not a list of examples", hint=_YAML)
    for item in root.value:
        line = item.start_mark.line + 1
        if not isinstance(item, yaml.MappingNode):
            raise BadInput(f"{path}:{line}: not an example", hint=_YAML)
        fields: dict[str, Any] = {}
        for name, value in item.value:
            at = f"{path}:{value.start_mark.line + 1}"
            if not isinstance(name, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
                raise BadInput(f"{at}: not a text", hint=_YAML)
            if name.value in fields:
                raise BadInput(f"{at}: {name.value} is given twice", hint=FORM)
            fields[name.value] = None if value.tag == "tag:yaml.org,2002:null" else value.value
        yield line, fields


def _jsonl(path: Path, text: str) -> Found:
    for line, said in enumerate(text.split("\n"), start=1):
        if not said.strip():
            continue
        try:
            # Numbers stay as they are written.
            fields = json.loads(said, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            what = getattr(error, "msg", None) or str(error)
            raise BadInput(f"{path}:{line}: not JSON: {what}", hint=_JSONL) from error
        if not isinstance(fields, dict):
            raise BadInput(f"{path}:{line}: not an example", hint=_JSONL)
        yield line, {name: json.dumps(v) if isinstance(v, bool) else v for name, v in fields.items()}


def _csv(path: Path, text: str) -> Found:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    names: list[str] = []
    line = 1
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(f"{path}:{line}: {error}", hint=_CSV) from error
        if not names:
            names = [name.strip() for name in row]
            if not {"question", "answer"} <= set(names) or len(set(names)) < len(names):
                raise BadInput(f"{path}:{line}: does not name the columns", hint=_CSV)
        elif len(row) > len(names):
            raise BadInput(f"{path}:{line}: {len(row)} values for {len(names)} columns", hint='quote commas: "a, b"')
        elif any(row):
            yield line, dict(zip(names, row, strict=False))
        line = rows.line_num + 1


_YAML = '- question: "…"\n  answer: "…"\n  rationale: "…"'
_JSONL = '{"question": "…", "answer": "…", "rationale": "…"}, one line an example'
_CSV = "begin the file with the line question,answer or question,answer,rationale"
_FORMATS: dict[str, Callable[[Path, str], Found]] = {".yaml": _yaml, ".yml": _yaml, ".jsonl": _jsonl, ".csv": _csv}
