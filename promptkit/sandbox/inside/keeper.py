"""The keeper: starts a program, watches it, ends it with all that it started, and says what became of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

from promptkit.sandbox.inside import bare, bubblewrap, lowered, namespaces, rlimits
from promptkit.sandbox.inside.kernel import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, SetupFailed, prctl
from promptkit.sandbox.inside.started import Started
from promptkit.sandbox.inside.watch import TICK, Watch, descendants

STARTS: dict[str, Callable[[dict[str, Any]], Started]] = {
    "bubblewrap": bubblewrap.start,
    "landlock": namespaces.start,
    "host": bare.start,
}
HEARD = {signal.SIGCHLD, signal.SIGTERM}


def main(spec_fd: int, report_fd: int) -> None:
    """Do what the spec says; one JSON object is the report."""
    with open(spec_fd, encoding="utf-8") as file:
        spec = json.load(file)
    os.set_inheritable(report_fd, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)  # heard when this process listens, not in the middle of work
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans come here, and not to the host's init
    if os.getppid() != spec["parent"]:
        return
    try:
        report = kept(spec)
    except Exception as error:
        sweep()
        report = {"failed": str(error) or type(error).__name__}
    os.write(report_fd, json.dumps(report).encode())


def kept(spec: dict[str, Any]) -> dict[str, Any]:
    """How the program ended: `status`, `ended` (exit, or what it was cut for), seconds, processor time, memory."""
    with contextlib.suppress(OSError):  # if memory runs out, let it be the sandbox's that is taken back
        _write("/proc/self/oom_score_adj", "500")
    if spec["namespaces"] and lowered.needed():
        lowered.lower(spec)
    spec["others"] = rlimits.others(namespaces=spec["namespaces"])
    run = STARTS[spec["rung"] if spec["namespaces"] else "host"](spec)
    begun = time.monotonic()  # the walls stand: from here on it is the program's time
    watch = Watch(spec["limits"], spec["view"]["workspace"][0], run.infrastructure)
    empty = os.open("/dev/null", os.O_RDWR)
    for fd in (1, 2):  # the readers see the end of the output when the program is gone
        os.dup2(empty, fd)
    ended, code = _listen(run, watch, begun + spec["limits"]["seconds"])
    sweep()
    if not spec["namespaces"]:
        bare.tidy(spec)
    status = run.status(code)
    if status is None and ended == "exit":
        raise SetupFailed("bubblewrap could not build it")
    if ended == "exit" and status == 128 + signal.SIGXCPU:
        ended = "cpu"
    seconds = time.monotonic() - begun
    return {
        "status": status or 0 if ended == "exit" else 128 + signal.SIGKILL,
        "ended": ended,
        "seconds": seconds,
        "cpu_seconds": watch.cpu,
        "peak_bytes": watch.peak,
    }


def _listen(run: Started, watch: Watch, deadline: float) -> tuple[str, int]:
    while True:
        heard = signal.sigtimedwait(HEARD, max(0.0, min(TICK, deadline - time.monotonic())))
        for pid, status in _ended():
            if pid == run.pid:
                return "exit", _as_shells_say(status)
        ended = "stopped" if heard is not None and heard.si_signo == signal.SIGTERM else watch.exceeded()
        if ended is None and time.monotonic() >= deadline:
            ended = "timeout"
        if ended is not None:
            for doomed in (run.first, run.pid):
                if doomed:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(doomed, signal.SIGKILL)
            return ended, _as_shells_say(os.waitpid(run.pid, 0)[1])


def sweep() -> None:
    """End and bury every process that is left below this one: what one gives birth to meanwhile comes here too."""
    while True:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for _ in _ended():
            pass
        if not any(descendants(os.getpid())):
            return
        signal.sigtimedwait({signal.SIGCHLD}, TICK)


def _ended() -> Iterator[tuple[int, int]]:
    """Children that have ended, buried."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _as_shells_say(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
