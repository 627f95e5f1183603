"""Where things are looked for: project, then user, then package."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

FILE_MODELS = ("llamacpp", "scripted")  # providers whose models are named by a path
PROJECT_FILE = "promptkit.toml"


def project() -> Path | None:
    """The nearest folder upwards with a promptkit.toml; a stray prompts/ folder alone is no project."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_FILE).is_file()), None)


def user_data() -> Path:
    """The user's data folder on this system; `PROMPTKIT_HOME` overrides it."""
    if home := os.environ.get("PROMPTKIT_HOME"):
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("promptkit", appauthor=False)


def journal() -> Path:
    """The journal where no setting names another: the project's, else the user's."""
    root = project()
    return root / ".promptkit" / "journal.db" if root else user_data() / "journal.db"


@cache
def packaged(kind: str) -> Path:
    """Packaged data of that kind (prompts, recipes); from a checkout, the folder at its root."""
    installed = Path(__file__).parent / "_data" / kind
    return installed if installed.is_dir() else Path(__file__).parents[1] / kind


def search_path(kind: str) -> list[tuple[str, Path]]:
    """(origin, folder) pairs of that kind in the order they are looked through."""
    root = project()
    places = [("project", root / kind)] if root else []
    return [*places, ("user", user_data() / kind), ("promptkit", packaged(kind))]
