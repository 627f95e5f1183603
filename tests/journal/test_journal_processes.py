"""Several processes on one journal, and processes that are killed. This file is also the program they run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from promptkit.errors import RunLive
from promptkit.journal import Journal, NewRun
from promptkit.journal.lease import Owner, alive
from promptkit.types import Completion, Usage

ROOT = Path(sys.modules[Journal.__module__].__file__ or "").parents[2]
KEYS, CYCLES = 300, 500
PROC = Path("/proc/self/stat").exists()


@contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """This file as a program, killed at the end of the block."""
    command = [sys.executable, "-W", "error", __file__, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def note(path: Path) -> int:
    """A file to which whole lines are appended, by any number of processes."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def run(id: str) -> NewRun:
    return NewRun(id=id, strategy="s", params={}, model="m", question="q", options={}, started=time.time())


async def shop(path: Path, number: int) -> None:
    """Get keys in an order of our own, eight at a time, buying what nobody has."""
    rng, purchases = random.Random(number), note(path / "purchases")
    with Journal.open(path / "journal.db") as journal:

        async def get(key: str) -> str:
            while True:
                if stored := journal.get(key):
                    return stored.completion.text
                if await journal.claim([key], f"r{number}"):
                    attempt = await journal.begin(f"r{number}", key, 10, 0.5)
                    os.write(purchases, f"{key}\n".encode())
                    await asyncio.sleep(0.001)
                    bought = Completion(text=f"{key} by {number}", model="m")
                    await journal.store(f"{number}/{key}", [(key, bought)], Usage(samples=1))
                    journal.settle(attempt, input_tokens=1, output_tokens=1, cost=0.5, samples=1)
                if stored := await journal.wait(key):
                    return stored.completion.text

        async def customer(wanted: list[str]) -> None:
            for key in wanted:
                print(key, await get(key), sep="\t")

        wanted = [f"key{rng.randrange(KEYS)}" for _ in range(CYCLES)]
        await journal.start_run(run(f"r{number}"))
        await asyncio.gather(*(customer(wanted[start::8]) for start in range(8)))
        await journal.end_run(f"r{number}", "done", {})
    os.close(purchases)


async def write(path: Path, name: str) -> None:
    """Store for ever; note every key once it is acknowledged."""
    acknowledged = note(path / "acknowledged")
    with Journal.open(path / "journal.db") as journal:
        await journal.start_run(run(name))

        async def task(number: int) -> None:
            for turn in range(1_000_000):
                key = f"{name}/{number}/{turn}"
                await journal.claim([key], name)
                journal.append(name, {"key": key})
                await journal.store(key, [(key, Completion(text=key * 20, model="m"))], Usage(samples=1))
                os.write(acknowledged, f"{key}\n".encode())

        await asyncio.gather(*map(task, range(6)))


async def hold(path: Path) -> None:
    """Claim a key and lease a run, then do as told on stdin."""
    with Journal.open(path / "journal.db") as journal:
        await journal.start_run(run("r1"))
        journal.append("r1", {"seq": 0})
        await journal.begin("r1", "call", 70, 0.5)
        print(await journal.claim(["a"], "r1"), flush=True)
        if (await asyncio.to_thread(sys.stdin.readline)).strip() == "store":
            await journal.store("call", [("a", Completion(text="theirs", model="m"))], Usage())
            print("stored", flush=True)
            await asyncio.to_thread(sys.stdin.readline)


def test_four_processes_buy_each_completion_once(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(process("shop", tmp_path, number)) for number in range(4)]
        outputs = [child.communicate(timeout=100) for child in children]
    assert [(child.returncode, error) for child, (_, error) in zip(children, outputs, strict=True)] == [(0, "")] * 4
    purchases = (tmp_path / "purchases").read_text().split()
    assert len(purchases) == len(set(purchases)) > KEYS * 0.9
    with Journal.open(tmp_path / "journal.db") as journal:
        for output, _ in outputs:
            lines = [line.split("\t") for line in output.splitlines()]
            assert len(lines) == CYCLES
            for key, text in lines:
                stored = journal.get(key)
                assert stored is not None
                assert stored.completion.text == text
        assert [row.status for row in journal.runs()] == ["done"] * 4
        spent = [journal.spent(f"r{number}") for number in range(4)]
        assert sum(each.calls for each in spent) == len(purchases)
        assert not any(each.unsettled for each in spent)
    assert sound(tmp_path / "journal.db")


@pytest.mark.parametrize("kills", [12, pytest.param(24, marks=pytest.mark.slow)])
def test_a_killed_process_leaves_a_whole_journal(kills: int, tmp_path: Path) -> None:
    size = 0
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    for number in range(kills):
        with process("write", tmp_path, f"r{number}") as child:
            if number % 4:  # somewhere in the middle of writing; else somewhere in starting up
                while acknowledged.stat().st_size == size and child.poll() is None:
                    time.sleep(0.002)
                time.sleep(random.uniform(0, 0.05))
            else:
                time.sleep(random.uniform(0.1, 0.4))
            assert child.poll() is None, child.communicate()
            child.kill()
            child.wait()
        size = acknowledged.stat().st_size
        with Journal.open(tmp_path / "journal.db") as journal:
            assert all(row.status == "interrupted" for row in journal.runs())
    assert sound(tmp_path / "journal.db")
    keys = acknowledged.read_text().splitlines()
    assert len({key.split("/")[0] for key in keys}) >= kills * 3 // 4
    with Journal.open(tmp_path / "journal.db") as journal:
        assert [key for key in keys if journal.get(key) is None] == []


def sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def test_what_another_process_buys_is_waited_for(tmp_path: Path) -> None:
    async def wait(journal: Journal, child: subprocess.Popen[str]) -> None:
        assert await journal.claim(["a"], "r2") == set()
        waiting = asyncio.create_task(journal.wait("a"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert child.stdin is not None
        child.stdin.write("store\n")
        child.stdin.flush()
        stored = await asyncio.wait_for(waiting, 20)
        assert stored is not None
        assert stored.completion.text == "theirs"

    with process("hold", tmp_path) as child, Journal.open(tmp_path / "journal.db") as journal:
        assert child.stdout is not None
        assert child.stdout.readline() == "{'a'}\n"
        asyncio.run(wait(journal, child))


def test_what_a_dead_process_held_is_free(tmp_path: Path) -> None:
    async def take_over(journal: Journal, child: subprocess.Popen[str]) -> None:
        with pytest.raises(RunLive, match=str(child.pid)):
            await journal.resume_run("r1")
        with pytest.raises(RunLive):
            await journal.remove("r1")
        assert journal.run("r1").status == "running"
        waiting = asyncio.create_task(journal.wait("a"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        if not PROC:  # elsewhere a process that nobody has waited for looks alive
            child.wait()
        assert await asyncio.wait_for(waiting, 20) is None
        assert await journal.claim(["a"], "r2") == {"a"}
        assert journal.run("r1").status == "interrupted"
        assert journal.events("r1") == [{"seq": 0}]
        assert (await journal.resume_run("r1")).attempt == 2
        assert (journal.spent("r1").reserved_tokens, journal.spent("r1").cost) == (70, 0.5)

    with process("hold", tmp_path) as child, Journal.open(tmp_path / "journal.db") as journal:
        assert child.stdout is not None
        assert child.stdout.readline() == "{'a'}\n"
        asyncio.run(take_over(journal, child))


def test_a_long_foreign_transaction_is_sat_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptkit.journal.schema.BUSY_SECONDS", 0.01)
    with Journal.open(tmp_path / "journal.db") as journal:
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None, check_same_thread=False)

        async def store() -> None:
            asyncio.get_running_loop().call_later(0.5, other.execute, "COMMIT")
            await journal.store("c", [("a", Completion(text="x", model="m"))], Usage())

        try:
            other.execute("BEGIN IMMEDIATE")
            assert journal.get("a") is None  # a reader does not wait
            asyncio.run(store())
        finally:
            other.close()
        assert journal.get("a") is not None


def test_what_is_queued_at_exit_is_written(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys; from promptkit.journal import *\n"
        "journal = Journal.open(pathlib.Path(sys.argv[1]))\n"
        "asyncio.run(journal.start_run(NewRun(id='r', strategy='', params={}, model='', question='',"
        " options={}, started=0)))\n"
        "[journal.append('r', {'seq': n}) for n in range(5000)]\n"
    )
    path = tmp_path / "journal.db"
    command = [sys.executable, "-W", "error", "-c", code, str(path)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, capture_output=True, check=True
    )
    assert done.stderr == b""
    with Journal.open(path) as journal:
        assert len(journal.events("r")) == 5000
        assert journal.run("r").status == "interrupted"


def test_who_is_alive() -> None:
    here = Owner.here()
    assert alive(str(here))
    assert not alive(None)
    assert not alive(str(replace(here, boot="another boot")))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        there = replace(here, pid=child.pid, born=0)
        assert alive(str(there))
        if PROC:
            assert not alive(str(replace(there, born=1)))  # the pid was given to another process since
    assert not alive(str(there))
    here.leave()
    assert not alive(str(here))


if __name__ == "__main__":
    what, folder, *rest = sys.argv[1:]
    if what == "shop":
        asyncio.run(shop(Path(folder), int(rest[0])))
    elif what == "write":
        asyncio.run(write(Path(folder), rest[0]))
    else:
        asyncio.run(hold(Path(folder)))
