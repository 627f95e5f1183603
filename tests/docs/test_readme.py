"""The README and the pages of docs/ are run: each console block in order, in an empty HOME, as a newcomer would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from promptkit.errors import BadInput
from promptkit.worlds.game24 import Game24

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCS = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md"))


@dataclass(slots=True)
class Command:
    """A line of a console block: what is typed, what stdout shows, how it exits."""

    words: list[str]
    exit: int = 0
    shown: list[str] = field(default_factory=list)


def commands(text: str) -> Iterator[Command]:
    """The commands of all console blocks; `# exit N` after one is its exit code, `…` stands for anything."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        command: Command | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command
                code = re.search(r"#\s*exit (\d+)\s*$", line)
                command = Command(shlex.split(line[2:], comments=True), int(code[1]) if code else 0)
            elif command:
                command.shown.append(line)
        if command:
            yield command


def fits(shown: list[str], said: list[str]) -> bool:
    """Whether stdout is what the README shows."""
    if not shown:
        return True  # nothing is promised
    if shown == ["…"]:
        return bool(said)
    return len(shown) == len(said) and all(same(a, b) for a, b in zip(shown, said, strict=True))


def same(shown: str, said: str) -> bool:
    """Equal but for `…`. Another right expression for the same puzzle will do: processors round differently."""
    pattern = ".*".join(re.escape(piece.strip()) for piece in shown.split("…"))
    if re.fullmatch(pattern, said.strip()):
        return True
    puzzle = " ".join(re.findall(r"\d+", shown))
    try:
        return Game24().check(puzzle, shown) and Game24().check(puzzle, said)
    except BadInput:
        return False


@pytest.mark.parametrize("page", ["README.md", *DOCS])
def test_every_console_block_does_what_it_shows(page: str, tmp_path: Path) -> None:
    bin = str(Path(sys.executable).parent)
    env = {
        "PATH": os.pathsep.join([bin, os.environ.get("PATH", "")]),
        "HOME": str(tmp_path),
        "PROMPTKIT_HOME": str(tmp_path / "data"),
        "PYTHONIOENCODING": "utf-8",
    }
    ran = 0
    for command in commands((ROOT / page).read_text("utf-8")):
        done = subprocess.run(command.words, cwd=ROOT, env=env, capture_output=True, text=True, encoding="utf-8")
        label = shlex.join(command.words)
        assert done.returncode == command.exit, f"{label}: exit {done.returncode}\n{done.stderr}"
        assert fits(command.shown, done.stdout.splitlines()), f"{label} printed:\n{done.stdout}"
        ran += 1
    assert ran >= 6 or page in DOCS


def test_the_python_block_runs(tmp_path: Path) -> None:
    block = next(b for b in re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE) if "pk.stream" in b)
    body = "\n".join(f"    {line}" for line in block.splitlines())
    program = f"import asyncio\nasync def main():\n{body}\nasyncio.run(main())\n"
    env = {**os.environ, "PROMPTKIT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *DOCS])
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    linked = [target for target in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in target]
    assert [target for target in linked if not (ROOT / page).parent.joinpath(target).exists()] == []


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert README.count("\n") <= 200
