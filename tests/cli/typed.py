"""A terminal that somebody types into, and a server whose reply does not end before it is stopped."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

from spoken import PROGRAM, environment
from wire_server import served


class Terminal:
    """A command with all its streams on a terminal; what it shows is read as it comes."""

    def __init__(self, home: Path, *words: str, columns: int = 80, **env: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = environment(home, COLUMNS=str(columns), **env)
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [*PROGRAM, *words], cwd=home, env=env, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.shown = ""
        self._read = 0  # how much of it was waited for

    def until(self, text: str, seconds: float = 30) -> str:
        """Wait until it shows the text, after what was waited for before; returns everything up to it."""
        deadline = time.monotonic() + seconds
        while (at := self.shown.find(text, self._read)) < 0:
            if time.monotonic() > deadline or not self._more(0.1):
                raise AssertionError(f"{text!r} was not shown: {self.shown[self._read :]!r}")
        began, self._read = self._read, at + len(text)
        return self.shown[began : self._read]

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._ours, f"{line}\n".encode())

    def keys(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def interrupt(self, text: str) -> str:
        """Press Ctrl-C until it shows the text: one that comes between two keys of readline waits for the next key."""
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            with suppress(AssertionError):
                return self.until(text, 1)
        return self.until(text)

    def end(self) -> int:
        """The exit code, once it has left."""
        while self._more(0.2):
            pass
        os.close(self._ours)
        return self.process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _more(self, seconds: float) -> bool:
        if select.select([self._ours], [], [], seconds)[0]:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # the other side has closed
                return False
            self.shown += re.sub(r"\x1b\[\?2004[hl]\r?", "", piece.decode("utf-8", "replace")).replace("\r\n", "\n")
            return bool(piece)
        return True


class Endless:
    """Where the server is, what it was asked, and how many of its replies were stopped."""

    address: str

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.stopped = threading.Event()


@contextmanager
def endless() -> Iterator[Endless]:
    """A server of OpenAI's format: replies whole to all questions but "endless", to which it writes on and on."""
    state = Endless()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.asked.append(body)
            said = body["messages"][-1]["content"]
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            try:
                self.piece("Well, ")
                while said == "endless":
                    self.piece("and ")
                    time.sleep(0.02)
                self.piece(f"{len(body['messages'])} turns.")
                self.chunk({"delta": {}, "finish_reason": "stop"}, {"prompt_tokens": 9, "completion_tokens": 3})
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:  # the client has gone: nothing more is generated
                state.stopped.set()

        def piece(self, text: str) -> None:
            self.chunk({"delta": {"content": text}, "finish_reason": None}, None)

        def chunk(self, choice: dict[str, Any], usage: dict[str, int] | None) -> None:
            body = {"object": "chat.completion.chunk", "choices": [{"index": 0, **choice}], "usage": usage}
            self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as address:
        state.address = f"{address}/v1"
        yield state
