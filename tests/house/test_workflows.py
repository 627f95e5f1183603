"""The workflow files do what a contributor does, also where there is no make."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def job(system: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / f"{system}.yml").read_text("utf-8")
    (found,) = yaml.safe_load(text)["jobs"].values()
    return dict(found)


def commands(system: str) -> list[str]:
    return [step["run"] for step in job(system)["steps"] if "run" in step]


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found, target
    return [line.strip() for line in found[1].splitlines()]


@pytest.mark.parametrize("system", ["linux", "macos"])
def test_where_there_is_make_it_is_used(system: str) -> None:
    assert commands(system) == ["make check", "make test"]


def test_windows_does_the_same_without_make() -> None:
    wanted = [line.replace("$(BIN)", ".venv/Scripts") for line in recipe("check") + recipe("test")]
    assert commands("windows")[3:] == wanted


@pytest.mark.parametrize(("system", "image"), [("linux", "ubuntu"), ("macos", "macos"), ("windows", "windows")])
def test_every_system_runs_every_python(system: str, image: str) -> None:
    assert job(system)["runs-on"] == f"{image}-latest"
    assert job(system)["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
