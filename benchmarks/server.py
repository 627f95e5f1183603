"""A server for measurements: it answers at once, or with the faults it was told to have, and counts everything.

python -m benchmarks.server [--faults 429:0.1,500:0.05,reset:0.02,stall:0.01,cut:0.005,garbled:0.005] [--retry-after 1]

It speaks OpenAI's chat format (Groq's is the same) and Ollama's, streamed and not. A prompt that holds `id:7` is
answered with `id:7`. A fault depends on the seed, the id and how often that id was asked alone, so every client meets
the same ones. GET /stats tells what was asked, answered and broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import socket
import struct
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ID = re.compile(rb"id:(\d+)")
INPUT, OUTPUT = 11, 8  # tokens of every prompt and every reply
PIECES = OUTPUT  # a streamed reply comes in so many
NAMED = ("429", "500", "reset", "stall", "cut", "garbled")


@dataclass(slots=True)
class Counts:
    """What happened; `delivered` are the ids whose whole reply was written, as often as it was."""

    seed: int
    faults: Mapping[str, float]
    retry_after: str = "1"
    retry_after_ms: str = ""
    requests: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    asked: Counter[int] = field(default_factory=Counter)
    delivered: Counter[int] = field(default_factory=Counter)
    stalled: set[asyncio.BaseTransport] = field(default_factory=set)

    def fault(self, id: int) -> str:
        """Which fault this attempt meets; "" for none."""
        self.asked[id] += 1
        if not self.faults:
            return ""
        drawn = random.Random(f"{self.seed}/{id}/{self.asked[id]}").random()
        for name, rate in self.faults.items():
            if drawn < rate:
                self.broken[name] += 1
                return name
            drawn -= rate
        return ""

    def told(self) -> bytes:
        """Everything as JSON."""
        twice = sum(times - 1 for times in self.delivered.values())
        return json.dumps(
            {
                "requests": self.requests,
                "broken": self.broken,
                "answered": len(self.delivered),
                "answered_twice": twice,
                "most_attempts": max(self.asked.values(), default=0),
                "delivered": sorted(self.delivered),
            }
        ).encode()


class Connection(asyncio.Protocol):
    """One client's connection, kept alive."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/stats":
            self._whole(200, self._counts.told())
        elif path.endswith(b"/chat/completions"):
            self._chat(body, ollama=False)
        elif path == b"/api/chat":
            self._chat(body, ollama=True)
        else:
            self._whole(200, json.dumps(ABOUT.get(path.decode(), {})).encode())

    def _chat(self, body: bytes, *, ollama: bool) -> None:
        counts = self._counts
        counts.requests += 1
        asked = json.loads(body)
        found = ID.search(body)
        id = int(found[1]) if found else 0
        streamed = asked.get("stream", ollama)
        fault = counts.fault(id)
        if fault in ("429", "500"):
            headers = f"retry-after: {counts.retry_after}\r\n" if fault == "429" and counts.retry_after else ""
            if headers and counts.retry_after_ms:
                headers += f"retry-after-ms: {counts.retry_after_ms}\r\n"
            said = "slow down" if fault == "429" else "the server failed"
            error = {"error": said if ollama else {"message": said, "type": "server_error"}}
            return self._whole(int(fault), json.dumps(error).encode(), headers)
        if fault == "stall":
            counts.stalled.add(self._transport)  # the client's patience ends it
            return None
        if fault == "reset":
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
            return None
        kind, lines = (NDJSON, ollama_lines(id)) if ollama else (SSE, openai_lines(id))
        if not streamed:
            lines, kind = [ollama_whole(id) if ollama else openai_whole(id)], b"application/json"
        if fault == "garbled":
            lines[len(lines) // 2] = b'data: {"choices": [{"ind\n\n' if kind == SSE else b'{"message": {"rol\n'
        text = b"".join(lines)
        if fault == "cut":
            head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (kind, len(text))
            self._transport.write(head + text[: len(text) // 2])
            self._transport.close()
            return None
        if fault != "garbled":
            counts.delivered[id] += 1
        if not streamed:
            return self._whole(200, text)
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % kind
        self._transport.write(head + chunks + b"0\r\n\r\n")
        return None

    def _whole(self, status: int, body: bytes, headers: str = "") -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        self._transport.write(head.encode() + body)


SSE, NDJSON = b"text/event-stream", b"application/x-ndjson"
MODEL = {"name": "m", "model": "m", "digest": "0" * 64, "size": 1, "modified_at": "2026-01-01T00:00:00Z"}
ABOUT: dict[str, Any] = {  # what an Ollama tells of its models
    "/api/version": {"version": "0.12.0"},
    "/api/tags": {"models": [MODEL, {**MODEL, "name": "m:latest", "model": "m:latest"}]},
    "/api/ps": {"models": [{**MODEL, "name": "m:latest", "model": "m:latest", "context_length": 4096}]},
    "/api/show": {
        "details": {"family": "llama"},
        "model_info": {"general.architecture": "llama", "llama.context_length": 4096},
        "capabilities": ["completion"],
    },
}
USAGE = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
COUNTED = {"done": True, "done_reason": "stop", "prompt_eval_count": INPUT, "eval_count": OUTPUT, "total_duration": 1}


def pieces(id: int) -> list[str]:
    """A reply of eight tokens."""
    return ["OK", ",", " here", " it", " is", ":", " ", f"id:{id}"]


def openai_lines(id: int) -> list[bytes]:
    """A streamed reply in OpenAI's form."""
    about = {"id": f"c{id}", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def line(choices: list[Any], **more: Any) -> bytes:
        return b"data: " + json.dumps({**about, "choices": choices, **more}).encode() + b"\n\n"

    said = [line([{"index": 0, "delta": {"content": piece}, "finish_reason": None}]) for piece in pieces(id)]
    end = line([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    return [*said, end, line([], usage=USAGE), b"data: [DONE]\n\n"]


def openai_whole(id: int) -> bytes:
    """The same in one piece."""
    message = {"role": "assistant", "content": "".join(pieces(id))}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    about = {"id": f"c{id}", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**about, "choices": [choice], "usage": USAGE}).encode()


def ollama_lines(id: int) -> list[bytes]:
    """A streamed reply in Ollama's form."""
    about = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False}
    said = [{**about, "message": {"role": "assistant", "content": piece}} for piece in pieces(id)]
    end = {**about, "message": {"role": "assistant", "content": ""}, **COUNTED}
    return [json.dumps(line).encode() + b"\n" for line in (*said, end)]


def ollama_whole(id: int) -> bytes:
    """The same in one piece."""
    message = {"role": "assistant", "content": "".join(pieces(id))}
    return json.dumps({"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, **COUNTED}).encode()


@contextmanager
def serving(*words: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    command = [sys.executable, str(Path(__file__).absolute()), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def stats(address: str) -> dict[str, Any]:
    """What a server has counted."""
    with urllib.request.urlopen(f"{address}/stats", timeout=60) as reply:
        told: dict[str, Any] = json.load(reply)
        return told


def rates(text: str) -> dict[str, float]:
    """`429:0.1,reset:0.02` as a table; ValueError names a fault there is none of."""
    table = {}
    for each in filter(None, text.split(",")):
        name, _, rate = each.partition(":")
        if name not in NAMED:
            raise ValueError(f"no fault {name!r}; there are: {', '.join(NAMED)}")
        table[name] = float(rate)
    return table


def main() -> None:
    """Serve until stdin is closed: nothing is left behind by a client that dies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=rates, default={})
    parser.add_argument("--retry-after", default="1")
    parser.add_argument("--retry-after-ms", default="")
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    counts = Counts(said.seed, said.faults, said.retry_after, said.retry_after_ms)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(counts), "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


if __name__ == "__main__":
    main()
