"""A real notebook in a real kernel: its loop is running, cells await, and the stop button stops."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from promptkit import api
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Request

_V4: Any = nbformat.v4  # untyped

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of the notebook's own libraries
]

SETUP = """
import asyncio, sys
import promptkit as pk
from pathlib import Path

def say(request):
    return "Answer: 7"

async def slow(request):
    if request.index >= 3:
        await asyncio.sleep(0.5)  # the first three are in
        Path(FLAG).touch()
        await asyncio.sleep(60)
    return "Answer: 7"

model, sleeper = pk.Scripted(say, name="quick"), pk.Scripted(slow, name="slow", identity="slow")
"""


@asynccontextmanager
async def notebook(tmp_path: Path, *cells: str) -> AsyncIterator[NotebookClient]:
    """A kernel on loopback that has run the set-up; `cells` are not executed yet."""
    setup = f"FLAG = {str(tmp_path / 'flag')!r}\n{SETUP}"
    book = _V4.new_notebook(cells=[_V4.new_code_cell(code) for code in (setup, *cells)])
    client = NotebookClient(book, timeout=60, kernel_name="python3")
    async with client.async_setup_kernel(env={**os.environ, "PROMPTKIT_JOURNAL": str(tmp_path / "journal.db")}):
        await client.async_execute_cell(book.cells[0], 0)
        yield client


async def execute(client: NotebookClient, index: int) -> Any:
    return await client.async_execute_cell(client.nb.cells[index], index)


async def interrupt(client: NotebookClient, flag: Path) -> CellExecutionError:
    """What the second cell ends with when it is stopped in the middle of a call."""
    running = asyncio.create_task(execute(client, 1))
    async with asyncio.timeout(30):
        while not flag.exists():  # noqa: ASYNC110, ASYNC240  another process makes it
            await asyncio.sleep(0.01)
    kernel: Any = client.km
    await kernel.interrupt_kernel()
    async with asyncio.timeout(20):
        with pytest.raises(CellExecutionError) as caught:
            await running
    return caught.value


def text_of(cell: Any, kind: str = "text/plain") -> str:
    return "".join(out["data"].get(kind, "") for out in cell.outputs if "data" in out) + "".join(
        out["text"] for out in cell.outputs if out.output_type == "stream"
    )


def test_every_door_works_in_a_notebook(tmp_path: Path) -> None:
    async def read() -> list[Any]:
        cells = [
            "pk.run('sc', 'which?', model=model)",
            "(await pk.arun('sc', 'which?', model=model)).answer",
            "async for record in pk.stream('cot', 'which?', model=model):\n    print(type(record.event).__name__)",
            "print(pk.run('tot', '1 4 9 11', pack='game24')._repr_html_())",
            "import sys; 'nest_asyncio' in sys.modules",
        ]
        async with notebook(tmp_path, *cells) as client:
            return [await execute(client, i) for i in range(1, len(cells) + 1)]

    run, arun, stream, search, nested = asyncio.run(read())
    assert "promptkit-outcome" in text_of(run, "text/html")
    assert "6/6" in text_of(run, "text/html")
    assert text_of(arun) == "'7'"
    names = text_of(stream).split()
    assert names.index("RunStarted") < names.index("Delta") < names.index("RunEnded")
    assert "verified by program" in text_of(search)
    assert text_of(nested) == "False"


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        ("pk.run('sc', 'which?', model=sleeper)", "KeyboardInterrupt"),
        ("await pk.arun('sc', 'which?', model=sleeper)", "CancelledError"),
        ("await asyncio.sleep(0)\npk.run('sc', 'which?', model=sleeper)", "KeyboardInterrupt"),
        ("async for record in pk.stream('sc', 'which?', model=sleeper):\n    pass", "CancelledError"),
    ],
    ids=["run", "arun", "run beside await", "stream"],
)
def test_stopping_a_cell_cancels_its_run_and_keeps_the_best(tmp_path: Path, cell: str, seen: str) -> None:
    async def stop() -> CellExecutionError:
        async with notebook(tmp_path, cell) as client:
            return await interrupt(client, tmp_path / "flag")

    error = asyncio.run(stop())
    assert error.ename == seen
    with Journal.open(tmp_path / "journal.db") as journal:
        (row,) = journal.runs()
        assert row.status == "cancelled"
        assert row.outcome is not None
        assert row.outcome["answer"] == "7"
        asked: list[int] = []

        def say(request: Request) -> str:
            asked.append(request.index)
            return "Answer: 7"

        outcome = api.resume(row.id, model=Scripted(say, name="slow", identity="slow"), journal=journal)
    assert (outcome.status, outcome.answer) == ("done", "7")
    assert asked == [3, 4, 5], "what was paid for is kept"
