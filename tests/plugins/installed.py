"""Packages that add something to promptkit, as they lie in a folder of installed packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Said:
    """How a process ended and what it wrote."""

    code: int
    out: str
    err: str


def built(package: Path, folder: Path) -> Path:
    """Where pip has installed a copy of a package, as a user would but offline."""
    source = shutil.copytree(package, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    offline = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(folder / "site"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def install(site: Path, package: str, entries: Mapping[str, str], source: str = "") -> None:
    """A package with a module of its name; `entries` are `group:name` → attribute of the module, or a whole target."""
    module = package.replace("-", "_")
    (site / f"{module}.py").write_text(source, "utf-8")
    about = site / f"{module}-1.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n", "utf-8")
    lines = []
    for entry, target in entries.items():
        group, name = entry.split(":")
        lines += [f"[promptkit.{group}]", f"{name} = {target if ':' in target else f'{module}:{target}'}"]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")


def python(site: Path, *words: str) -> Said:
    """An interpreter that has these packages beside its own, in an empty home."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMPDIR") if name in os.environ}
    home = site.parent / "home"
    home.mkdir(exist_ok=True)
    env = {**kept, "HOME": str(home), "PROMPTKIT_HOME": str(home), "PYTHONPATH": str(site), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=home, env=env, capture_output=True, text=True, encoding="utf-8", timeout=100
    )
    return Said(done.returncode, done.stdout, done.stderr)


def promptkit(site: Path, *words: str) -> Said:
    """A command line where these packages are installed."""
    return python(site, "-m", "promptkit", *words)
