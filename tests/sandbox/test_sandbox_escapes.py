"""Thirteen probes and more: what an unfriendly program tries fails on both rungs; on the host it works."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from behind import SOMEBODY, as_both, must_be_here, on_both_rungs, said_by

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

PROGRAM = Path(__file__).with_name("escapes.py").read_text("utf-8")
ATTEMPTS = re.findall(r"^@attempt\ndef (\w+)", PROGRAM, re.MULTILINE)
# Told the rung, the workspace and what to aim at, it says all that came of the run.
CALLER = """
import asyncio, json, sys
from promptkit.sandbox import Limits, run
from promptkit.types import plain
rung, workspace, targets, program = sys.argv[1:]
limits = Limits(seconds=60, memory=4 << 30 if rung == "host" else 512 << 20)
how = {"unsafe_host": True} if rung == "host" else {"rung": rung}
done = asyncio.run(run(program, workspace=workspace, limits=limits, env={"TARGETS": targets}, **how))
print(json.dumps({"ok": done.ok, **plain(done)}))
"""
# What succeeds on the host, so that its failure elsewhere says something. It looks, reaches out and writes one file of
# the test's own; nothing that changes a machine belongs in this list.
OPEN_ON_THE_HOST = """
allocates_a_gigabyte connects_by_tcp connects_to_a_named_socket connects_to_an_abstract_socket
follows_a_link_out follows_a_link_that_was_there goes_up_from_the_workspace leaves_by_a_folder_that_it_holds
links_a_file_of_the_host_in writes_through_a_link_out leaves_by_another_processs_root
reads_a_file_of_the_host reads_another_processs_variables reads_the_users_of_the_host
sends_by_udp signals_a_process_of_the_host writes_beside_the_workspace
""".split()


class Host:
    """Things on this machine that a program must not reach, and a workspace beside them."""

    def __init__(self, who: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sandbox-escapes-"))
        self.workspace = self.folder / "workspace"
        self.workspace.mkdir()
        secret = self.folder / "secret.txt"
        secret.write_text("do not read")
        (self.workspace / "way-out").symlink_to(secret)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.abstract, self.named = (socket.socket(socket.AF_UNIX) for _ in range(2))
        name = uuid.uuid4().hex
        self.abstract.bind(f"\0{name}")
        self.named.bind(str(self.folder / "s"))
        for each in (self.abstract, self.named):
            each.listen()
        owner = SOMEBODY if who == "an ordinary user" and os.getuid() == 0 else os.getuid()
        for path in (self.folder, self.workspace, secret, self.folder / "s"):
            os.chown(path, owner, -1)
        self.victim = subprocess.Popen(["sleep", "600"], env={"A_SECRET": "of another process"})
        self.targets = {
            "secret": str(secret),
            "outside": str(self.folder / "outside.txt"),
            "tcp": self.tcp.getsockname()[1],
            "address": "127.0.0.1",
            "udp": self.udp.getsockname()[1],
            "abstract": name,
            "named": str(self.folder / "s"),
            "victim": self.victim.pid,
        }

    def heard(self) -> bytes:
        """What came by UDP."""
        try:
            return self.udp.recv(100)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for each in (self.tcp, self.udp, self.abstract, self.named):
            each.close()
        shutil.rmtree(self.folder)


_TRIED: dict[tuple[str, str], dict[str, Any]] = {}  # tried once, and every test reads one line of what came of it


@pytest.fixture
def tried(rung: str, who: str) -> dict[str, Any]:
    if rung != "host":
        must_be_here(rung)
    if (rung, who) not in _TRIED:
        _TRIED[rung, who] = _try(rung, who)
    return _TRIED[rung, who]


def _try(rung: str, who: str) -> dict[str, Any]:
    host = Host(who)
    held = os.open(host.folder, os.O_RDONLY)
    os.set_inheritable(held, True)  # a careless program of the host's
    only = OPEN_ON_THE_HOST if rung == "host" else []
    targets = json.dumps({**host.targets, "only": only})
    try:
        done = json.loads(said_by(who, CALLER, rung, str(host.workspace), targets, PROGRAM, held=held))
        assert done["ok"], done["stderr"]
        found: dict[str, Any] = json.loads(done["stdout"])
        found["certificate"] = done["certificate"]
        found["heard"] = host.heard()
        found["alive"] = host.victim.poll() is None
        return found
    finally:
        os.close(held)
        host.close()


@as_both
@on_both_rungs
@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_is_open(tried: dict[str, Any], name: str) -> None:
    assert tried[name] != "open"


# What each claim of the certificate rests on: that these attempts, which it is said to stop, were made and stopped.
EVIDENCE = {
    "read-only system": """writes_beside_the_workspace writes_through_a_link_out writes_into_the_system
        opens_for_writing_what_it_may_read changes_the_kernels_settings mounts reads_a_disk""",
    "files unseen": """reads_the_users_of_the_host reads_a_file_of_the_host follows_a_link_out
        follows_a_link_that_was_there links_a_file_of_the_host_in goes_up_from_the_workspace
        leaves_by_another_processs_root leaves_by_a_folder_that_it_holds finds_an_open_file_of_its_parents""",
    "no network": "connects_by_tcp sends_by_udp asks_a_name_server reaches_the_machine_around_it",
    "no host sockets": "connects_to_an_abstract_socket connects_to_a_named_socket",
    "own processes": "signals_a_process_of_the_host reads_another_processs_variables",
    "system calls filtered": "makes_a_user_namespace traces_its_parent becomes_root",
}


@as_both
@on_both_rungs
def test_the_certificate_says_no_more_than_was_held(tried: dict[str, Any]) -> None:
    said = tried["certificate"]
    assert said["missing"] == {}
    assert set(EVIDENCE) < set(said["holds"])
    for claim, attempts in EVIDENCE.items():
        assert {tried[name] for name in attempts.split()} & {"open"} == set(), claim
    tested_at_the_start = set(said["holds"]) - {"ends whole"}
    assert set(said["tried"]) == tested_at_the_start


@as_both
@on_both_rungs
def test_what_was_sent_did_not_arrive(tried: dict[str, Any]) -> None:
    assert tried["heard"] == b""
    assert tried["alive"]


@as_both
@on_both_rungs
def test_it_begins_with_nothing(tried: dict[str, Any]) -> None:
    about = tried["about"]
    assert set(about["variables"]) == {"HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "TARGETS", "TMPDIR"} | (
        {"PWD"} & set(about["variables"])
    )
    assert about["stdin"] == ""
    assert about["fds"] == [0, 1, 2, 3]  # the fourth is the listing itself
    assert about["session"] > 0  # a session that began outside has no number in here
    assert about["blocked"] == []


@as_both
@on_both_rungs
def test_it_sees_the_system_and_itself(tried: dict[str, Any]) -> None:
    about = tried["about"]
    assert {"home", "var", "srv", "run", "opt", "mnt", "sys", "boot"} & set(about["root"]) <= {"opt", "home"}
    assert max(about["pids"]) < 10
    assert about["child"] == "born"


@pytest.mark.parametrize("who", ["whoever this is"])
@pytest.mark.parametrize("rung", ["host"])
@pytest.mark.parametrize("name", OPEN_ON_THE_HOST)
def test_the_attempts_are_real(tried: dict[str, Any], name: str) -> None:
    assert tried[name] == "open"
