"""llama.cpp's own OpenAI-compatible server in a process of its own, and a relay that keeps what was sent to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket
from typing import Any

SERVER = """
import os, sys, xllamacpp
path, key, slots, context = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path, params.api_prefix = path, "/openai"
params.n_parallel, params.n_ctx, params.kv_unified, params.verbosity = int(slots), int(slots) * int(context), False, -1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.endpoint_slots = params.endpoint_metrics = True
params.ui, params.cache_ram_mib = False, 0
params.api_keys = [key] if key else []
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # until whoever started it closes the pipe, or dies
os._exit(0)
"""


@contextmanager
def llama_http(model: Path, *, key: str = "", slots: int = 4, context: int = 1024) -> Iterator[str]:
    """The server's address; `/openai/v1` is below it, as with Groq. It takes any model's name."""
    command = [sys.executable, "-c", SERVER, str(model), key, str(slots), str(context)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


def busy(address: str) -> int:
    """How many slots of the server at that address are generating."""
    with urllib.request.urlopen(f"{address}/openai/slots", timeout=60) as reply:
        return sum(slot["is_processing"] for slot in json.load(reply))


def generated(address: str) -> int:
    """The tokens the server has written since it was started, by its own count."""
    with urllib.request.urlopen(f"{address}/openai/metrics", timeout=30) as reply:
        found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", reply.read().decode(), re.MULTILINE)
    assert found
    return int(found[1])


@dataclass
class Relay:
    """Passes bytes on unchanged, and keeps those of the client."""

    target: str
    address: str = ""
    sent: list[bytearray] = field(default_factory=list)  # of each connection

    @property
    def bodies(self) -> list[Any]:
        """The JSON of every chat that was asked for, in order on each connection."""
        return [body for raw in self.sent for body in _bodies(bytes(raw))]


@contextmanager
def relay(target: str) -> Iterator[Relay]:
    """A relay in front of a server."""
    state = Relay(target)
    host, _, port = target.removeprefix("http://").partition(":")
    with create_server(("127.0.0.1", 0)) as listening:
        state.address = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def serve() -> None:
            with suppress(OSError):  # closed below
                while True:
                    client, _ = listening.accept()
                    state.sent.append(bytearray())
                    words = (client, create_connection((host, int(port))), state.sent[-1])
                    pairs.append(threading.Thread(target=_connect, args=words, daemon=True))
                    pairs[-1].start()

        pairs: list[threading.Thread] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield state
        listening.shutdown(SHUT_RDWR)
        thread.join(10)
    for each in pairs:
        each.join(10)


def _connect(client: socket, server: socket, kept: bytearray) -> None:
    """Pass on in both directions until either side has gone."""
    with client, server:
        back = threading.Thread(target=_pass_on, args=(server, client, bytearray()), daemon=True)
        back.start()
        _pass_on(client, server, kept)
        back.join()


def _pass_on(source: socket, target: socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(SHUT_RDWR)


def _bodies(raw: bytes) -> Sequence[Any]:
    found = []
    while (end := raw.find(b"\r\n\r\n")) >= 0:
        head = raw[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n")[0]) if at >= 0 else 0
        body, raw = raw[end + 4 : end + 4 + length], raw[end + 4 + length :]
        if body:
            found.append(json.loads(body))
    return found
