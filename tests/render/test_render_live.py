"""The display on real and on poor terminals."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from render_scenes import START, sc, shot, tot, tot_ended
from rich.console import Console

from promptkit.events import Record, Retrying, Warned
from promptkit.render import stream, tree, votes
from promptkit.render.live import LiveDisplay, can_redraw, open_display, view_of
from promptkit.render.plain import PlainDisplay
from promptkit.render.state import RunState
from promptkit.types import Usage

HERE = Path(__file__).parent

CHILD = """
    import dataclasses, sys, time
    from rich.console import Console
    from promptkit.render.live import open_display
    from render_scenes import {scene} as scene
    with open_display(Console(stderr=True), "tot") as display:
        for record in scene():
            display(dataclasses.replace(record, at=time.time()))
        print("READY", file=sys.stderr)
        time.sleep({sleep})
    print("ANSWER")
"""


@pytest.fixture(autouse=True)
def _interactive(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "XTERM_VERSION",
        "CI",
        "NO_COLOR",
        "TERM",
        "COLUMNS",
        "LINES",
        "FORCE_COLOR",
        "TTY_COMPATIBLE",
        "TTY_INTERACTIVE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def terminal(width: int = 80, height: int = 24, **more: Any) -> Console:
    return Console(file=io.StringIO(), width=width, height=height, force_terminal=True, **more)


def written(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_where_nobody_looks(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert can_redraw(terminal())
    monkeypatch.setenv(name, value)
    console = terminal()
    assert not can_redraw(console)
    with open_display(console, "tot") as display:
        for record in tot():
            display(record)
    assert "level 1 of 3: kept 3 of 5\n" in written(console)
    assert "\x1b" not in written(console)


def test_plain_when_piped_or_asked_for() -> None:
    piped = Console(file=io.StringIO())
    assert not can_redraw(piped)
    with open_display(terminal(), "tot", plain=True) as display:
        assert isinstance(display, PlainDisplay)


def test_quiet_leaves_the_warnings() -> None:
    console = terminal()
    with open_display(console, "tot", quiet=True) as display:
        for record in tot_ended():
            display(record)
    assert written(console) == "warning: ollama context is 4096 tokens\n  promptkit run … -o num_ctx=8192\n"


def test_a_closed_stream_does_not_stop_the_run() -> None:
    console = Console(file=io.StringIO())
    console.file.close()
    display = PlainDisplay(console)
    for record in tot():
        display(record)
    assert display.state.snapshot().thoughts == 16


def test_refusals_at_once_are_one_line() -> None:
    console = Console(file=io.StringIO())
    display = PlainDisplay(console)
    for seq in range(20):
        display(Record(seq, START + seq / 10, "sc/samples-0/1", Usage(), Retrying(1, 4.0, "429 slow\ndown")))
    assert written(console) == "0:00  retry 1 in 4 s: 429 slow down\n"


def test_a_long_silence_is_broken() -> None:
    console = Console(file=io.StringIO())
    display = PlainDisplay(console)
    for record in sc()[:20]:
        display(record)
    late = Record(99, START + 45.1, "sc", Usage(), sc()[20].event)
    display(late)
    assert written(console).splitlines()[-1] == "0:45  0 samples, 9 waiting, 0 tokens"


def test_an_unknown_strategy_shows_what_it_does() -> None:
    assert view_of("beam", shot(tot())) is tree
    assert view_of("borda", shot(sc())) is votes
    assert view_of("persona", RunState().snapshot()) is stream


def test_the_cursor_comes_back_after_an_error() -> None:
    console = terminal()

    def interrupted() -> None:
        with open_display(console, "tot") as display:
            for record in tot():
                display(record)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    text = written(console)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert "ollama context is 4096 tokens" in text[text.rindex("\x1b[?25h") :]


def test_redrawn_by_the_clock_not_by_events() -> None:
    console = terminal()
    with open_display(console, "tot") as display:
        for _ in range(300):
            for record in tot()[:5]:
                display(record)
    assert written(console).count("4 9 10 13") < 30


def test_a_narrower_terminal_takes_back_the_wrapped_rows() -> None:
    console = terminal(80)
    display = LiveDisplay(console, "tot", lambda: START)
    for record in tot():
        display(record)
    console.print(display.frame())
    before = len(written(console))
    console.size = console.size._replace(width=40)
    display.frame()
    # Sixteen rows are wider than 40 cells: as many are erased upwards.
    assert written(console)[before:].count("\x1b[1A") == sum(
        len(line.rstrip()) > 40 for line in re.sub(r"\x1b\[[\d;]*m", "", written(console)[:before]).splitlines()
    )


def test_only_warnings_before_the_run_began() -> None:
    console = terminal()
    with open_display(console, "sc") as display:
        display(Record(0, START, "", Usage(), Warned("[b]odd[/b]", "type this")))
    assert "! [b]odd[/b]" in written(console)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("interrupted", [False, True])
def test_in_a_real_terminal(interrupted: bool) -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 40, 0, 0))
    code = textwrap.dedent(CHILD.format(scene="tot" if interrupted else "tot_ended", sleep=90 if interrupted else 0.3))
    path = os.pathsep.join([str(HERE), str(HERE.parent.parent)])
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    )
    os.close(theirs)
    raw, deadline, again = b"", time.monotonic() + 80, 0.0
    try:
        while time.monotonic() < deadline:
            # Python drops a Ctrl-C that comes while a finalizer runs: as a person would, it is pressed again.
            if interrupted and b"level 3/3" in raw and time.monotonic() > again:
                child.send_signal(signal.SIGINT)
                again = time.monotonic() + 10
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break  # Linux says so when the other side is closed
            if not piece:
                break
            raw += piece
        child.wait(10)
    finally:
        os.close(ours)
        child.kill()
        child.wait()
    text = raw.decode()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    after = re.sub(r"\x1b\[[\d;]*m", "", text[text.rindex("\x1b[?25h") :])
    assert ("ANSWER" in after) is not interrupted
    assert ("★ 4 * 6 = 24" in after) is not interrupted
    # No frame is taller than the terminal: Live never climbs more rows than there are.
    climbs = [len(re.findall(r"\x1b\[1A", climb)) for climb in re.findall(r"(?:\r?\x1b\[2K|\x1b\[1A)+", text)]
    assert max(climbs) < 12
