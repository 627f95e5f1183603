"""The synchronous door works everywhere, and Ctrl-C leaves a run that can go on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from promptkit import api, sync
from promptkit.events import Record, watch
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Request


def model(say: Any = lambda request: "Answer: 1") -> Scripted:
    return Scripted(say, name="door")


def test_inside_a_running_loop(journal: Journal) -> None:
    async def notebook() -> Any:
        return api.run("sc", "which?", model=model(), journal=journal).answer

    assert asyncio.run(notebook()) == "1"


def test_from_a_thread_beside_a_running_loop(journal: Journal) -> None:
    async def server() -> list[Any]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        async def slow(request: Request) -> str:
            await asyncio.sleep(0.05)
            return "Answer: 1"

        ticking = asyncio.create_task(tick())
        answers = await asyncio.gather(
            *(asyncio.to_thread(api.run, "sc", f"which {i}?", model=model(slow), journal=journal) for i in range(4))
        )
        ticking.cancel()
        assert ticks > 3, "the loop of the caller is not blocked"
        return [outcome.answer for outcome in answers]

    assert asyncio.run(server()) == ["1"] * 4


def test_from_many_threads_at_once(journal: Journal) -> None:
    asked: list[Any] = []
    answers: list[Any] = []

    def say(request: Request) -> str:
        asked.append(request)
        return "Answer: 1"

    def work() -> None:
        answers.append(api.run("sc", "which?", model=model(say), journal=journal).answer)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == ["1"] * 8
    assert len(asked) == 6, "eight equal runs at once pay for one"


def test_errors_come_through() -> None:
    async def fails() -> None:
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        sync.run(fails())


def test_the_surrounding_watch_is_seen(journal: Journal) -> None:

    seen: list[Record] = []
    with watch(seen.append):
        api.run("cot", "which?", model=model(), journal=journal)
    assert {"RunStarted", "RunEnded"} <= {type(record.event).__name__ for record in seen}


INTERRUPTED = """
import asyncio, sys
from pathlib import Path
from promptkit import api
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted

async def say(request):
    if request.index >= 3:
        print("waiting", flush=True)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("stopped", flush=True)
            raise
    return "Answer: 1"

with Journal.open(Path(sys.argv[1])) as journal:
    try:
        api.run("sc", "which?", model=Scripted(say, name="door"), journal=journal, concurrency=4)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
@pytest.mark.parametrize("by_itself", [True, False])
def test_an_interrupted_run_can_be_resumed(tmp_path: Path, by_itself: bool) -> None:
    """Ctrl-C, caught by the program or not."""
    path = tmp_path / "journal.db"
    code = INTERRUPTED if by_itself else INTERRUPTED.replace("except KeyboardInterrupt", "except LookupError")
    # A child of a background job ignores SIGINT; this one is told not to.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + code
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    said, complained = child.communicate(timeout=60)
    assert "stopped" in said
    if by_itself:
        assert "interrupted" in said
        assert (child.returncode, complained) == (130, "")
    else:
        assert child.returncode != 0
        assert "KeyboardInterrupt\nwhat it had is kept" in complained
    with Journal.open(path) as journal:
        (row,) = journal.runs()
        assert row.status == "cancelled"
        assert row.outcome is not None
        assert row.outcome["answer"] == "1"
        asked: list[int] = []

        def say(request: Request) -> str:
            asked.append(request.index)
            return "Answer: 1"

        outcome = api.resume(row.id, model=model(say), journal=journal)
    assert outcome.answer == "1"
    assert asked == [3, 4, 5]
