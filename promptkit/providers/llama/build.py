"""Which build of llama.cpp this is and what it runs on: part of every local model's identity.

Only the library knows, and loading its 100 MB takes longer than answering from the journal. A build for the CPU alone
says the same on the same processor for ever, so its words are remembered beside the user's data.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import Unreachable


@dataclass(frozen=True, slots=True)
class Build:
    """What the library says of itself."""

    version: str  # of the binding; its last part is llama.cpp's build number
    gpu: str | None  # the GPU it sees
    cpu: str  # the CPU it runs on
    instructions: str  # the instruction sets it uses


@cache
def build() -> Build:
    """The build in this environment, from the library itself or as it was found before."""
    key = _key()
    if key and (known := _remembered(key)):
        return known
    found = _ask()
    # With a GPU backend in it, a build may say something else tomorrow: a driver comes, a card goes.
    if key and re.findall(r"(\w+) : ", found.instructions) == ["CPU"]:
        _remember(key, found)
    return found


def library() -> Any:
    """The xllamacpp module, imported on first use."""
    # Waiting threads must not burn the cores other replicas need; read once, when libgomp is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError as error:
        raise Unreachable(f"llama.cpp cannot be loaded: {error}", hint="pip install xllamacpp") from error
    return xllamacpp


def _ask() -> Build:
    xllamacpp = library()
    devices = xllamacpp.get_device_info()
    gpus = [info for info in devices if info["type"].name.endswith(("_GPU", "_IGPU"))]
    cpus = [info["description"] for info in devices if info["type"].name.endswith("_CPU")]
    return Build(
        version=_version(xllamacpp),
        gpu=" + ".join(f"{info['name']} ({info['description']})" for info in gpus) or None,
        cpu=" + ".join(cpus),
        instructions=str(xllamacpp.get_system_info()).strip(" |"),
    )


def _version(xllamacpp: Any) -> str:
    told = str(getattr(xllamacpp, "__version__", ""))
    if told and not told.startswith("0+"):  # what it says where it was built outside a release
        return told
    from importlib import metadata  # its parser of e-mail headers takes longer than the library

    return metadata.version("xllamacpp")


def _key() -> str | None:
    """The library's file and this processor, as far as both can be told without loading anything; None elsewhere."""
    spec = PathFinder.find_spec("xllamacpp")
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            processor = file.read(4096).split("\n\n", 1)[0]
    except OSError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    facts = re.findall(r"^(?:model name|flags|Features|CPU part)\s*:.*$", processor, re.MULTILINE)
    for path in sorted(Path(spec.submodule_search_locations[0]).glob("*.so")):
        stat = path.stat()
        facts += [str(path), str(stat.st_size), str(stat.st_mtime_ns)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _memory() -> Path:
    return places.user_data() / "llama-build.json"


def _remembered(key: str) -> Build | None:
    try:
        kept = json.loads(_memory().read_text("utf-8"))
        return Build(**kept["build"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):  # never written, or not by us
        return None


def _remember(key: str, found: Build) -> None:
    path = _memory()
    with suppress(OSError):  # it is only for speed
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"key": key, "build": asdict(found)}), "utf-8")
        fresh.replace(path)
