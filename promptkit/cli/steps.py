"""What `promptkit new` has written, where it belongs, and what is typed next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from promptkit.cli.speak import out


def checkout(folder: Path, *, exact: bool) -> Path | None:
    """The checkout of promptkit that a folder is in (or, exactly, that it is); a plugin inside it is none."""
    nearest = next((each for each in (folder, *folder.parents) if (each / "pyproject.toml").is_file()), None)
    if nearest is None or not (nearest / "promptkit" / "registry.py").is_file():
        return None
    return nearest if nearest == folder or not exact else None


def tell(paths: Iterable[Path]) -> None:
    """Print the files that were written."""
    for path in paths:
        out(_near(path))


def tested(test: Path) -> str:
    """How a test is run."""
    return f"python -m pytest {quoted(test)}"


def tested_in_house(root: Path, test: Path) -> list[str]:
    """How a test of the checkout is run: pytest alone lacks what pyproject.toml tells it to load."""
    there = [] if root == Path.cwd() else [f"cd {quoted(root)}"]
    return [*there, "pip install -e . --group dev", f"python -m pytest {test.relative_to(root).as_posix()}"]


def quoted(path: Path) -> str:
    """The path as it is typed from here."""
    return shlex.quote(_near(path))


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
