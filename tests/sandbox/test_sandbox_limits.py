"""What a program uses is limited, and when it ends, everything that it started has ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from behind import must_be_here, on_both_rungs, ran

from promptkit.sandbox import Limits, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

MIB = 1 << 20
ROOT = Path(__file__).parents[2]
DAEMON = """
import os, subprocess, sys, time
beat = "import time, sys\\nwhile True: open('beats', 'a').write('x'); time.sleep(0.01)"
subprocess.Popen([sys.executable, "-c", beat, {mark!r}], start_new_session=True)
while not os.path.exists("beats"): time.sleep(0.01)
"""


def alive(mark: str) -> list[int]:
    """Processes of this machine with that word on their command line."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and mark.encode() in Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0"):
                found.append(int(name))
        except OSError:
            continue
    return found


@on_both_rungs
def test_time_is_up_for_a_sleeper(rung: str, tmp_path: Path) -> None:
    done = ran("import time; time.sleep(1000)", rung, tmp_path, Limits(seconds=1.5))
    assert (done.ended, done.timed_out, done.ok, done.status) == ("timeout", True, False, 137)


@on_both_rungs
def test_processor_time_is_counted(rung: str, tmp_path: Path) -> None:
    done = ran("while True: pass", rung, tmp_path, Limits(seconds=60, cpu_seconds=1))
    assert (done.ended, done.timed_out) == ("cpu", True)


@on_both_rungs
def test_what_it_leaves_running_ends_with_it(rung: str, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    assert ran(DAEMON.format(mark=mark), rung, tmp_path).ok
    assert (tmp_path / "beats").stat().st_size > 0
    assert alive(mark) == []


@on_both_rungs
def test_all_processes_together_get_the_memory(rung: str, tmp_path: Path) -> None:
    code = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        held = bytearray(b"x") * (60 << 20)
        time.sleep(100)
time.sleep(100)
"""
    done = ran(code, rung, tmp_path, Limits(seconds=60, memory=200 * MIB))
    assert done.ended == "memory"
    assert done.peak_bytes > 200 * MIB


@on_both_rungs
def test_the_disk_is_not_filled(rung: str, tmp_path: Path) -> None:
    code = """
n = 0
while True:
    open(f"{n}.bin", "wb").write(bytes(1 << 20)); n += 1
"""
    done = ran(code, rung, tmp_path, Limits(seconds=60, disk_bytes=24 * MIB))
    assert done.ended == "disk"


@on_both_rungs
def test_no_more_entries_than_allowed(rung: str, tmp_path: Path) -> None:
    code = "import itertools\nfor n in itertools.count(): open(f'{n}', 'w').close()"
    assert ran(code, rung, tmp_path, Limits(seconds=60, disk_files=200)).ended == "disk"


@pytest.mark.parametrize("hide", [
    "os.mkdir('closed'); held = open('closed/large', 'wb'); os.chmod('closed', 0)",
    "for _ in range(30): os.mkdir('d' * 200); os.chdir('d' * 200)\nheld = open('large', 'wb')",
], ids=["closed", "deep"])  # fmt: skip
@on_both_rungs
def test_the_disk_is_not_filled_where_nobody_looks(rung: str, hide: str) -> None:
    must_be_here(rung)
    code = f"import os, time\n{hide}\nfor _ in range(8): held.write(bytes(1 << 20)); held.flush()\ntime.sleep(1000)"
    limits = Limits(seconds=60, disk_bytes=4 * MIB)
    assert asyncio.run(run(code, rung=rung, limits=limits)).ended == "disk"


@on_both_rungs
def test_what_the_kernel_counts_is_an_error_the_program_sees(rung: str, tmp_path: Path) -> None:
    code = """
import errno
def refusal(work):
    try: work()
    except OSError as error: print(errno.errorcode[error.errno])
    except MemoryError: print("MemoryError")
def one_large_file():
    with open("large", "wb", buffering=0) as file:
        while True: file.write(bytes(1 << 20))
def many_open_files(): held = [open("/dev/null") for _ in range(100)]
def much_in_tmp():
    with open("/tmp/large", "wb", buffering=0) as file:
        for _ in range(6): file.write(bytes(1 << 20))
refusal(one_large_file); refusal(many_open_files); refusal(much_in_tmp); refusal(lambda: bytearray(400 << 20))
"""
    limits = Limits(seconds=60, memory=256 * MIB, file_bytes=8 * MIB, open_files=32, scratch_bytes=4 * MIB)
    done = ran(code, rung, tmp_path, limits)
    assert done.stdout.split() == ["EFBIG", "EMFILE", "ENOSPC", "MemoryError"]


@on_both_rungs
def test_a_flood_is_cut(rung: str, tmp_path: Path) -> None:
    code = "import sys\nprint('begin')\nwhile True: sys.stdout.write('é' * 9999)"
    done = ran(code, rung, tmp_path, Limits(seconds=60, output_bytes=50_000))
    assert (done.ended, done.cut) == ("output", True)
    assert done.stdout.startswith("begin\n")
    assert 49_999 <= len(done.stdout.encode()) <= 50_002  # half a character at the cut becomes a stand-in


@on_both_rungs
def test_when_it_is_cancelled_nothing_is_left(rung: str, tmp_path: Path) -> None:
    must_be_here(rung)
    mark = uuid.uuid4().hex

    async def begin_and_cancel() -> None:
        code = DAEMON.format(mark=mark) + "time.sleep(1000)"
        running = asyncio.create_task(run(code, workspace=tmp_path, rung=rung, limits=Limits(seconds=60)))
        while not (tmp_path / "beats").exists():
            await asyncio.sleep(0.01)
            assert not running.done()
        assert alive(mark)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(begin_and_cancel())
    assert alive(mark) == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no child at all, not even a dead one


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
@on_both_rungs
def test_when_promptkit_is_ended_nothing_is_left(rung: str, ending: signal.Signals, tmp_path: Path) -> None:
    must_be_here(rung)
    mark = uuid.uuid4().hex
    code = f"""
import asyncio
from promptkit.sandbox import Limits, run
asyncio.run(run({DAEMON.format(mark=mark) + "time.sleep(1000)"!r}, workspace={str(tmp_path)!r}, rung={rung!r},
                limits=Limits(seconds=60)))
"""
    quiet = subprocess.DEVNULL  # a traceback of KeyboardInterrupt
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=quiet)
    while not (tmp_path / "beats").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(ending)
    process.wait(60)
    deadline = time.monotonic() + 30
    while alive(mark) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert alive(mark) == []


@on_both_rungs
def test_killing_what_began_it_ends_nothing_outside(rung: str, tmp_path: Path) -> None:
    victim = subprocess.Popen(["sleep", "600"])
    code = f"""
import os
for pid in (os.getppid(), 1, {victim.pid}):
    try: os.kill(pid, 9)
    except OSError: pass
print("still here")
"""
    try:
        done = ran(code, rung, tmp_path)
        assert (done.stdout, done.ended) == ("still here\n", "exit")
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


@on_both_rungs
def test_what_it_writes_to_tmp_is_its_own(rung: str, tmp_path: Path) -> None:
    name = f"/tmp/promptkit-{uuid.uuid4().hex}"
    assert ran(f"open({name!r}, 'w').write('x')\nprint(open({name!r}).read())", rung, tmp_path).stdout == "x\n"
    assert not os.path.exists(name)
    code = f"try: print(open({name!r}).read())\nexcept OSError: print('gone')"
    assert ran(code, rung, tmp_path).stdout == "gone\n"


@on_both_rungs
def test_two_at_once_do_not_see_each_other(rung: str, tmp_path: Path) -> None:
    must_be_here(rung)
    code = """
import os, time
name = open("name").read()
open(f"/tmp/{name}", "w").close(); open(f"/dev/shm/shm-{name}", "w").close()
open("ready", "w").close()
while not os.path.exists("go"): time.sleep(0.01)
print(sorted(os.listdir("/tmp")), sorted(int(pid) for pid in os.listdir("/proc") if pid.isdigit()))
"""
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        (folder / "name").write_text(folder.name)

    async def both() -> list[str]:
        limits = Limits(seconds=60)
        runs = [asyncio.create_task(run(code, workspace=each, rung=rung, limits=limits)) for each in folders]
        while not all((folder / "ready").exists() for folder in folders):
            await asyncio.sleep(0.01)
            assert not any(each.done() for each in runs)
        for folder in folders:
            (folder / "go").touch()
        return [(await each).stdout for each in runs]

    for name, other, said in zip("ab", "ba", asyncio.run(both()), strict=True):
        assert f"'{name}'" in said
        assert f"'{other}'" not in said
        assert "[1, 2]" in said
