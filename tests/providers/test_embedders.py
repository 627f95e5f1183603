"""Embedding models: real servers on loopback, through the vendors' SDKs; journaled, capped and replayed by a run."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from wire_server import alone

import promptkit as pk
from promptkit import errors
from promptkit.errors import BadInput, BadReply, PromptkitError
from promptkit.journal import Journal
from promptkit.providers.embedders import open_embedder
from promptkit.providers.remote.embedding import read
from promptkit.types import Completion, Request, message

VECTORS = {"about cats": [1.0, 0.0], "about dogs": [0.0, 1.0], "purring?": [0.75, 0.25]}
SHOTS = [{"question": "about dogs", "answer": "woof"}, {"question": "about cats", "answer": "meow"}]


@dataclass
class Server:
    """What the server was asked, and how it behaves."""

    address: str = ""
    seen: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 200
    body: Any = None  # in place of the vectors
    digest: str = "a" * 64  # of Ollama's model


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """An embeddings endpoint of either format, strict about what it takes."""
    alone(monkeypatch, tmp_path)
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            assert self.path in ("/api/tags", "/api/ps")
            here = [{"model": "e:latest", "digest": state.digest}] if self.path == "/api/tags" else []
            self.say(200, {"models": here})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path == "/api/show":
                return self.say(200, {"capabilities": ["embedding"], "model_info": {}})
            state.seen.append((self.path, body))
            vectors = [VECTORS.get(text, [0.5, 0.5]) for text in body["input"]]
            if self.path == "/v1/embeddings":
                assert set(body) == {"model", "input", "encoding_format"}
                rows = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
                came: Any = {"object": "list", "data": rows[::-1], "model": "e", "usage": {"prompt_tokens": 7}}
            else:
                assert self.path == "/api/embed"
                came = {"model": "e", "embeddings": vectors, "prompt_eval_count": 7}
            return self.say(state.status, came if state.body is None else state.body)

        def say(self, status: int, body: Any) -> None:
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    held = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{held.server_address[1]}"
    monkeypatch.setenv("OPENAI_BASE_URL", f"{state.address}/v1")
    monkeypatch.setenv("OPENAI_COMPATIBLE_BASE_URL", f"{state.address}/v1")
    monkeypatch.setenv("OLLAMA_HOST", state.address)
    thread = threading.Thread(target=held.serve_forever, daemon=True)
    thread.start()
    yield state
    held.shutdown()
    held.server_close()
    thread.join()


def embed(name: str, *texts: str) -> Completion:
    async def main() -> Completion:
        model = open_embedder(name)
        try:
            return await model.complete(Request(messages=tuple(message("user", text) for text in texts)))
        finally:
            await model.aclose()

    return asyncio.run(main())


MODELS = ["openai:e", "openai-compatible:e", "ollama:e"]


@pytest.mark.parametrize("name", MODELS)
def test_vectors_come_back_in_the_order_of_the_texts(name: str, server: Server) -> None:
    came = embed(name, "about cats", "purring?")
    assert read(came) == [(1.0, 0.0), (0.75, 0.25)]
    assert (came.usage.input_tokens, came.model) == (7, name)


@pytest.mark.parametrize("name", MODELS)
def test_a_refusal_is_one_of_our_errors(name: str, server: Server) -> None:
    server.status, server.body = 404, {"error": {"message": "no such model"}}
    with pytest.raises(PromptkitError) as failed:
        embed(name, "about cats")
    assert isinstance(failed.value, errors.ProviderError)


@pytest.mark.parametrize("name", MODELS[:2])
def test_a_reply_without_vectors_is_a_bad_one(name: str, server: Server) -> None:
    server.body = {"data": []}
    with pytest.raises(BadReply):
        embed(name, "about cats")


NAN, FAR = float("nan"), 1e300  # which 32 bits do not hold
WRONG = [[None, 1.0], [NAN, 1.0], [FAR, 1.0], ["a", "b"], [[1.0], [2.0]], [10**400, 1], "AACAPw==", 1.0, None, []]


@pytest.mark.parametrize("vector", WRONG, ids=lambda wrong: str(wrong)[:20])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_no_vector_is_not_taken_for_one(name: str, vector: Any, server: Server) -> None:
    rows = [{"index": 0, "embedding": vector}]
    server.body = {"embeddings": [vector]} if name == "ollama:e" else {"data": rows}
    with pytest.raises((BadReply, errors.ModelMissing)):
        embed(name, "about cats")


@pytest.mark.parametrize("usage", [None, [1], {"prompt_tokens": "7"}, {"prompt_tokens": -7}])
def test_vectors_do_not_go_under_with_a_count_of_tokens(usage: Any, server: Server) -> None:
    server.body = {"data": [{"index": 0, "embedding": [1.0]}], "usage": usage}
    came = embed("openai:e", "about cats")
    assert (read(came), came.usage.input_tokens) == ([(1.0,)], 0)


def test_two_vectors_for_one_text_are_refused(server: Server) -> None:
    server.body = {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [2.0]}]}
    with pytest.raises(BadReply):
        embed("openai:e", "about cats", "about dogs")


@pytest.mark.parametrize("name", ["groq:x", "openai:", "builtin", "nonsense"])
def test_what_embeds_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="embeds no texts") as refused:
        open_embedder(name)
    assert "--embed" in refused.value.hint


def ask(journal: Journal, embedder: str, **how: Any) -> pk.Outcome:
    given = {"examples": SHOTS, "select": "similar", "n": 1, "embed": embedder, "journal": journal, **how}
    model = pk.Scripted(lambda request: request.messages[1].text, name="parrot")
    return pk.run("few-shot", "purring?", model=model, **given)


@pytest.mark.parametrize("name", MODELS)
def test_a_run_embeds_once_and_is_replayed_without_a_server(name: str, server: Server) -> None:
    with Journal.open(None) as journal:
        first = ask(journal, name)
        again = ask(journal, name, seed=5)
        replayed = pk.replay(first.run, journal=journal)
    assert first.answer == again.answer == replayed.answer == "meow"
    asked = sorted(body["input"] for _, body in server.seen)  # both are on their way at once
    assert asked == [["about dogs", "about cats"], ["purring?"]]
    assert (first.usage.calls, again.usage.cached_calls) == (3, 2)


@pytest.mark.parametrize("name", MODELS)
def test_a_replay_needs_no_word_of_where_the_server_was(
    name: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.open(None) as journal, Journal.open(None) as other:
        first = ask(journal, name)
        for variable in ("OPENAI_BASE_URL", "OPENAI_COMPATIBLE_BASE_URL", "OLLAMA_HOST"):
            monkeypatch.delenv(variable)
        server.digest = "b" * 64
        assert pk.replay(first.run, journal=journal).answer == "meow"
        with (tmp_path / "run.jsonl").open("w+", encoding="utf-8") as file:
            journal.export(first.run, file)
            file.seek(0)
            other.import_(file)
        assert pk.replay(first.run, journal=other).answer == "meow"
    assert len(server.seen) == 2


def test_another_model_of_the_same_name_embeds_anew(server: Server) -> None:
    with Journal.open(None) as journal:
        ask(journal, "ollama:e")
        ask(journal, "ollama:e", seed=1)
        assert len(server.seen) == 2
        server.digest = "b" * 64
        ask(journal, "ollama:e", seed=2)
    assert len(server.seen) == 4


def test_neither_a_layer_nor_a_vote_embeds_anew(server: Server) -> None:
    with Journal.open(None) as journal:
        plain = ask(journal, "ollama:e")
        model = pk.Scripted(lambda request: request.messages[-2].text, name="parrot")
        few_shot = {
            "strategy": "few-shot",
            "params": {"examples": SHOTS, "select": "similar", "n": 1, "embed": "ollama:e"},
        }
        around = {"strategy": "persona", "params": {"who": "a cook", "of": few_shot}}
        vote = pk.run("sc", "purring?", n=3, of=around, model=model, journal=journal)
    assert plain.answer == vote.answer == "meow"
    assert len(server.seen) == 2


def test_embedding_calls_are_capped(server: Server) -> None:
    with Journal.open(None) as journal:
        outcome = ask(journal, "openai-compatible:e", max_calls=1)
    assert (outcome.status, outcome.answer) == ("budget", None)
    assert len(server.seen) == 1
