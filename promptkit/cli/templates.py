"""The files of packs and templates, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.prompts import Prompt


def found(name: str) -> Prompt:
    """The template `pack/name`; BadInput and UnknownName say what to type instead."""
    from promptkit import prompts as shelf

    pack, _, template = name.partition("/")
    if not template:
        own = [prompt.id for prompt in shelf.everything() if prompt.pack == shelf.pack(pack).name]
        raise BadInput(f"{pack} is a pack, not a template", hint=f"one of: {', '.join(own)}")
    return shelf.find(shelf.pack(pack).name, template)


def in_force() -> list[Path]:
    """The files of all packs and templates, without those that another hides."""
    from promptkit import places

    found: dict[tuple[str, str], Path] = {}
    for _, folder in places.search_path("prompts"):
        for file in sorted(folder.glob("*/*.md")):
            found.setdefault((file.parent.name, file.stem), file)
    return [found[name] for name in sorted(found)]


def under(path: Path) -> list[Path]:
    """The templates of a path: of a file, pack or folder of packs; where there is none, those of a pack or an ID."""
    if not path.exists():
        return _named(path.as_posix())
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*/*.md")) or sorted(path.glob("*.md"))
    if not files:
        raise BadInput(f"no templates in {path}", hint="a pack is a folder of .md files with a pack.md")
    return files


def _named(name: str) -> list[Path]:
    """The files in force of a pack, or of `pack/name`; one that cannot be read is among them."""
    from promptkit import prompts as shelf

    pack, slash, template = name.partition("/")
    own = [file for file in in_force() if file.parent.name == pack and (not slash or file.stem == template)]
    if not own and pack not in shelf.packs():
        raise BadInput(f"no such file or folder: {name}", hint="promptkit prompts check, for all in force")
    return own or [found(name).path]


def problems_of(files: Iterable[Path]) -> list[str]:
    """What is wrong with the files, as `file:line: problem`."""
    from promptkit import prompts as shelf

    errors = [error for file in files for error in shelf.check(file)]
    return [e.message + (f" ({'; '.join(e.hint.splitlines())})" if e.hint else "") for e in errors]


def slips_of(files: Iterable[Path]) -> list[str]:
    """What in the files is probably a slip, as `file:line:col: slip`."""
    from promptkit import prompts as shelf

    return [slip.message for file in files for slip in shelf.lint(file)]


def without_pack(files: Sequence[Path]) -> list[str]:
    """Folders whose templates `-P` cannot find: there is no pack.md, here or where the folder adds to another."""
    from promptkit import prompts as shelf

    known = set(shelf.packs())
    folders = dict.fromkeys(file.parent for file in files)
    lost = [folder for folder in folders if folder.name not in known and not (folder / "pack.md").is_file()]
    hint = "begin it with lines ---, title: …, ---"
    return [f"{_short(folder)} has no pack.md: -P {folder.name} will not find it; {hint}" for folder in lost]


def _short(path: Path) -> str:
    """The path from here, where it lies below."""
    try:
        return os.fspath(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return os.fspath(path)
