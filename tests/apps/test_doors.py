"""The synchronous door where it could hang: inside promptkit's own loop, after a fork, under repeated cancelling."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from promptkit import api, sync
from promptkit.errors import BadInput
from promptkit.events import Record, watch
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Request


def model() -> Scripted:
    return Scripted(lambda _: "Answer: 1", name="door")


@pytest.mark.timeout(30)
def test_inside_its_own_loop_it_says_so_instead_of_hanging(journal: Journal) -> None:
    async def nested() -> None:
        api.run("cot", "which?", model=model(), journal=journal)

    with pytest.raises(BadInput, match="own loop") as caught:
        sync.run(nested())
    assert "arun" in caught.value.hint


def test_each_thread_has_its_own_watchers(journal: Journal) -> None:
    seen: dict[int, list[Record]] = {i: [] for i in range(6)}

    def work(i: int) -> None:
        with watch(seen[i].append):
            api.run("cot", f"which {i}?", model=model(), journal=journal)

    threads = [threading.Thread(target=work, args=(i,)) for i in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for i, records in seen.items():
        questions = {r.event.question for r in records if type(r.event).__name__ == "RunStarted"}  # type: ignore[union-attr]
        assert questions == {f"which {i}?"}


def test_cancelled_again_and_again_a_run_still_ends_in_peace(journal: Journal) -> None:
    """As anyio's cancel scopes do: at every step of the loop, until the task has ended."""

    async def pestered() -> str:
        reached, tidied = asyncio.Event(), asyncio.Event()

        async def say(request: Request) -> str:
            if request.index < 3:
                return "Answer: 7"
            reached.set()
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.05)
                tidied.set()
            return ""

        slow = Scripted(say, name="slow")
        task = asyncio.create_task(api.arun("sc", "which?", model=slow, journal=journal))
        await reached.wait()
        await asyncio.sleep(0.2)  # the first three are in
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        assert tidied.is_set(), "the provider could put its things away"
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return " ".join(getattr(caught.value, "__notes__", []))

    said = asyncio.run(pestered())
    (row,) = journal.runs()
    assert f"pk.resume('{row.id}')" in said
    assert row.status == "cancelled"
    assert row.outcome is not None
    assert row.outcome["answer"] == "7"


FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import promptkit as pk
from promptkit.providers.scripted import Scripted

def model():
    return Scripted(lambda _: "Answer: 1", name="door")

before = sys.argv[1] == "before"
if before:
    pk.run("cot", "warm?", model=model())
child = os.fork()
if child == 0:
    try:
        print("child", pk.run("cot", "which?", model=model()).answer, flush=True)
    except pk.PromptkitError as error:
        print("child", error.message, "|", error.hint, flush=True)
        other = os.environ["PROMPTKIT_JOURNAL"] + ".child"
        print("child", pk.run("cot", "which?", model=model(), journal=other).answer, flush=True)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print("parent", pk.run("cot", "which?", model=model()).answer, os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_fork_it_works_or_says_why_not(tmp_path: Path, when: str) -> None:
    env = {**os.environ, "PROMPTKIT_JOURNAL": str(tmp_path / "journal.db")}
    done = subprocess.run(
        [sys.executable, "-c", FORKED, when], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[-1] == "parent 1 0"
    assert done.stderr == ""
    assert lines[-2] == "child 1", "a first use, or a journal of its own, works"
    if when == "before":
        assert "opened before this process was forked" in lines[0]
        assert "spawn" in lines[0]


INSIDE = """
import asyncio, os, signal, sys, threading
import promptkit as pk
from promptkit.providers.scripted import Scripted
signal.signal(signal.SIGINT, signal.default_int_handler)

async def say(request):
    if request.index >= 3:
        if request.index == 3:
            threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT]).start()
        await asyncio.sleep(60)
    return "Answer: 1"

async def app():
    try:
        pk.run("sc", "which?", model=Scripted(say, name="door"), concurrency=4)
    except KeyboardInterrupt as stop:
        print(pk.runs(1)[0].status, pk.runs(1)[0].outcome["answer"], *stop.__notes__, flush=True)

asyncio.run(app())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_is_heard_at_once_where_a_loop_would_handle_it(tmp_path: Path) -> None:
    """asyncio.run() only notes the first Ctrl-C for its loop, which is waiting for us."""
    env = {**os.environ, "PROMPTKIT_JOURNAL": str(tmp_path / "journal.db")}
    done = subprocess.run([sys.executable, "-c", INSIDE], env=env, capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("cancelled 1 what it had is kept"), done.stderr
