"""A server on loopback that repeats the key it was sent, in each of the ways servers have of going wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from wire_server import served

JSON, STREAM, PAGE = "application/json", "text/event-stream", "text/html"


def answer(model: str, auth: str) -> tuple[int, str, str]:
    """Status, content type and body for a model named after a fault; `auth` is the header it came with."""
    key = auth.removeprefix("Bearer ")
    told = {"error": {"message": f"not with {auth}: {key}", "code": key, "type": auth}}
    piece = {"choices": [{"index": 0, "delta": {"content": "It is"}, "finish_reason": None}]}
    return {
        "refuses": (403, JSON, json.dumps(told)),
        "rejects": (400, JSON, json.dumps(told)),
        "refuses-key": (401, JSON, json.dumps(told)),
        "limits": (429, JSON, json.dumps(told)),
        "fails": (500, PAGE, f"<h1>{auth}</h1>"),
        "breaks": (200, STREAM, f"data: {json.dumps(piece)}\n\ndata: {json.dumps(told)}\n\n"),
        "garbles": (200, STREAM, f'data: {{"choices": [{auth}\n\n'),
        "babbles": (200, JSON, f'{{"{auth}": ["{key}"'),
        "misnames": (200, STREAM, f"data: {json.dumps({'choices': {key: auth}})}\n\n"),
    }[model]


FAULTS = "refuses rejects refuses-key limits fails breaks garbles babbles misnames".split()


@contextmanager
def echo() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the Authorization headers it has seen so far."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            auth = self.headers.get("authorization", "")
            seen.append(auth)
            status, kind, text = answer(body["model"], auth)
            self.send_response(status, f"see {auth}")
            for name, value in {"content-type": kind, "retry-after": "0.001", "x-request-id": auth}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as address:
        yield address, seen
