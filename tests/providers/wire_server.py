"""Servers on loopback for the providers that speak HTTP: a real llama.cpp, and a stub for what it cannot be made to do.

The stub is no model: it checks every request strictly and answers with what the test wrote down.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from llama_http import llama_http

BUILTIN = Path(__file__).parents[2] / "promptkit" / "_data" / "builtin.gguf"
KEY = "sk-test-0123456789abcdef"


@contextmanager
def llama_cpp() -> Iterator[str]:
    """The address of llama.cpp's own server with the built-in model; /openai/v1 is below it."""
    with llama_http(BUILTIN, context=512) as address:
        yield address


def alone(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No key, address or setting of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("PROMPTKIT_", "OPENAI_", "GROQ_", "OLLAMA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PROMPTKIT_HOME", str(home))


@dataclass(frozen=True)
class Answer:
    """What the stub says to one request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0  # before the first byte
    reset: bool = False  # end in a connection reset
    chunks: tuple[Any, ...] = ()  # of a streamed reply: who asked for none is sent it whole


@dataclass
class Stub:
    """A stub: answers in the order written down, the last one for all further requests."""

    answers: Sequence[Answer]
    address: str = ""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)  # path, headers, body

    @property
    def bodies(self) -> list[Any]:
        """The JSON of every request."""
        return [body for _, _, body in self.requests]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that has gone leaves a closed socket behind
            super().handle_error(request, client_address)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server with that handler, which is gone at the end of the block."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def stub(*answers: Answer, check: Callable[[str, Any], None] | None = None) -> Iterator[Stub]:
    """A stub that is running; what `check(path, body)` finds wrong is raised at the end of the block."""
    state, wrong = Stub(answers), list[BaseException]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                if check:
                    check(self.path, body)
            except BaseException as error:
                wrong.append(error)
            answer = answers[min(len(state.requests), len(answers) - 1)]
            if answer.chunks and not body.get("stream"):
                whole_reply = json.dumps(whole(answer.chunks)).encode()
                answer = replace(answer, body=whole_reply, headers={"content-type": "application/json"})
            state.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(answer.wait)
            self.close_connection = True
            try:
                self.send_response(answer.status)
                for name, value in {"content-type": "text/event-stream", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("connection", "close")
                if answer.reset:
                    self.send_header("content-length", str(len(answer.body) + 1000))
                self.end_headers()
                self.wfile.write(answer.body)
                self.wfile.flush()
                if answer.reset:
                    time.sleep(0.1)  # what was sent is read first
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
            except OSError:
                pass  # the client has gone

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as state.address:
        yield state
    for error in wrong:
        raise error


@contextmanager
def refused() -> Iterator[str]:
    """An address on this machine where nothing answers."""
    with socket.socket() as held:  # bound but not listening: nobody else gets the port
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def chunk(
    *,
    index: int = 0,
    finish: str | None = None,
    usage: Mapping[str, Any] | None = None,
    logprobs: Sequence[Any] | None = None,
    **delta: Any,
) -> Any:
    """A chunk of a streamed chat completion; without a delta and a finish it carries the usage alone."""
    choices: list[dict[str, Any]] = []
    if delta or finish:
        told = {"logprobs": {"content": list(logprobs)}} if logprobs else {}
        choices = [{"index": index, "delta": delta, "finish_reason": finish, **told}]
    return {"object": "chat.completion.chunk", "choices": choices, "usage": usage}


def sse(*chunks: Any, done: bool = True, **how: Any) -> Answer:
    """Chunks as server-sent events; a string is sent as it is."""
    lines = [f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in chunks]
    plain = done and chunks and not how and all(isinstance(each, dict) and "error" not in each for each in chunks)
    body = "".join([*lines, *(["data: [DONE]\n\n"] if done else [])]).encode()
    return Answer(body=body, chunks=chunks if plain else (), **how)


def whole(chunks: Sequence[Any]) -> dict[str, Any]:
    """The reply that comes in these chunks when it is not streamed; anything else goes out as it is."""
    choices: dict[int, dict[str, Any]] = {}
    usage = None
    for each in chunks:
        usage = each.get("usage") or each.get("x_groq", {}).get("usage") or usage
        if not isinstance(each.get("choices"), list):
            return dict(each)
        for piece in each["choices"]:
            new: dict[str, Any] = {"message": {}, "finish_reason": None, "logprobs": None}
            choice = choices.setdefault(piece["index"], {"index": piece["index"], **new})
            for name, value in piece["delta"].items():
                said = choice["message"]
                if name == "tool_calls":
                    said["tool_calls"] = _calls(said.get("tool_calls", []), value)
                else:
                    said[name] = said[name] + value if name in said else value
            choice["finish_reason"] = piece["finish_reason"] or choice["finish_reason"]
            if told := piece.get("logprobs"):
                choice["logprobs"] = {
                    "content": [*(choice["logprobs"] or {"content": []})["content"], *told["content"]]
                }
    return {"object": "chat.completion", "choices": [choices[at] for at in sorted(choices)], "usage": usage}


def _calls(calls: list[Any], pieces: Sequence[Any]) -> list[Any]:
    for piece in pieces:
        at = piece.get("index", len(calls))
        if at == len(calls):
            calls.append({"id": piece.get("id"), "type": "function", "function": {"name": "", "arguments": ""}})
        for name, value in piece["function"].items():
            calls[at]["function"][name] += value
    return calls


def said(text: str, *, given: int = 7, used: int = 3) -> Answer:
    """A whole reply: the text in two pieces, its end, and the usage."""
    usage = {"prompt_tokens": given, "completion_tokens": used, "total_tokens": given + used}
    half = len(text) // 2
    return sse(chunk(content=text[:half]), chunk(content=text[half:]), chunk(finish="stop"), chunk(usage=usage))


def ndjson(*lines: Any, **how: Any) -> Answer:
    """Lines as Ollama streams them; a string is sent as it is."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return Answer(body=text.encode(), headers={"content-type": "application/x-ndjson"}, **how)


def fault(status: int, message: str = "no", *, headers: Mapping[str, str] | None = None, **error: Any) -> Answer:
    """An error in OpenAI's form."""
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return Answer(status, body, {"content-type": "application/json", **(headers or {})})
