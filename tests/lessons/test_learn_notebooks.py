"""The notebooks of notebooks/ run from top to bottom in a real kernel, offline; what is kept of them has no output."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
BOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
LEARN = (Path(__file__).parents[2] / "docs" / "learn.md").read_text("utf-8")

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # of the notebook's own libraries


def book(name: str) -> Any:
    read: Any = nbformat.read  # untyped
    return read(FOLDER / name, as_version=4)


def test_every_notebook_is_named_on_the_page() -> None:
    assert sorted(set(re.findall(r"notebooks/([\w-]+\.ipynb)", LEARN))) == BOOKS


@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_is_stored_as_it_is_before_it_runs(name: str) -> None:
    cells = book(name).cells
    nbformat.validate(book(name))
    assert cells[0].cell_type == "markdown"
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[] for _ in code]
    assert {cell.execution_count for cell in code} == {None}


@pytest.mark.skipif(sys.platform == "win32", reason="zmq wants another event loop")
@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_runs_from_top_to_bottom(name: str, tmp_path: Path) -> None:
    opened = book(name)
    home = {"PROMPTKIT_HOME": str(tmp_path), "PROMPTKIT_JOURNAL": str(tmp_path / "journal.db")}
    client = NotebookClient(opened, timeout=90, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, **home})
    said = "".join(out.get("text", "") for cell in opened.cells for out in cell.get("outputs", ()))
    assert re.search(r"^\d of \d right$", said, re.MULTILINE), said
    assert (tmp_path / "journal.db").exists()
