"""Settings: environment, then the project's promptkit.toml, then the user's config.toml, then the default.

model = "ollama:qwen3:8b"
concurrency = 4

[journal]
path = "runs.db"       # beside this file; "memory" keeps nothing on disk
keep_days = 90
max_size = "1GB"

[retry]
attempts = 8
deadline = 120         # seconds that a call's waits between tries may add up to

[limits.groq]          # a table for a provider, or for one of its models
concurrency = 4
rpm = 30               # calls in any minute
tpm = 6000             # tokens in any minute

[limits."groq:llama-3.3-70b-versatile"]
tpm = 12000
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput, UnknownName

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: how its value is read (ValueError says what is wanted), and what it is when nobody sets it."""

    read: Callable[[Any], Any]
    default: Any
    example: Any
    about: str
    variable: str


def whole(value: Any) -> int:
    """A whole number above 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("a whole number above 0")


def seconds(value: Any) -> float:
    """Seconds above 0."""
    with suppress(TypeError, ValueError):
        number = math.nan if isinstance(value, bool) else float(value)
        if math.isfinite(number) and number > 0:
            return number
    raise ValueError("seconds above 0")


def text(value: Any) -> str:
    """Text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("text in quotes")


def days(value: Any) -> float:
    """Days: 30, "30d", "12h", "2w"."""
    spelled = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*([hdw]?)", str(value).strip().lower())
    if spelled and not isinstance(value, bool) and float(spelled[1]) > 0:
        return float(spelled[1]) * {"h": 1 / 24, "w": 7.0}.get(spelled[2], 1.0)
    raise ValueError("days above 0, such as 30, 12h or 2w")


def size(value: Any) -> int:
    """Bytes: 500000, "500MB", "1 GiB"."""
    spelled = re.fullmatch(r"(\d{1,18}(?:\.\d+)?)\s*([kmg]?i?b?)", str(value).strip().lower())
    unit = _UNITS.get(spelled[2] if not spelled or spelled[2] not in "kmg" else f"{spelled[2]}b") if spelled else None
    if spelled and unit and not isinstance(value, bool) and (whole := int(float(spelled[1]) * unit)) > 0:
        return whole
    raise ValueError("a size above 0, such as 500MB or 1GB")


def sized(bytes: int) -> str:
    """Bytes as size() reads them, in the largest unit that leaves none over: "1GB", "1536MiB"."""
    names = {number: unit for unit, number in _UNITS.items() if unit}
    number = next(number for number in sorted(names, reverse=True) if bytes % number == 0)
    unit = names[number].upper().replace("I", "i")
    return f"{bytes // number}{unit}" if number > 1 else f"{bytes} bytes"


SETTINGS: dict[str, Setting] = {
    "model": Setting(text, "builtin", "ollama:qwen3:8b", "the model when none is named", "PROMPTKIT_MODEL"),
    "concurrency": Setting(whole, 8, 4, "calls in flight at once", "PROMPTKIT_CONCURRENCY"),
    "journal.path": Setting(text, None, "runs.db", 'the journal; "memory" keeps nothing', "PROMPTKIT_JOURNAL"),
    "journal.keep_days": Setting(
        days, None, 90, "runs that ended longer ago are removed", "PROMPTKIT_JOURNAL_KEEP_DAYS"
    ),
    "journal.max_size": Setting(
        size, None, "1GB", "the oldest runs are removed above it", "PROMPTKIT_JOURNAL_MAX_SIZE"
    ),
    "retry.attempts": Setting(whole, 8, 3, "how often a call is tried", "PROMPTKIT_RETRY_ATTEMPTS"),
    "retry.deadline": Setting(
        seconds, 120.0, 60, "seconds that its waits between tries may add up to", "PROMPTKIT_RETRY_DEADLINE"
    ),
}
LIMITS = {"concurrency": "calls in flight at once", "rpm": "calls in any minute", "tpm": "tokens in any minute"}


def setting(name: str) -> Any:
    """The value in force."""
    return origin(name)[0]


def origin(name: str) -> tuple[Any, str]:
    """The value in force, and where it comes from."""
    known = SETTINGS[name]
    if value := os.environ.get(known.variable):
        number = known.read is whole and re.fullmatch(r"-?\d{1,18}", value.strip())  # a file has numbers of its own
        return _typed(name, int(value) if number else value, known.variable), known.variable
    for path in files():
        if path.is_file() and (value := _read(path, path.stat().st_mtime_ns).get(name)) is not None:
            return value, str(path)
    return known.default, "default"


def limits(model: str) -> tuple[str, dict[str, int]]:
    """The limits set for a model `provider:name`, and whose they are: its own if it has any, else the provider's.

    A model's own stand over its provider's, one by one, and the project's file over the user's.
    """
    kind = model.partition(":")[0]
    own = _limits_of(model) if model != kind else {}
    found = {**_limits_of(kind), **own}
    return model if own else kind if found else "", found


def all_limits() -> dict[str, tuple[int, str]]:
    """Every limit that is set, as `limits.NAME.LIMIT`, and the file it comes from."""
    found: dict[str, tuple[int, str]] = {}
    for path in reversed(files()):
        if path.is_file():
            read = _read(path, path.stat().st_mtime_ns)
            found |= {name: (value, str(path)) for name, value in read.items() if name.startswith("limits.")}
    return found


def _limits_of(name: str) -> dict[str, int]:
    """What the files say of one provider or model."""
    every = {limit: f"limits.{name}.{limit}" for limit in LIMITS}
    told = all_limits()
    return {limit: told[full][0] for limit, full in every.items() if full in told}


def default_model() -> str:
    """The model when none is named; a file named in a settings file lies beside that file."""
    name, where = origin("model")
    folder = Path(where).parent
    if not folder.is_absolute():  # not from a file
        return str(name)
    kind, colon, path = str(name).partition(":")
    if kind not in places.FILE_MODELS or not path or "," in path or path.startswith("hf://"):
        return str(name)
    file = folder / Path(path).expanduser()
    return f"{kind}{colon}{file.parent.resolve() / file.name}"  # the file keeps its name, also where it is a link


def files() -> list[Path]:
    """The files that are looked into, the first wins; they need not exist."""
    root = places.project()
    return [*([root / places.PROJECT_FILE] if root else []), places.user_data() / "config.toml"]


def journal_path() -> Path | None:
    """The journal in force: the setting's, else the project's, else the user's; None is memory."""
    path, where = origin("journal.path")
    if path == "memory":
        return None
    if path is None:
        return places.journal()
    given = Path(path).expanduser()
    return given if where == SETTINGS["journal.path"].variable else Path(where).parent / given


def _typed(name: str, value: Any, where: str) -> Any:
    try:
        return SETTINGS[name].read(value)
    except ValueError as error:
        key = name.rpartition(".")[2]
        example = f"e.g. {key} = {json.dumps(SETTINGS[name].example)}"
        raise BadInput(f"{where}: {name} must be {error}, not {value!r}", hint=example) from None


@lru_cache(maxsize=8)
def _read(path: Path, mtime: int) -> dict[str, Any]:
    """Every setting of a file, checked: a misspelt or mistyped one would be ignored for ever."""
    import tomllib  # most runs have no file to read

    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path}: {error}", hint="mend the file or move it aside") from error
    limits = _limited(found.pop("limits", {}), path)
    flat: dict[str, Any] = {}
    for name, value in found.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    for name in flat:
        if name not in SETTINGS:
            wrong = UnknownName("setting", name, SETTINGS)
            table = f"its settings are in a table:\n[{name}]" if any(s.startswith(f"{name}.") for s in SETTINGS) else ""
            raise BadInput(f"{path}: {wrong.message}", hint=table or wrong.hint)
    return {name: _typed(name, value, str(path)) for name, value in flat.items()} | limits


def _limited(tables: Any, path: Path) -> dict[str, int]:
    """The tables of limits, flat; BadInput when one is none, or holds what is no limit."""
    example = "[limits.groq]\nrpm = 30"
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise BadInput(f"{path}: limits are set in a table for a provider or a model", hint=example)
    flat: dict[str, int] = {}
    for name, table in tables.items():
        for limit, value in table.items():
            if limit not in LIMITS:
                wrong = UnknownName("limit", limit, LIMITS)
                quoted = '\n[limits."provider:name"] has quotes' if isinstance(value, dict) else ""
                raise BadInput(f"{path}: limits.{name}: {wrong.message}", hint=wrong.hint + quoted)
            try:
                flat[f"limits.{name}.{limit}"] = whole(value)
            except ValueError as error:
                raise BadInput(f"{path}: limits.{name}.{limit} must be {error}, not {value!r}", hint=example) from None
    return flat
