"""What `promptkit doctor` looks at: each check yields what it found. Nothing here touches the network."""

from __future__ import annotations

import asyncio
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from promptkit.errors import PromptkitError
from promptkit.render.amounts import many

State = Literal["ok", "none", "warn", "fail"]  # none: not there, and nothing needs it

PATIENCE = 120.0  # seconds for the model on board to load and answer; it takes less than one


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report; `mend` is the command or setting that puts it right."""

    check: str
    state: State
    found: str
    mend: str = ""


def examine(online: bool = False) -> list[Finding]:
    """What every check found; one that breaks is a finding too."""
    from promptkit.cli.machine import MACHINE
    from promptkit.cli.reachable import checks as reachable

    every = (_versions, _packages, _model, _settings, *reachable(online), _prices, _journal, _prompts, *MACHINE)
    return [finding for check in every for finding in _guarded(check)]


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    name = check.__name__.lstrip("_")
    try:
        yield from check()
    except PromptkitError as error:
        yield Finding(name, "fail", error.message, "; ".join(error.hint.splitlines()))
    except Exception as error:
        yield Finding(name, "fail", f"{type(error).__name__}: {error}")


def _versions() -> Iterator[Finding]:
    from promptkit import __version__ as ours

    system = f"{platform.system()} {platform.machine()}"
    yield Finding("versions", "ok", f"python {platform.python_version()}, promptkit {ours}, {system}")


def _packages() -> Iterator[Finding]:
    from importlib import metadata

    try:
        wanted = [line for line in metadata.requires("promptkit") or () if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        yield Finding("packages", "warn", "promptkit runs from a checkout and is not installed", "pip install -e .")
        return
    fine = 0
    for line in wanted:
        need = line.partition(";")[0].strip()
        name = re.split(r"[\s<>=!~\[(]", need, maxsplit=1)[0]
        try:
            have = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding("packages", "fail", f"{name} is not installed", f"pip install '{need}'")
            continue
        if _fits(line, have):
            fine += 1
        else:
            yield Finding("packages", "warn", f"{name} {have} is installed, not {need}", f"pip install '{need}'")
    if fine == len(wanted):
        yield Finding("packages", "ok", f"{many(fine, 'package')} as promptkit needs them")


def _fits(need: str, version: str) -> bool:
    try:
        from packaging.requirements import Requirement
    except ImportError:  # it comes with other packages, not as one of ours
        return True
    return Requirement(need).specifier.contains(version, prereleases=True)


def _model() -> Iterator[Finding]:
    from promptkit import sync
    from promptkit.providers.builtin import open_builtin
    from promptkit.types import Completion, Request, message

    provider = open_builtin("builtin", {"batch": 1, "replicas": 1})

    async def try_it() -> Completion:
        prompt = message("user", "Input: 2 3 5 12\nPossible next steps:")
        try:
            async with asyncio.timeout(PATIENCE):
                return await provider.complete(Request(messages=(prompt,), temperature=0.0, max_tokens=16))
        finally:
            await provider.aclose()

    started = time.monotonic()
    try:
        reply = sync.run(try_it())
    except TimeoutError:
        return (yield Finding("model", "fail", f"the model on board gave no answer in {PATIENCE:.0f} s"))
    took = f"loaded and answered in {time.monotonic() - started:.2f} s"
    if reply.text.strip():
        yield Finding("model", "ok", f"builtin {took}")
    else:
        yield Finding("model", "fail", f"builtin {took} with nothing", "pip install --force-reinstall promptkit")
    yield _device(str(getattr(provider, "device", "unknown")).partition(";")[0])


def _device(used: str) -> Finding:
    if used.startswith("GPU") or not shutil.which("nvidia-smi"):
        return Finding("device", "ok", f"local models run on {used}")
    from promptkit.providers.llama.model import GPU_BUILD

    return Finding("device", "warn", f"there is a GPU, and local models run on {used}", GPU_BUILD)


def _settings() -> Iterator[Finding]:
    from promptkit import registry
    from promptkit.settings import origin

    model, where = origin("model")
    kind = str(model).partition(":")[0]
    if kind in registry.names("provider"):
        yield Finding("settings", "ok", f"default model {model} ({where})")
    else:
        yield Finding("settings", "fail", f"default model {model} ({where}): no provider {kind!r}", "promptkit models")


def _prices() -> Iterator[Finding]:
    from promptkit import prices

    for file in prices.files():
        try:
            if known := prices.written(file):
                yield Finding("prices", "ok", f"{many(len(known), 'price')} in {file}")
        except PromptkitError as error:
            yield Finding("prices", "fail", error.message, f"mend it or move it aside: {file}")


def _journal() -> Iterator[Finding]:
    from promptkit.api import open_journal

    journal = open_journal()  # refuses one that cannot be written
    stats = journal.stats()
    kept = f"{stats['bytes'] / 1e6:.1f} MB (runs: {stats['runs']}, completions: {stats['completions']})"
    yield Finding("journal", "ok", f"{journal.path}, writable, {kept}")


def _prompts() -> Iterator[Finding]:
    from promptkit.cli.templates import in_force, problems_of, without_pack

    if not (files := in_force()):
        yield Finding("prompts", "fail", "no prompt templates were found", "pip install --force-reinstall promptkit")
    elif problems := [*problems_of(files), *without_pack(files)]:
        found = f"{many(len(problems), 'problem')}, first {problems[0]}"
        yield Finding("prompts", "fail", found, "promptkit prompts check")
    else:
        yield Finding("prompts", "ok", f"{many(sum(f.name != 'pack.md' for f in files), 'prompt')}, all parse")
