"""The wheel, installed in an environment of its own, works from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"promptkit"}
    assert "promptkit/_data/builtin.gguf" in names
    assert "promptkit/_data/prompts/game24/propose.md" in names
    assert "promptkit/_data/prompts/game24/examples.yaml" in names
    assert "promptkit/_data/recipes/optimize-words.yaml" in names
    assert "promptkit/_data/new/strategy.txt" in names
    assert "promptkit/py.typed" in names


def test_it_runs_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    bin = place / ("Scripts" if os.name == "nt" else "bin")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(bin / "python"),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    done = subprocess.run([*pip, str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The dependencies are this environment's; its editable promptkit is not seen (a .pth counts in site folders only).
    env = {"PYTHONPATH": sysconfig.get_path("purelib"), "PROMPTKIT_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    env["PATH"] = os.environ.get("PATH", "")

    def run(*words: str) -> str:
        said = subprocess.run(words, cwd=elsewhere, env=env, capture_output=True, text=True, encoding="utf-8")
        assert said.returncode == 0, said.stderr
        return said.stdout

    where = run(str(bin / "python"), "-c", "import promptkit; print(promptkit.__file__)")
    assert str(place) in where
    command = str(bin / "promptkit")
    assert run(command, "--version").startswith("promptkit ")
    assert "game24/propose" in run(command, "prompts", "list")
    assert run(command, "run", "tot", "-P", "game24", "1 4 9 11", "-q").strip()
