"""Example stores: YAML lists, JSON lines and CSV, each example with the line it begins on.

Values are texts as they stand there: `answer: 1.10` is "1.10" and `answer: no` is "no".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput
from promptkit.examples.example import FORM, Example, made
from promptkit.textfile import text_of

_HINT = "--examples FILE (.yaml, .jsonl or .csv)"


def of_pack(pack: str) -> tuple[Example, ...]:
    """The pack's own examples, looked for as its templates are; BadInput when it has none."""
    for _, folder in places.search_path("prompts"):
        path = folder / pack / "examples.yaml"
        if path.is_file():
            return read(path)
    raise BadInput(f"the pack {pack} has no examples of its own", hint=_HINT)


def read(path: str | Path) -> tuple[Example, ...]:
    """The examples of a file in its order; BadInput names the line that cannot be used."""
    path = Path(path).expanduser()
    parse = _FORMATS.get(path.suffix.lower())
    if parse is None:
        raise BadInput(f"{path}: not an examples file", hint=f"one of: {', '.join(_FORMATS)}")
    found = tuple(made(f"{path}:{line}", fields) for line, fields in parse(path, text_of(path, hint=_HINT)))
    if not found:
        raise BadInput(f"{path}:1: holds no examples", hint=FORM)
    return found


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
