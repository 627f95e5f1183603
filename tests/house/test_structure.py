"""The rules of the house: layers, cycles, sizes, names, who may fan out, what an import costs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "promptkit"
OURS = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "cli.py"]
SDKS = {"openai", "groq", "ollama", "langchain", "langchain_core", "xllamacpp", "httpx", "httpx2"}


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines; the limit is 400"
    if path.is_relative_to(PACKAGE / "cli"):
        assert lines <= 200, f"{path.relative_to(ROOT)} has {lines} lines; the limit for a command is 200"


def test_every_place_has_a_name() -> None:
    shapeless = re.compile(r"^(utils?|helpers?|common|managers?|base|misc)$")
    assert [p for p in PACKAGE.rglob("*") if shapeless.match(p.stem)] == []


def test_there_are_no_import_cycles() -> None:
    graph = {module: set(imports(path)) for path, module in modules()}
    assert [sorted(group) for group in components(graph) if len(group) > 1] == []


def test_the_layers_hold() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", code, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_sampling_fans_out() -> None:
    """A strategy that gathers by itself would take results in order of arrival."""
    fans = re.compile(r"\b(gather|TaskGroup|as_completed|create_task|ensure_future)\b")
    guilty = [p.name for p in (PACKAGE / "strategies").rglob("*.py") if fans.search(p.read_text("utf-8"))]
    assert guilty == []


def test_nothing_evaluates_text() -> None:
    for path, _ in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{path.name}:{node.lineno}"
            if isinstance(node, ast.Import):
                assert not {"pickle", "shelve", "marshal"} & {alias.name for alias in node.names}, path.name


@pytest.mark.parametrize("what", ["import promptkit", "import promptkit; promptkit.run", "import promptkit.cli.app"])
def test_an_import_loads_no_sdk(what: str) -> None:
    code = f"import sys; {what}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert SDKS & set(done.stdout.split()) == set()


def test_importing_promptkit_loads_next_to_nothing() -> None:
    code = "import sys; before = set(sys.modules); import promptkit; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if name.startswith("promptkit")} == {"promptkit"}
    assert {"asyncio", "typing", "dataclasses", "re"} & set(done.stdout.split()) == set()


def test_an_answer_from_the_journal_loads_nothing_it_does_not_need(tmp_path: Path) -> None:
    words = ["run", "direct", "4 5 6 10", "-P", "game24", "-q"]
    code = f"""
import runpy, sys
sys.argv = ["promptkit", *{words}]
try: runpy.run_module("promptkit", run_name="__main__")
finally: print(*sys.modules, file=sys.stderr)
"""
    env = {**os.environ, "PROMPTKIT_HOME": str(tmp_path), "PROMPTKIT_JOURNAL": str(tmp_path / "journal.db")}
    for _ in range(2):  # the first fills the journal
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    heavy = {"typer", "click", "pydantic", "rich", "jinja2", "importlib.metadata", "tomllib", "promptkit.cli.app"}
    assert heavy & set(done.stderr.split()) == set()


def modules() -> Iterator[tuple[Path, str]]:
    """Each file of the package with its module name."""
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """The promptkit modules a file imports at its top level, TYPE_CHECKING blocks left out."""
    known = {name for _, name in modules()}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known or node.module in known:
                    yield full if full in known else node.module


def components(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Strongly connected components (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = set()
            while True:
                top = stack.pop()
                group.add(top)
                if top == node:
                    break
            found.append(group)

    for node in graph:
        if node not in index:
            visit(node)
    yield from found
