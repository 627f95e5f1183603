"""What comes back of a run, what a program can see, and that it is said."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from behind import must_be_here, on_both_rungs, ran

from promptkit.sandbox import CLAIMS, Limits, facts, run, rungs
from promptkit.sandbox.sent import Rung
from promptkit.types import plain

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


@on_both_rungs
def test_a_program_and_what_became_of_it(rung: str, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("20 22")
    code = """
import sys
numbers = [int(word) for word in open("in.txt").read().split()]
open("out.txt", "w").write(str(sum(numbers)))
print("süm", sum(numbers)); print("done", file=sys.stderr); exit(3)
"""
    done = ran(code, rung, tmp_path)
    assert (done.status, done.ended, done.ok, done.cut) == (3, "exit", False, False)
    assert (done.stdout, done.stderr) == ("süm 42\n", "done\n")
    assert (tmp_path / "out.txt").read_text() == "42"
    assert sorted(os.listdir(tmp_path)) == ["in.txt", "out.txt"]


@on_both_rungs
def test_a_fault_is_shown_with_its_line(rung: str, tmp_path: Path) -> None:
    done = ran("x = 1\nx / 0\n", rung, tmp_path)
    assert done.status == 1
    assert 'File "/main.py", line 2' in done.stderr
    assert "ZeroDivisionError" in done.stderr


@on_both_rungs
def test_a_command_finds_its_folder_and_its_own_files(rung: str, tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("def double(n): return 2 * n")
    (tmp_path / "check.py").write_text("import os, solution\nprint(solution.double(21), os.getcwd())")
    done = ran(["python", "check.py"], rung, tmp_path)
    assert done.stdout == "42 /workspace\n"


@on_both_rungs
def test_an_end_by_signal_is_said_as_shells_say_it(rung: str, tmp_path: Path) -> None:
    assert ran(["sh", "-c", "kill -9 $$"], rung, tmp_path).status == 128 + 9


@on_both_rungs
def test_a_command_that_is_not_there_is_no_success(rung: str, tmp_path: Path) -> None:
    done = ran(["no-such-command"], rung, tmp_path)
    assert (done.status, done.ok) == (127, False)
    assert "no-such-command" in done.stderr


@on_both_rungs
def test_the_standard_library_works_and_nothing_else_is_there(rung: str, tmp_path: Path) -> None:
    code = """
import asyncio, ctypes, decimal, hashlib, multiprocessing, socket, sqlite3, ssl, subprocess, sys, threading
async def main(): return await asyncio.to_thread(lambda: 42)
print(asyncio.run(main()))
def work(n): return n * n
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(work, [1, 2, 3]))
    print(subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True, text=True).stdout.strip())
    server = socket.create_server(("127.0.0.1", 0))
    with socket.create_connection(server.getsockname()): print("its own loopback")
    try: import pip, setuptools
    except ImportError: print("no packages")
"""
    done = ran(code, rung, tmp_path)
    assert done.stdout.splitlines() == ["42", "[1, 4, 9]", "7", "its own loopback", "no packages"], done.stderr


@on_both_rungs
def test_what_is_named_can_be_read_and_not_written(rung: str, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "data.txt").write_text("data")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    code = f"""
print(open({str(shown / "data.txt")!r}).read())
try: open({str(shown / "new.txt")!r}, "w")
except OSError: print("refused")
"""
    done = ran(code, rung, workspace, readable=[shown])
    assert done.stdout.split() == ["data", "refused"]
    assert str(shown) in done.certificate.read


@on_both_rungs
def test_variables_are_those_that_were_given(rung: str, tmp_path: Path) -> None:
    done = ran("import os; print(os.environ['MODE'])", rung, tmp_path, env={"MODE": "exam"})
    assert done.stdout == "exam\n"


@on_both_rungs
def test_like_runs_have_like_certificates_and_json_keeps_them(rung: str, tmp_path: Path) -> None:
    first, second = (ran("print(1)", rung, tmp_path) for _ in range(2))
    assert first.certificate == second.certificate
    kept = json.loads(json.dumps(plain(first)))
    assert kept["certificate"]["rung"] == rung
    assert kept["stdout"] == "1\n"
    assert set(kept["certificate"]["holds"]) == set(CLAIMS)
    assert kept["certificate"]["limits"]["memory"]["value"] == 1 << 30


@on_both_rungs
def test_bytes_that_are_no_text_are_marked_and_lose_nothing(rung: str, tmp_path: Path) -> None:
    code = r"""
import sys
sys.stdout.buffer.write(b'a\xffb\x00c\xe2\x82')
sys.stderr.buffer.write(b'\xc3\xa9\xfe')
"""
    done = ran(code, rung, tmp_path)
    assert (done.stdout, done.stderr) == ("a\ufffdb\0c\ufffd", "é\ufffd")


@on_both_rungs
def test_eight_at_once_in_one_loop(rung: str, tmp_path: Path) -> None:
    must_be_here(rung)

    async def several() -> list[str]:
        limits = Limits(seconds=60)
        runs = (run(f"print({n})", workspace=tmp_path, rung=rung, limits=limits) for n in range(8))
        return [each.stdout for each in await asyncio.gather(*runs)]

    assert asyncio.run(several()) == [f"{n}\n" for n in range(8)]


def test_those_that_begin_at_once_share_one_trial(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = rungs.available()
    if found.bubblewrap is None and found.landlock is None:
        pytest.skip(f"no rung here: {found.problems}")
    begun, trial = [], rungs._tried

    def counted(specs: dict[str, Any], bubblewrap: str) -> dict[str, Any]:
        begun.append(1)
        return trial(specs, bubblewrap)

    monkeypatch.setattr(rungs, "_tried", counted)
    rungs._found.cache_clear()

    async def several() -> list[bool]:
        limits = Limits(seconds=60)
        return [each.ok for each in await asyncio.gather(*(run("", workspace=tmp_path, limits=limits) for _ in "four"))]

    assert asyncio.run(several()) == [True] * 4
    assert begun == [1]


@on_both_rungs
def test_a_python_in_isolated_mode_may_call(rung: str, tmp_path: Path) -> None:
    must_be_here(rung)
    script = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import asyncio; from promptkit.sandbox import Limits, run
print(asyncio.run(run("print(6 * 7)", workspace={str(tmp_path)!r}, rung={rung!r}, limits=Limits(seconds=60))).stdout)
"""
    # Without a variable: no PATH in which bubblewrap could be found but the system's own.
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False, env={})
    assert done.stdout.strip() == "42", done.stderr


@on_both_rungs
def test_nothing_is_left_in_the_folder_of_temporary_files(
    rung: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, workspace = tmp_path / "temporary", tmp_path / "workspace"
    for folder in (temporary, workspace):
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    rungs._found.cache_clear()
    for program in ("open('/tmp/x', 'w').close()", "import os; os.kill(os.getpid(), 9)"):
        ran(program, rung, workspace)
    assert list(temporary.iterdir()) == []


@on_both_rungs
def test_a_workspace_of_its_own_is_gone_whatever_it_holds(
    rung: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    must_be_here(rung)
    outside, temporary = tmp_path / "outside", tmp_path / "temporary"
    outside.write_text("of the host")
    outside.chmod(0o444)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    code = f"""
import os
os.makedirs("closed/within"); os.symlink({str(outside)!r}, "closed/link"); os.chmod("closed/within", 0)
os.chmod("closed", 0o500); os.chmod(".", 0o500)
"""
    deep = "import os\nfor _ in range(30): os.mkdir('d' * 200); os.chdir('d' * 200)"
    for program in (code, deep):
        asyncio.run(run(program, rung=rung, limits=Limits(seconds=60)))
        assert list(temporary.iterdir()) == []
    assert outside.stat().st_mode & 0o777 == 0o444


def test_what_there_is_to_say_of_this_machine() -> None:
    none = rungs.Rungs(None, None, {"bubblewrap": "not installed", "landlock": "no kernel"}, "6.1")
    assert facts(none) == {
        "rung": None,
        "version": "",
        "lacks": list(CLAIMS),
        "problems": none.problems,
        "mend": "apt install bubblewrap",
    }
    part = rungs.Rungs(None, Rung("landlock", namespaces=False, landlock=7, seccomp=True), {}, "6.1")
    assert facts(part)["lacks"] == ["own processes", "counted processes"]
    whole = rungs.Rungs(Rung("bubblewrap", seccomp=True, version="0.8.0", held=("counted processes",)), None, {}, "6.1")
    assert facts(whole) | {"problems": {}} == {
        "rung": "bubblewrap",
        "version": "0.8.0",
        "lacks": [],
        "problems": {},
        "mend": "",
    }
