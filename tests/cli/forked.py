"""`python -m promptkit` forked from a process that has imported it: importing takes longer than most commands do.

Each command still is a process of its own, with streams, a folder and an environment of its own, and ends as one does.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

POSSIBLE = hasattr(os, "fork") and hasattr(socket, "send_fds")
_LOCK = threading.Lock()
_started: list[subprocess.Popen[bytes]] = []
_SERVER = """
import gc, importlib, json, os, pkgutil, socket, sys
if os.fork():
    os._exit(0)  # nobody's child: a test may ask whether any of its own are left
import promptkit
from promptkit.cli import main
for part in ("cli", "journal", "render", "runtime", "strategies"):
    package = importlib.import_module(f"promptkit.{part}")
    for found in pkgutil.walk_packages(package.__path__, f"promptkit.{part}."):
        importlib.import_module(found.name)
asked = socket.socket(fileno=int(sys.argv[1]))
gc.freeze()
while True:
    size, streams, _, _ = socket.recv_fds(asked, 8, 3)
    if not size:
        os._exit(0)
    told = b""
    while len(told) < int(size):
        told += asked.recv(int(size) - len(told))
    child = os.fork()
    if not child:
        break
    for stream in streams:
        os.close(stream)
    asked.sendall(b"%8d" % child)
    asked.sendall(b"%8d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asked.close()
for wanted, stream in enumerate(streams):
    os.dup2(stream, wanted)
    os.close(stream)
words, folder, env = json.loads(told)
os.chdir(folder)
os.environ.clear()
os.environ.update(env)
sys.argv = [os.path.join(os.path.dirname(promptkit.__file__), "__main__.py"), *words]
main()
"""


@cache
def _server() -> socket.socket:
    """Where commands are handed in; the process behind it ends when this end of the socket closes."""
    ours, theirs = socket.socketpair()
    pipe = subprocess.PIPE  # what a command's streams are as well
    env = {name: value for name, value in os.environ.items() if not name.startswith("PROMPTKIT_")} | {"PYTHONUTF8": "1"}
    with theirs:
        code = [sys.executable, "-c", _SERVER, str(theirs.fileno())]
        process = subprocess.Popen(code, env=env, pass_fds=[theirs.fileno()], stdin=pipe, stdout=pipe, stderr=pipe)
    process.wait()
    _started.append(process)  # its pipes stay open
    return ours


def forked(
    words: Sequence[str], folder: Path, env: Mapping[str, str], stdin: bytes, timeout: float
) -> tuple[int, bytes, bytes]:
    """How a command ended (minus the signal that killed it) and what it wrote; TimeoutError after so many seconds."""
    told = json.dumps([list(words), str(folder), dict(env)]).encode()
    pipes = [os.pipe() for _ in range(3)]
    theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
    wrote: list[bytes] = [b"", b""]

    def read(at: int) -> None:
        with os.fdopen(pipes[at + 1][0], "rb") as stream:
            wrote[at] = stream.read()

    def write() -> None:
        with suppress(BrokenPipeError), os.fdopen(pipes[0][1], "wb") as stream:
            stream.write(stdin)

    threads = [threading.Thread(target=read, args=(at,), daemon=True) for at in (0, 1)]
    threads.append(threading.Thread(target=write, daemon=True))
    with _LOCK:
        server = _server()
        try:
            server.settimeout(None)  # it may still be importing
            socket.send_fds(server, [b"%8d" % len(told)], theirs)
            for stream in theirs:
                os.close(stream)
            server.sendall(told)
            for thread in threads:
                thread.start()
            child = int(_exactly(server, 8))
            server.settimeout(timeout)
            try:
                code = int(_exactly(server, 8))
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                raise
        except BaseException:  # what it says next would be taken for the answer to another command
            server.close()
            _server.cache_clear()
            raise
    for thread in threads:
        thread.join()
    return code, wrote[0], wrote[1]


def _exactly(stream: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        if not (piece := stream.recv(size - len(read))):
            assert _started[-1].stderr
            raise RuntimeError(f"the process that has imported promptkit ended: {_started[-1].stderr.read().decode()}")
        read += piece
    return read
