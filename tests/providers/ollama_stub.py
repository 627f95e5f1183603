"""A strict Ollama on loopback: its documented API, behind which the real built-in model answers.

Written from the types of the `ollama` SDK and Ollama's API pages. Unlike Ollama it takes no field and no type that is
not documented; errors are worded as Ollama words them.
"""

from __future__ import annotations

import asyncio
import json
import queue
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any

from ollama_fields import BODIES, Refusal, checked
from wire_server import Answer, served

from promptkit import events
from promptkit.errors import PromptkitError
from promptkit.events import Delta, Record
from promptkit.providers.builtin import open_builtin
from promptkit.types import Completion, Request, message

GROWING = ("content", "response", "thinking", "tool_calls")  # what comes in pieces


@dataclass
class StubModel:
    """A model in the stub's store."""

    digest: str = "a" * 64
    abilities: Sequence[str] = ("completion", "tools", "vision", "thinking")
    num_ctx: int | None = None  # PARAMETER num_ctx of its Modelfile
    trained: int = 40960
    thoughts: Sequence[str] = ()  # what a model that thinks says first
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()  # the tools it calls where it is given some


@dataclass
class OllamaStub:
    """The stub's state: its knobs, and what it saw."""

    models: dict[str, StubModel] = field(default_factory=lambda: {"m:latest": StubModel()})
    library: dict[str, StubModel] = field(default_factory=dict)  # what can be pulled
    answers: Sequence[Answer] = ()  # said to /api/chat in place of the model, in this order, the last one again
    context: int = 4096  # where neither request nor Modelfile says one
    old: bool = False  # knows no truncate, shift, logprobs, abilities: drops the beginning of a prompt without a word
    pause: float = 0.0  # seconds between pieces
    endless: bool = False  # writes for ever
    layers: Sequence[int] = (3000, 1000)  # bytes of what is pulled
    address: str = ""
    seen: list[tuple[str, Any]] = field(default_factory=list)  # path and body of every request
    loaded: dict[str, int] = field(default_factory=dict)  # the context each model has
    generated: int = 0  # pieces
    gone: threading.Event = field(default_factory=threading.Event)  # a client left in the middle of an answer

    def bodies(self, path: str = "/api/chat") -> list[Any]:
        """What was posted there."""
        return [body for where, body in self.seen if where == path]

    def find(self, name: str) -> StubModel:
        full = name if ":" in name else f"{name}:latest"
        if full not in self.models:
            raise Refusal(404, f'model "{name}" not found, try pulling it first')
        return self.models[full]


class _Builtin:
    """The built-in model on a loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._provider = open_builtin("", {"batch": 1})  # its own count is of one reply

    def pieces(self, request: Request) -> Iterator[str | Completion]:
        """The reply as it is written, and at last the whole of it; closing the generator stops the model."""
        line: queue.Queue[str | Completion | BaseException] = queue.Queue()

        async def answer() -> None:
            def hear(record: Record) -> None:
                if isinstance(record.event, Delta):
                    line.put(record.event.text)

            try:
                with events.watch(hear):
                    line.put(await self._provider.complete(request))
            except BaseException as error:
                line.put(error)
                raise

        task = asyncio.run_coroutine_threadsafe(answer(), self._loop)
        try:
            while True:
                said = line.get()
                if isinstance(said, BaseException):
                    raise said
                yield said
                if isinstance(said, Completion):
                    return
        finally:
            task.cancel()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._provider.aclose(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def tokens(turns: Sequence[Mapping[str, Any]]) -> int:
    """The stub's own count of a prompt: a word, a sign, and four for each turn."""
    return sum(4 + len(re.findall(r"\w+|[^\w\s]", turn.get("content", ""))) for turn in turns)


@dataclass
class Asked:
    """A chat or a generation, as the stub's model takes it."""

    model: StubModel
    request: Request
    given: int  # tokens
    context: int


def asked(state: OllamaStub, body: Mapping[str, Any]) -> Asked:
    """The request for the built-in model, after everything Ollama looks at first."""
    name, options = body["model"], body.get("options", {})
    model = state.find(name)
    full = name if ":" in name else f"{name}:latest"
    if body.get("think") and "thinking" not in model.abilities:
        raise Refusal(400, f'"{name}" does not support thinking')
    if body.get("tools") and "tools" not in model.abilities:
        raise Refusal(400, f"registry.ollama.ai/library/{full} does not support tools")
    context = min(options.get("num_ctx") or model.num_ctx or state.context, model.trained)
    state.loaded[full] = context
    turns = body.get("messages") or [{"role": "user", "content": body.get("prompt", "")}]
    given = tokens(turns)
    if given >= context:
        if not state.old and body.get("truncate") is False:
            said = f"request ({given} tokens) exceeds the available context size ({context} tokens), try increasing it"
            raise Refusal(
                400, json.dumps({"error": {"code": 400, "message": said, "type": "exceed_context_size_error"}})
            )
        given, turns = context // 2 + 2, [{**turns[-1], "content": turns[-1]["content"][-context // 2 :]}]
    room = options.get("num_predict", 32)
    request = Request(
        messages=tuple(message(t["role"] if t["role"] != "tool" else "user", t.get("content", "")) for t in turns),
        max_tokens=min(room, 64),
        temperature=options.get("temperature"),
        stop=tuple(options.get("stop", ())),
        seed=options.get("seed", 0),
        schema=json.dumps(body["format"]) if isinstance(body.get("format"), dict) else None,
        logprobs=body.get("top_logprobs", 0) if not state.old else 0,
        raw=() if body.get("raw") else None,
        extra=(("ignore_eos", True),) if state.endless else (),
    )
    return Asked(model, request if not state.endless else replace(request, max_tokens=400), given, context)


def lines(state: OllamaStub, builtin: _Builtin, body: Mapping[str, Any], *, chat: bool) -> Iterator[dict[str, Any]]:
    """The lines of an answer."""
    stamp = {"model": body["model"], "created_at": "2026-01-01T00:00:00.000000Z"}

    def line(text: str = "", **more: Any) -> dict[str, Any]:
        extra: dict[str, Any] = {name: more.pop(name) for name in ("thinking", "tool_calls") if name in more}
        said = {"message": {"role": "assistant", "content": text, **extra}} if chat else {"response": text, **extra}
        return {**stamp, **said, "done": False, **more}

    wanted = asked(state, body)
    if not (body.get("messages") if chat else body.get("prompt")):
        yield {**line(), "done": True, "done_reason": "load"}
        return
    thoughts = wanted.model.thoughts if body.get("think") is not False else ()
    for thought in thoughts:
        yield line(thinking=thought)
    whole: Completion | None = None
    if wanted.model.calls and body.get("tools"):
        for name, arguments in wanted.model.calls:
            yield line(tool_calls=[{"function": {"name": name, "arguments": dict(arguments)}}])
        finish, written = "stop", 5
    else:
        for piece in builtin.pieces(wanted.request):
            if isinstance(piece, Completion):
                whole = piece
            else:
                yield line(piece)
        assert whole
        finish, written = ("length" if whole.finish == "length" else "stop"), whole.usage.output_tokens
    if whole and whole.logprobs:
        told = [
            {"token": t.text, "logprob": t.logprob, "top_logprobs": [{"token": x, "logprob": p} for x, p in t.top]}
            for t in whole.logprobs
        ]
        yield line(logprobs=told)
    counts = {"prompt_eval_count": wanted.given, "eval_count": written + len(thoughts), "total_duration": 9}
    yield {**line(), "done": True, "done_reason": finish, **counts}


def whole(told: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The one line that is sent where no stream is wanted: the last one, with all that was written before it."""
    texts: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for last in told:
        if "error" in last:
            raise Refusal(500, last["error"])
        for name, piece in (last.get("message") or last).items():
            if name in GROWING:
                texts[name] = texts[name] + piece if name in texts else piece
        if "logprobs" in last:
            texts["logprobs"] = [*texts.get("logprobs", ()), *last["logprobs"]]
    if "message" not in last:
        return {**last, **texts}
    logprobs = {"logprobs": texts.pop("logprobs")} if "logprobs" in texts else {}
    return {**last, "message": {**last["message"], **texts}, **logprobs}


def pulling(state: OllamaStub, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a pull."""
    yield {"status": "pulling manifest"}
    full = name if ":" in name else f"{name}:latest"
    if full not in state.library:
        yield {"error": "pull model manifest: file does not exist"}
        return
    for number, total in enumerate(state.layers):
        layer = {"digest": f"sha256:{number:064x}", "status": f"pulling {number:012x}", "total": total}
        yield layer
        for completed in range(total // 4, total + 1, total // 4):
            yield {**layer, "completed": completed}
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    state.models[full] = state.library[full]
    yield {"status": "success"}


def shown(state: OllamaStub, name: str) -> dict[str, Any]:
    """What /api/show tells."""
    model = state.find(name)
    parameters = 'stop                           "<|end|>"\n'
    if model.num_ctx:
        parameters += f"num_ctx                        {model.num_ctx}\n"
    info = {"general.architecture": "llama", "llama.context_length": model.trained}
    told = {"parameters": parameters, "template": "{{ .Prompt }}", "details": {"family": "llama"}, "model_info": info}
    return told if state.old else {**told, "capabilities": list(model.abilities)}


def looked_at(state: OllamaStub, path: str) -> dict[str, Any]:
    """What a GET tells."""
    match path:
        case "/api/version":
            return {"version": "0.3.14" if state.old else "0.32.1"}
        case "/api/tags":
            listed = [{"name": name, "model": name, "digest": each.digest} for name, each in state.models.items()]
            return {"models": listed}
        case "/api/ps":
            running = [
                {"name": name, "model": name, "digest": state.models[name].digest, "context_length": context}
                for name, context in state.loaded.items()
            ]
            return {"models": running}
    raise Refusal(404, "404 page not found")


@contextmanager
def ollama(**knobs: Any) -> Iterator[OllamaStub]:
    """A stub that is running."""
    state, builtin, held = OllamaStub(**knobs), _Lazy(_Builtin), list[socket.socket]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            held.append(self.connection)

        def do_GET(self) -> None:
            state.seen.append((self.path, None))
            self._answer(lambda: looked_at(state, self.path))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            body = json.loads(raw)
            state.seen.append((self.path, body))
            if self.path == "/api/chat" and state.answers and body.get("messages"):
                return self._scripted(state.answers[min(len(state.bodies()), len(state.answers)) - 1])
            return self._answer(lambda: self._posted(body), body)

        def _posted(self, body: Any) -> Any:
            if self.path not in BODIES:
                raise Refusal(404, "404 page not found")
            checked(self.path, body)
            match self.path:
                case "/api/show":
                    return shown(state, body["model"])
                case "/api/pull":
                    return pulling(state, body["model"])
            return lines(state, builtin.get(), body, chat=self.path == "/api/chat")

        def _answer(self, make: Callable[[], Any], body: Any = None) -> None:
            try:
                told = make()
                if isinstance(told, Iterator) and isinstance(body, dict) and body.get("stream") is False:
                    return self._json(200, whole(told))
                if isinstance(told, Iterator):
                    first = next(told)
                    return self._stream(first, told)
                return self._json(200, told)
            except Refusal as refusal:
                return self._json(refusal.status, {"error": refusal.said})
            except PromptkitError as error:
                return self._json(500, {"error": error.message})

        def _json(self, status: int, value: Any) -> None:
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _stream(self, first: Any, rest: Iterator[Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/x-ndjson")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                self._line(first)
                for each in rest:
                    self._line(each)
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                state.gone.set()
                self.close_connection = True
            finally:
                rest.close()  # type: ignore[attr-defined]

        def _line(self, value: Any) -> None:
            raw = json.dumps(value).encode() + b"\n"
            until = time.monotonic() + state.pause
            while True:  # as Go does, look for the client while there is nothing to say
                ready, _, _ = select.select([self.connection], [], [], max(0.0, until - time.monotonic()))
                if ready and not self.connection.recv(1, socket.MSG_PEEK):
                    raise BrokenPipeError
                if time.monotonic() >= until:
                    break
            self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
            self.wfile.flush()
            state.generated += 1

        def _scripted(self, answer: Answer) -> None:
            time.sleep(answer.wait)
            self.close_connection = True
            with suppress(OSError):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("connection", "close")
                if answer.reset:
                    self.send_header("content-length", str(len(answer.body) + 1000))
                self.end_headers()
                self.wfile.write(answer.body)
                self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    try:
        with served(Handler) as state.address:
            yield state
    finally:
        for connection in held:  # those kept alive: a server that is gone answers nobody
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        builtin.close()


class _Lazy:
    """A thing made when it is first wanted."""

    def __init__(self, make: Callable[[], _Builtin]) -> None:
        self._make, self._made, self._lock = make, list[_Builtin](), threading.Lock()

    def get(self) -> _Builtin:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def close(self) -> None:
        for each in self._made:
            each.close()
