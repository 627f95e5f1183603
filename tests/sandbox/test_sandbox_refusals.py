"""Where it would not hold, nothing is run; the refusal says why and what to install. Less must be asked for."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from behind import must_be_here, said_by

from promptkit.errors import BadInput, SandboxMissing
from promptkit.sandbox import CLAIMS, Limits, Ran, Rungs, available, run
from promptkit.sandbox.sent import Rung

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

NONE = Rungs(None, None, {"bubblewrap": "not installed", "landlock": "user namespace: Operation not permitted"}, "6.1")
LEAVES_A_TRACE = "open('was-run', 'w').close()"


def ran(program: str, workspace: Path, **more: Any) -> Ran:
    return asyncio.run(run(program, workspace=workspace, **{"limits": Limits(seconds=60), **more}))


def test_without_a_rung_nothing_is_run(tmp_path: Path) -> None:
    with pytest.raises(SandboxMissing) as refused:
        ran(LEAVES_A_TRACE, tmp_path, rungs=NONE)
    assert refused.value.message == (
        "there is no sandbox here: bubblewrap: not installed; landlock: user namespace: Operation not permitted"
    )
    assert refused.value.hint.splitlines()[0] == "apt install bubblewrap"
    assert "--unsafe-host" in refused.value.hint
    assert refused.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_host_must_be_asked_for_and_is_said(tmp_path: Path) -> None:
    done = ran(LEAVES_A_TRACE, tmp_path, rungs=NONE, unsafe_host=True)
    assert done.ok
    assert (tmp_path / "was-run").exists()
    assert (done.certificate.rung, done.certificate.layers, done.certificate.holds) == ("host", (), {})
    assert set(done.certificate.missing) == set(CLAIMS)
    assert str(done.certificate) == "not sandboxed: it ran on the host"


def test_the_host_has_limits_all_the_same(tmp_path: Path) -> None:
    code = "import subprocess, sys, time\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)\ntime.sleep(1000)"
    done = ran(code, tmp_path, unsafe_host=True, limits=Limits(seconds=1.5))
    assert done.ended == "timeout"


# What macOS gets, in a process that takes itself for one.
PLAIN = """
import asyncio, json, sys
from promptkit.sandbox import Limits, run
from promptkit.types import plain
sys.platform = "darwin"
workspace, program, seconds = sys.argv[1:]
limits = Limits(seconds=float(seconds), output_bytes=1000)
print(json.dumps(plain(asyncio.run(run(program, workspace=workspace, limits=limits, unsafe_host=True)))))
"""


@pytest.mark.parametrize(("program", "ended", "stdout"), [
    ("import os; print(6 * 7, os.listdir()); raise SystemExit(3)", "exit", "42 []\n"),
    ("import time; time.sleep(1000)", "timeout", ""),
    ("while True: print('x' * 99, flush=True)", "output", ("x" * 99 + "\n") * 10),
    ("import subprocess, sys; subprocess.Popen(['sleep', '1000']); print('begun')", "exit", "begun\n"),
])  # fmt: skip
def test_a_host_without_walls_limits_time_and_output(program: str, ended: str, stdout: str, tmp_path: Path) -> None:
    seconds = "1" if ended == "timeout" else "60"
    done = json.loads(said_by("whoever this is", PLAIN, str(tmp_path), program, seconds))
    assert (done["ended"], done["stdout"]) == (ended, stdout)
    assert done["status"] == (3 if "SystemExit" in program else 0 if ended == "exit" else 137)
    assert set(done["certificate"]["limits"]) == {"seconds", "output_bytes"}
    assert set(done["certificate"]["missing"]) == set(CLAIMS)


def whole_landlock() -> Rung:
    must_be_here("landlock")
    found = available().landlock
    assert found is not None
    return found


def without_namespaces() -> Rungs:
    if not (found := available()).landlock or not found.landlock.landlock:
        pytest.skip("no Landlock in this kernel")
    if not found.landlock.seccomp:
        pytest.skip("no seccomp filter for this kernel or processor")
    return replace(found, bubblewrap=None, landlock=replace(found.landlock, namespaces=False))


def test_what_holds_in_part_is_refused_and_says_which_part(tmp_path: Path) -> None:
    with pytest.raises(
        SandboxMissing, match=r"would not hold everything: own processes \(no namespaces here\)"
    ) as refused:
        ran(LEAVES_A_TRACE, tmp_path, rungs=without_namespaces())
    assert "strict=False" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_holds_in_part_holds_that_part(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (tmp_path / "secret").write_text("do not read")
    code = f"""
import errno, os, socket, subprocess
def attempt(work):
    try: work(); print("open")
    except OSError as error: print(errno.errorcode[error.errno])
attempt(lambda: open({str(tmp_path / "secret")!r}))
attempt(lambda: open("/etc/passwd"))
attempt(lambda: open({str(tmp_path / "new")!r}, "w"))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt(lambda: socket.socket(socket.AF_UNIX))
attempt(lambda: open("mine", "w").close())
subprocess.Popen(["sleep", "1000"], start_new_session=True)
"""
    done = ran(code, workspace, rungs=without_namespaces(), strict=False)
    assert done.stdout.split() == ["EACCES"] * 5 + ["open"], done.stderr
    assert list(done.certificate.missing) == ["own processes", "counted processes"]
    assert "does not hold: own processes (no namespaces here)" in str(done.certificate)


def test_no_filter_is_a_part_that_is_missing(tmp_path: Path) -> None:
    rungs = Rungs(None, replace(whole_landlock(), seccomp=False), {}, "")
    with pytest.raises(SandboxMissing, match="system calls filtered"):
        ran(LEAVES_A_TRACE, tmp_path, rungs=rungs)
    assert list(tmp_path.iterdir()) == []
    done = ran(LEAVES_A_TRACE, tmp_path, rungs=rungs, strict=False)
    assert list(done.certificate.missing) == ["system calls filtered"]


def test_a_rung_is_refused_where_a_first_program_came_through(tmp_path: Path) -> None:
    rungs = Rungs(None, replace(whole_landlock(), open=("no network",)), {}, "")
    with pytest.raises(SandboxMissing, match=r"no network \(a first program came through on this machine\)"):
        ran(LEAVES_A_TRACE, tmp_path, rungs=rungs)
    assert list(tmp_path.iterdir()) == []


def test_a_rung_is_refused_where_the_kernel_was_not_seen_to_count(tmp_path: Path) -> None:
    rungs = Rungs(None, replace(whole_landlock(), held=()), {}, "")
    with pytest.raises(SandboxMissing, match=r"counted processes \(the kernel was not seen to count them here\)"):
        ran(LEAVES_A_TRACE, tmp_path, rungs=rungs)
    done = ran(LEAVES_A_TRACE, tmp_path, rungs=rungs, strict=False)
    assert done.certificate.limits["processes"]["by"] == "watch"


def test_bubblewrap_that_fails_ends_it_before_it_begins(tmp_path: Path) -> None:
    rungs = Rungs(Rung("bubblewrap", bubblewrap="/bin/false"), None, {}, "")
    with pytest.raises(SandboxMissing, match="could not be built: bubblewrap"):
        ran(LEAVES_A_TRACE, tmp_path, rungs=rungs, strict=False)
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_cannot_be_built_ends_it_before_it_begins(tmp_path: Path) -> None:
    rungs = Rungs(None, whole_landlock(), {}, "")
    too_large_for_it = LEAVES_A_TRACE + " " * (17 << 20)
    with pytest.raises(SandboxMissing, match=r"could not be built: .*No space left"):
        ran(too_large_for_it, tmp_path, rungs=rungs)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("system", "name", "instead"), [
    ("darwin", "macOS", "on a Linux machine"), ("win32", "Windows", "wsl --install"),
])  # fmt: skip
def test_elsewhere_only_what_can_work_there_is_suggested(
    system: str, name: str, instead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    for found in (available(), NONE):
        with pytest.raises(SandboxMissing, match=f"needs Linux, and this is {name}") as refused:
            found.best()
        assert instead in refused.value.hint
        assert "--unsafe-host" in refused.value.hint
        assert "apt" not in refused.value.hint
        assert "container" not in refused.value.hint


@pytest.mark.parametrize("folder", ["/", "/usr", str(Path.home()), str(Path.home().parent)])
def test_a_workspace_is_a_folder_of_its_own(folder: str) -> None:
    with pytest.raises(BadInput, match="cannot be a workspace"):
        ran(LEAVES_A_TRACE, Path(folder), rungs=Rungs(Rung("bubblewrap"), None, {}, ""))


def test_a_workspace_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        ran(LEAVES_A_TRACE, tmp_path / "gone", rungs=Rungs(Rung("bubblewrap"), None, {}, ""))


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"memory": -1}, {"processes": float("inf")}, {"cpu_seconds": "9"}])
def test_a_limit_is_a_number_above_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="sandbox limit"):
        Limits(**wrong)


def test_text_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no text"):
        ran("print('\ud800')", tmp_path, unsafe_host=True)
