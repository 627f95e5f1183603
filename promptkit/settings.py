"""Settings: environment, then the project's promptkit.toml, then the user's config.toml, then the default."""

from __future__ import annotations

import json
import os
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput, UnknownName

DEFAULTS: dict[str, Any] = {"model": "builtin", "concurrency": 8}


def setting(name: str) -> Any:
    """The value in force."""
    return origin(name)[0]


def origin(name: str) -> tuple[Any, str]:
    """The value in force, and where it comes from."""
    variable = f"PROMPTKIT_{name.upper()}"
    if value := os.environ.get(variable):
        whole = isinstance(DEFAULTS[name], int) and re.fullmatch(r"-?\d+", value)
        return _typed(name, int(value) if whole else value, variable), variable
    for path in _files():
        if path.is_file() and (value := _read(path, path.stat().st_mtime_ns).get(name)) is not None:
            return _typed(name, value, str(path)), str(path)
    return DEFAULTS[name], "default"


def _typed(name: str, value: Any, where: str) -> Any:
    kind = type(DEFAULTS[name])
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    wanted = "a whole number" if kind is int else "text in quotes"
    example = f"e.g. {name} = {json.dumps(DEFAULTS[name])}"
    raise BadInput(f"{where}: {name} must be {wanted}, not {value!r}", hint=example)


def _files() -> list[Path]:
    root = places.project()
    return [*([root / places.PROJECT_FILE] if root else []), places.user_data() / "config.toml"]


@lru_cache(maxsize=8)
def _read(path: Path, mtime: int) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path}: {error}", hint="mend the file or move it aside") from error
    if unknown := [name for name in found if name not in DEFAULTS]:  # a misspelt one would be ignored for ever
        wrong = UnknownName("setting", unknown[0], DEFAULTS)
        raise BadInput(f"{path}: {wrong.message}", hint=wrong.hint)
    return found
