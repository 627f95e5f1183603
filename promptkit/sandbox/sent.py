"""What the keeper is told: one JSON object that says all of a run."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import BadInput
from promptkit.sandbox.limits import Limits
from promptkit.sandbox.view import PROGRAM, SCRATCH, WORKSPACE, View, interpreter

# No site packages, no variables, no folder of the user's: what a keeper loads is the standard library and promptkit.
_BEGIN = """import sys
sys.path.append(sys.argv[1])
from promptkit.sandbox.inside import {module}
{module}.main(*map(int, sys.argv[2:]))"""


@dataclass(frozen=True, slots=True)
class Rung:
    """A way to run a program here, and the layers that it is made of."""

    name: str  # bubblewrap, landlock or host
    namespaces: bool = True
    landlock: int = 0  # the ABI; 0 for none
    seccomp: bool = False
    bubblewrap: str = ""  # its path
    version: str = ""
    held: tuple[str, ...] = ()  # claims that a trial tested in vain …
    open: tuple[str, ...] = ()  # … and where it came through


def keeper(module: str = "keeper") -> list[str]:
    """The command line of a process that loads a module of `inside`; descriptors follow it."""
    root = str(Path(__file__).parents[2])
    return [interpreter(), "-I", "-S", "-B", "-c", _BEGIN.format(module=module), root]


def spec(
    rung: Rung, program: str | Sequence[str], seen: View, limits: Limits, env: Mapping[str, str]
) -> dict[str, Any]:
    """The whole of a run, for the keeper; BadInput for a program that is none."""
    workspace, scratch, path = WORKSPACE, SCRATCH, PROGRAM
    if not rung.namespaces:  # the host's own names
        workspace = scratch = seen.workspace[0]
        path = os.path.join(tempfile.gettempdir(), f"promptkit-{uuid.uuid4().hex}.py")
    if isinstance(program, str):
        _checked(program)
        argv = [interpreter(), "-I", "-B", "-X", "utf8", path]
    else:
        argv = [os.fspath(word) for word in program]
        if not argv:
            raise BadInput("there is no program to run", hint='for example: ["python", "main.py"]')
        if argv[0] in ("python", "python3"):
            argv[0] = interpreter()
    if any("\0" in word for word in (*argv, *env, *env.values())) or any("=" in name or not name for name in env):
        raise BadInput("a program's words and variables are texts without NUL", hint='env={"NAME": "value"}')
    return {
        "parent": os.getpid(),
        "rung": rung.name,
        "namespaces": rung.namespaces,
        "landlock": rung.landlock,
        "seccomp": rung.seccomp,
        "bubblewrap": rung.bubblewrap,
        "argv": argv,
        "env": {**environment(scratch), **env},
        "cwd": workspace,
        "limits": limits.sent(),
        "rules": rules(rung, seen, path),
        "view": {
            "read": seen.read,
            "links": seen.links,
            "masked": seen.masked,
            "workspace": seen.workspace,
            "program": program if isinstance(program, str) else None,
            "program_path": path,
        },
    }


def _checked(code: str) -> None:
    try:
        code.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"the program is no text: {error.reason}", hint="half a surrogate pair is no character"
        ) from None


def environment(scratch: str) -> dict[str, str]:
    """All the variables there are."""
    if sys.platform == "win32":  # programs do not start without knowing where Windows is
        system = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH", "PATHEXT") if name in os.environ}
        return {**system, "TEMP": scratch, "TMP": scratch, "PYTHONDONTWRITEBYTECODE": "1"}
    path = f"{os.path.dirname(interpreter())}:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": path, "HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def rules(rung: Rung, seen: View, path: str) -> dict[str, list[str]]:
    """What Landlock lets through: below a root of its own all that is there, otherwise what is to be seen."""
    devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
    if rung.namespaces:
        return {"read": ["/"], "write": [WORKSPACE, SCRATCH], "devices": devices}
    read = [source for source, _ in seen.read]
    return {"read": [*read, path], "write": [seen.workspace[0]], "devices": devices}


def refused_system() -> str:
    """Why no program can be sandboxed on this system; "" where one can."""
    names = {"darwin": "macOS", "win32": "Windows"}
    return "" if sys.platform == "linux" else f"it needs Linux, and this is {names.get(sys.platform, sys.platform)}"
