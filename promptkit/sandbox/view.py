"""What a program sees of the disk: the system, the interpreter with its library, its workspace, what was named."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from promptkit.errors import BadInput

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/alternatives")
STORES = ("/nix/store", "/gnu/store")  # where some systems keep everything that /usr holds elsewhere
WORKSPACE, SCRATCH, PROGRAM = "/workspace", "/tmp", "/main.py"


@dataclass(frozen=True, slots=True)
class View:
    """Pairs of a place on the host and where it is seen; `links` are symbolic links, `masked` folders shown empty."""

    read: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    masked: tuple[str, ...]
    workspace: tuple[str, str]


def interpreter() -> str:
    """The Python of the sandbox: the one a virtual environment was made from; BadInput where none is known."""
    found = getattr(sys, "_base_executable", None) or sys.executable
    if not found or not os.path.exists(found):
        raise BadInput("no Python interpreter is known here", hint="run promptkit with an ordinary Python")
    return os.path.realpath(found)


def view(workspace: str | Path, readable: Iterable[str | Path], *, packages: bool) -> View:
    """What is to be seen for a run in `workspace`; BadInput for a workspace that cannot be one."""
    links = tuple((os.readlink(path), path) for path in SYSTEM if os.path.islink(path))
    plain = [path for path in SYSTEM if os.path.exists(path) and not os.path.islink(path)]
    wanted = {path: path for path in [*plain, *_interpreter_places()]}
    for named in readable:
        source = os.path.realpath(named)
        if not os.path.exists(source) or source == "/":
            raise BadInput(
                f"{os.fspath(named)!r} cannot be shown to a program", hint="name a file or folder that is there"
            )
        wanted[os.path.abspath(named)] = source
    read = tuple((wanted[seen], seen) for seen in sorted(wanted, key=lambda path: (path.count("/"), path)))
    hidden = () if packages else tuple(path for path in _site_packages() if _is_shown(path, read))
    return View(read, links, hidden, (_workspace(workspace), WORKSPACE))


def _workspace(folder: str | Path) -> str:
    found = Path(os.path.realpath(folder))
    if not found.is_dir():
        raise BadInput(f"the workspace {os.fspath(folder)!r} is not a folder", hint=f"mkdir -p {os.fspath(folder)}")
    # A program owns its workspace: it may change and delete whatever is in it.
    if any(found in (Path(path), *Path(path).parents) for path in (*SYSTEM, *_homes())):
        raise BadInput(
            f"{found} cannot be a workspace: a program may delete what is in it", hint="name a folder of its own"
        )
    return str(found)


def _homes() -> list[str]:
    """The user's home as it is called and as it is; none for a user of whom the system knows nothing."""
    home = os.path.expanduser("~")
    return [home, os.path.realpath(home)] if os.path.isabs(home) else []


def _interpreter_places() -> list[str]:
    """The interpreter's own files, as far as the system's folders do not hold them."""
    program = interpreter()
    bases = {os.path.realpath(base) for base in (sys.base_prefix, sys.base_exec_prefix)}
    places = {program} | {os.path.join(base, part) for base in bases for part in ("bin", "lib", "lib64")}
    places |= {store for store in STORES if program.startswith(store)}
    there = [path for path in sorted(places) if os.path.exists(path)]
    return [path for path in there if not _within(path, [*SYSTEM, *(other for other in there if other != path)])]


def _site_packages() -> list[str]:
    found = {os.path.realpath(path) for path in site.getsitepackages([sys.base_prefix, sys.base_exec_prefix])}
    return sorted(path for path in found if os.path.isdir(path))


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _is_shown(path: str, read: Iterable[tuple[str, str]]) -> bool:
    return _within(path, (seen for _, seen in read))
