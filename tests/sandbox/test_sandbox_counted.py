"""A fork bomb ends at the limit, because the kernel makes no more: on both rungs, for root and for users."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from behind import SOMEBODY, as_both, must_be_here, must_count, on_both_rungs, ran, said_by

from promptkit.sandbox import Limits, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root's programs need another identity")

# A bomb with an end: more forks than the limit, and nobody dies before they are counted.
SEVENTY_FORKS = """
import errno, os, signal
born, refusal = 1, None
for _ in range(70):
    try:
        if os.fork() == 0: signal.pause()
        born += 1
    except OSError as error:
        refusal = errno.errorcode[error.errno]
        break
print(born, refusal)
"""
BOMB = """
import os
while True:
    try: os.fork()
    except BlockingIOError: pass
"""
# While it burns, how many processes it has become is counted from outside, by the mark on their command line.
CALLER = """
import asyncio, json, os, sys, pathlib
from promptkit.sandbox import Limits, run
rung, workspace, program, seconds, mark = sys.argv[1:]
def alive():
    found = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try: found += mark.encode() in pathlib.Path(f"/proc/{name}/cmdline").read_bytes().split(b"\\0")
        except OSError: pass
    return found
async def main():
    limits, most = Limits(seconds=float(seconds), processes=24), 0
    words = ["python", "-c", program, mark]
    running = asyncio.create_task(run(words, workspace=workspace, rung=rung, limits=limits))
    while not running.done():
        most = max(most, alive() - 1)  # bubblewrap or the caller bear it, too
        await asyncio.sleep(0.02)
    done = running.result()
    print(json.dumps([done.stdout, done.ended, most, alive() - 1, done.certificate.limits["processes"]["by"]]))
asyncio.run(main())
"""


@pytest.fixture
def folder(who: str) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="sandbox-counted-"))
    if who == "an ordinary user" and os.getuid() == 0:
        os.chown(made, SOMEBODY, SOMEBODY)
    yield made
    shutil.rmtree(made)


@as_both
@on_both_rungs
def test_the_kernel_refuses_the_first_that_is_too_many(rung: str, who: str, folder: Path) -> None:
    must_be_here(rung)
    stdout, ended, _, left, by = json.loads(
        said_by(who, CALLER, rung, str(folder), SEVENTY_FORKS, "60", uuid.uuid4().hex)
    )
    assert (stdout, ended) == ("24 EAGAIN\n", "exit")
    assert left == 0
    assert by == "kernel, watch"


@as_both
@on_both_rungs
def test_a_fork_bomb_is_put_out(rung: str, who: str, folder: Path) -> None:
    must_count(rung)
    _, ended, most, left, _ = json.loads(said_by(who, CALLER, rung, str(folder), BOMB, "2", uuid.uuid4().hex))
    assert ended in ("timeout", "cpu")  # where the kernel refuses to fork, it burns its time
    assert most <= 24 + 4  # and bubblewrap's own, which bear the mark too
    assert left == 0


@on_both_rungs
def test_threads_count(rung: str, tmp_path: Path) -> None:
    code = """
import threading
stop, born = threading.Event(), 1
threading.stack_size(1 << 16)
try:
    for _ in range(70):
        threading.Thread(target=stop.wait).start()
        born += 1
except RuntimeError as error: print(born, error)
stop.set()
"""
    done = ran(code, rung, tmp_path, Limits(seconds=60, processes=6))
    assert done.stdout == "6 can't start new thread\n"


@needs_root
@on_both_rungs
def test_roots_program_is_nobodys_on_the_host_and_its_files_are_roots(rung: str, tmp_path: Path) -> None:
    must_be_here(rung)
    mark = uuid.uuid4().hex
    secret = tmp_path / "shown"
    secret.write_text("only root may read this")
    workspace = tmp_path / "deep" / "workspace"
    workspace.mkdir(parents=True, mode=0o700)
    (workspace / "given").write_text("in")
    for path in (secret, workspace / "given", tmp_path / "deep"):
        os.chmod(path, 0o700)
    code = f"""
import os, time
print(open({str(secret)!r}).read(), open("given").read())
open("given", "a").write("out"); os.mkdir("new"); open("new/file", "w").close(); os.symlink("/etc/passwd", "link")
while not os.path.exists("go"): time.sleep(0.01)
"""

    async def seen_from_outside() -> tuple[set[str], str]:
        words = ["python", "-c", code, mark]
        limits = Limits(seconds=60)
        running = asyncio.create_task(run(words, workspace=workspace, rung=rung, readable=[secret], limits=limits))
        while not (workspace / "new" / "file").exists():
            await asyncio.sleep(0.01)
            assert not running.done(), running.result().stderr
        owners = {uid for uid in (_uid(name, mark) for name in filter(str.isdigit, os.listdir("/proc"))) if uid}
        (workspace / "go").touch()
        return owners, (await running).stdout

    owners, stdout = asyncio.run(seen_from_outside())
    assert owners == {"1999999999"}
    assert stdout == "only root may read this in\n"
    assert (workspace / "given").read_text() == "inout"
    assert {path.lstat().st_uid for path in workspace.rglob("*")} == {0}
    assert {path.lstat().st_gid for path in workspace.rglob("*")} == {0}
    shutil.rmtree(workspace)
    assert os.stat("/etc/passwd").st_uid == 0


def _uid(pid: str, mark: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return file.read().partition("\nUid:\t")[2].split()[0] if mark.encode() in words else ""
    except OSError:
        return ""


@needs_root
@on_both_rungs
def test_a_workspace_that_belongs_to_a_user_stays_the_users(rung: str, tmp_path: Path) -> None:
    os.chown(tmp_path, SOMEBODY, SOMEBODY)
    assert ran("open('made', 'w').write('by root for a user')", rung, tmp_path).ok
    made = (tmp_path / "made").stat()
    assert (made.st_uid, made.st_gid) == (SOMEBODY, SOMEBODY)


@needs_root
@on_both_rungs
def test_a_file_system_that_knows_no_other_owners_lends_the_workspace(rung: str, tmp_path: Path) -> None:
    must_be_here(rung)
    script = """
import asyncio, ctypes, os, subprocess, sys
from pathlib import Path
from promptkit.sandbox import run
rung, place = sys.argv[1], Path(sys.argv[2])
if ctypes.CDLL(None).unshare(0x20000): sys.exit("unshare")
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
for name in ("lower", "upper", "work", "seen"): (place / name).mkdir()
layers = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, place / "seen"], check=True)
(place / "seen" / "given").write_text("in")
code = "import os; print(open('given').read()); os.mkdir('d'); open('d/new', 'w'); os.symlink('/etc/passwd', 'l')"
done = asyncio.run(run(code, workspace=place / "seen", rung=rung))
owners = {path.lstat().st_uid for path in (place / "seen", *(place / "seen").rglob("*"))}
print(done.stdout.strip(), done.certificate.whole, owners, os.stat("/etc/passwd").st_uid)
"""
    python = [sys.executable, "-c", script, rung, str(tmp_path)]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(python, capture_output=True, text=True, check=False, env=path)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no overlay can be mounted here: {done.stderr.splitlines()[-1]}")
    assert done.stdout.split("\n")[0] == "in True {0} 0", done.stderr
