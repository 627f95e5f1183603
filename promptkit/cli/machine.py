"""What `promptkit doctor` looks at on this machine: folders, the terminal, sockets, the sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from promptkit.cli.checks import Finding
from promptkit.errors import SandboxMissing


def _folders() -> Iterator[Finding]:
    from promptkit import places

    root = places.project()
    yield Finding("folders", "ok", f"project {root}" if root else f"no project here (no {places.PROJECT_FILE} above)")
    home = places.user_data()
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        yield Finding("folders", "ok", f"user folder {home}" + ("" if home.exists() else " (not made yet)"))
    else:
        yield Finding("folders", "fail", f"user folder {home} cannot be written", "PROMPTKIT_HOME=/another/folder")


def _terminal() -> Iterator[Finding]:
    from rich.console import Console

    console, encoding = Console(file=sys.stdout), sys.stdout.encoding or "utf-8"
    kind = "terminal" if sys.stdout.isatty() else "output is not a terminal"
    found = f"{kind}: {encoding}, {console.width} columns, colours: {console.color_system or 'none'}"
    if encoding.lower().startswith("utf"):
        yield Finding("terminal", "ok", found)
    else:
        yield Finding("terminal", "warn", f"{found}; some characters get stand-ins", "PYTHONIOENCODING=utf-8")


def _sockets() -> Iterator[Finding]:
    import tempfile

    from promptkit.providers.llama.private_socket import private_socket, remove_socket

    folder, socket = tempfile.gettempdir(), private_socket()
    if socket is None:
        found = f"no private socket fits under {folder}: local models listen on a loopback port, behind a key"
        yield Finding("sockets", "ok" if sys.platform == "win32" else "warn", found, "TMPDIR=/tmp")
        return
    remove_socket(socket)
    if (used := socket.parent.parent).samefile(folder):
        return (yield Finding("sockets", "ok", f"local models listen on a private socket under {folder}"))
    yield Finding("sockets", "warn", f"{folder} is too long a path for a unix socket: {used} is used", "TMPDIR=/tmp")


def _sandbox() -> Iterator[Finding]:
    """What holds the programs that models write; nothing else needs it."""
    from promptkit.sandbox import available
    from promptkit.sandbox.rungs import INSTALL

    try:
        rung = available().best()
    except SandboxMissing as error:
        return (yield Finding("sandbox", "none", error.message, error.hint.splitlines()[0]))
    if rung.namespaces:
        version = f" {rung.version}" if rung.version else ""
        return (yield Finding("sandbox", "ok", f"programs of models are held by {rung.name}{version}"))
    found = f"programs of models would be held in part only: {rung.name} without namespaces"
    yield Finding("sandbox", "none", found, INSTALL)


MACHINE = (_folders, _terminal, _sockets, _sandbox)
