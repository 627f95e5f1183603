"""Settings: environment, then the project's promptkit.toml, then the user's config.toml, then the default."""

from __future__ import annotations

import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput

DEFAULTS: dict[str, Any] = {"model": "builtin", "concurrency": 8}


def setting(name: str) -> Any:
    """The value in force."""
    return origin(name)[0]


def origin(name: str) -> tuple[Any, str]:
    """The value in force, and where it comes from."""
    variable = f"PROMPTKIT_{name.upper()}"
    if value := os.environ.get(variable):
        return (int(value) if isinstance(DEFAULTS[name], int) and value.isdigit() else value), variable
    for path in _files():
        if path.is_file() and (value := _read(path, path.stat().st_mtime_ns).get(name)) is not None:
            return value, str(path)
    return DEFAULTS[name], "default"


def _files() -> list[Path]:
    root = places.project()
    return [*([root / places.PROJECT_FILE] if root else []), places.user_data() / "config.toml"]


@lru_cache(maxsize=8)
def _read(path: Path, mtime: int) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}", hint="mend the file or move it aside") from error
