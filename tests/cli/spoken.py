"""promptkit as a process: what it says on stdout and stderr, on pipes and on a terminal, and how it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from forked import POSSIBLE, forked

from promptkit.journal import Journal, RunRow

DATA = Path(__file__).parent / "data"
OFFERS = f"scripted:{DATA / 'offers.yaml'}"
QUESTION = "Which of three job offers should I take?"
PROGRAM = [sys.executable, "-m", "promptkit"]


@dataclass(frozen=True, slots=True)
class Said:
    """How a process ended and what it wrote."""

    code: int
    out: str
    err: str


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of the user's or the runner's is in force."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMPDIR", "LANG") if name in os.environ}
    ours = {"HOME": str(home), "PROMPTKIT_HOME": str(home), "PROMPTKIT_JOURNAL": str(home / "journal.db")}
    return {**kept, **ours, "PYTHONUTF8": "1", "TERM": "xterm-256color", **more}


def command(home: Path, *words: str, stdin: str = "", **env: str) -> Said:
    """A command with its streams on pipes."""
    env = environment(home, **env)
    if POSSIBLE and [name for name in env if name.startswith("PYTHON")] == ["PYTHONUTF8"] and env["PYTHONUTF8"] == "1":
        code, *texts = forked(words, home, env, stdin.encode(), 60)
    else:  # what Python itself is told before it starts
        done = subprocess.run(
            [*PROGRAM, *words], cwd=home, env=env, input=stdin.encode(), capture_output=True, timeout=60
        )
        code, texts = done.returncode, [done.stdout, done.stderr]
    return Said(code, *(text.decode("utf-8", "replace") for text in texts))


def begin(home: Path, *words: str, **env: str) -> subprocess.Popen[bytes]:
    """A command that is on its way; its stdin is a pipe that stays open."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*PROGRAM, *words], cwd=home, env=environment(home, **env), stdin=pipe, stdout=pipe, stderr=pipe
    )


def end(process: subprocess.Popen[bytes], *signals: signal.Signals) -> Said:
    """Send the signals one after the other and wait for the end, while stdin stays open."""
    for each in signals:
        process.send_signal(each)
        time.sleep(0.05)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    code = process.wait(20)
    said = Said(code, process.stdout.read().decode(), process.stderr.read().decode())
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return said


def until(home: Path, calls: int, seconds: float = 20) -> None:
    """Wait until the newest run has so many completions in the journal."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (path := home / "journal.db").exists():
            with contextlib.suppress(Exception), contextlib.closing(Journal.open(path)) as journal:
                if (rows := journal.runs(1)) and len(journal.calls(rows[0].id)) >= calls:
                    return
        time.sleep(0.02)
    raise TimeoutError(f"not {calls} calls in {seconds} s")


def on_terminal(
    home: Path, *words: str, columns: int = 80, rows: int = 24, typed: str = "", all_on_it: bool = False, **env: str
) -> Said:
    """A command whose stdin and stderr are a terminal, and whose stdout is a pipe, or that terminal, too."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *words],
        cwd=home,
        env=environment(home, **env),
        stdin=theirs,
        stdout=theirs if all_on_it else subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side has closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    answer = ""
    if process.stdout:
        with process.stdout as stdout:
            answer = stdout.read().decode()
    return Said(process.wait(20), answer, shown.decode("utf-8", "replace"))


def recorded(home: Path) -> list[RunRow]:
    """The runs in the journal, newest first; none where there is no journal."""
    path = home / "journal.db"
    if not path.exists():
        return []
    with contextlib.closing(Journal.open(path)) as journal:
        return journal.runs()


def is_error(said: Said, code: int) -> list[str]:
    """The hints of a well-made error: one line `error: …`, hints indented under it, nothing on stdout."""
    assert said.code == code, said
    assert said.out == ""
    assert "Traceback" not in said.err
    lines = said.err.splitlines()
    at = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    assert len(at) == 1, said.err
    hints = lines[at[0] + 1 :]
    assert hints, said.err
    assert all(line.startswith("  ") and line.strip() for line in hints), said.err
    return [line.strip() for line in hints]
