"""An address where something else answers: said at once, with the address and how one is written, and asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from wire_server import Answer, alone, fault, said, served, stub

import promptkit as pk
from promptkit.cli.app import start
from promptkit.cli.reachable import checks
from promptkit.errors import BadReply, ModelMissing, PromptkitError
from promptkit.journal import Journal
from promptkit.providers.ollama import open_ollama
from promptkit.providers.openai_compatible import open_openai_compatible
from promptkit.types import message

Capture = pytest.CaptureFixture[str]

ENDING = "a base_url usually ends in /v1"
PAGE = (b"<!doctype html><title>Sign in</title>", "text/html; charset=utf-8")
OTHER = (b'{"status": "fine"}', "application/json")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))


@contextmanager
def saying(body: bytes, kind: str) -> Iterator[tuple[str, list[str]]]:
    """A server that says the same to whatever it is asked; its address, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with served(Handler) as address:
        yield address, asked


@pytest.mark.parametrize("answer", [PAGE, OTHER, (b"hello", "text/plain"), (b'{"data": [{"no": "id"}]}', OTHER[1])])
@pytest.mark.parametrize("kind", ["openai-compatible", "openai", "groq"])
def test_a_list_of_models_that_is_none(kind: str, answer: tuple[bytes, str], capsys: Capture) -> None:
    with saying(*answer) as (address, _):
        assert start(["models", "list", kind, "-o", f"base_url={address}"]) == 1
    error = capsys.readouterr().err
    assert f"error: {address} answered with" in error
    assert "base_url" in error.splitlines()[1]
    assert "bug" not in error


def test_an_empty_list_is_one(capsys: Capture) -> None:
    with saying(b'{"object": "list", "data": null}', OTHER[1]) as (address, _):
        assert start(["models", "list", "openai-compatible", "-o", f"base_url={address}"]) == 0
    assert "offers no model" in capsys.readouterr().err


def test_doctor_online_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    with saying(*PAGE) as (address, _):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        findings = [found for check in checks(True) if check.__name__ == "keys" for found in check()]
    (about,) = (found for found in findings if f"{address} answered with a web page" in found.found)
    assert about.state == "fail"
    assert about.mend == ENDING


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("answer", [PAGE, OTHER])
def test_a_chat_call_fails_at_once(answer: tuple[bytes, str], watched: bool, journal: Journal) -> None:
    with saying(*answer) as (address, asked):
        sinks = [lambda record: None] if watched else []
        model = open_openai_compatible("m", {"base_url": address})
        with pytest.raises(ModelMissing, match=address) as raised:
            pk.run("cot", "2 + 2?", model=model, journal=journal, sinks=sinks)
    assert raised.value.hint == ENDING
    assert len(asked) == 1


def test_a_body_cut_on_the_way_is_asked_for_again(journal: Journal, instant_retries: None) -> None:
    cut = Answer(body=b'{"choices": [{"ind', headers={"content-type": "application/json"})
    with stub(cut, fault(500), said("Answer: 4")) as server:
        model = open_openai_compatible("m", {"base_url": server.address})
        assert pk.run("cot", "2 + 2?", model=model, journal=journal).answer == "4"
    assert len(server.requests) == 3


def test_a_server_that_does_not_stream_is_read_whole(journal: Journal) -> None:
    choice = b'{"index": 0, "message": {"role": "assistant", "content": "Answer: 4"}, "finish_reason": "stop"}'
    with saying(b'{"choices": [' + choice + b"]}", OTHER[1]) as (address, asked):
        model = open_openai_compatible("m", {"base_url": address})
        assert pk.run("cot", "2 + 2?", model=model, journal=journal).answer == "4"
    assert len(asked) == 1


# Ollama.


@pytest.mark.parametrize(
    ("words", "answer"), [(["list", "ollama"], PAGE), (["list", "ollama"], OTHER), (["pull", "ollama:m"], PAGE)]
)
def test_no_ollama_lists_or_pulls(
    words: list[str], answer: tuple[bytes, str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saying(*answer) as (address, asked):
        monkeypatch.setenv("OLLAMA_HOST", address)
        code = start(["models", *words])
    error = capsys.readouterr().err
    assert code == 1
    assert f"error: {address} answered with" in error
    assert "OLLAMA_HOST" in error
    assert len(asked) == 1


def test_no_ollama_answers(journal: Journal) -> None:
    with saying(*PAGE) as (address, asked), pytest.raises(ModelMissing, match=f"{address} answered with a web page"):
        pk.run("cot", "2 + 2?", model=open_ollama("m", {"host": address}), journal=journal)
    assert len(asked) == 1


def test_no_ollama_chats() -> None:
    async def main(address: str) -> None:
        server = open_ollama("m", {"host": address})._server
        try:
            async for _ in server.chat({"model": "m"}, pk.Request(messages=()), None):
                pass
        finally:
            await server.aclose()

    for answer in (PAGE, OTHER):
        with saying(*answer) as (address, _), pytest.raises(ModelMissing, match=address) as raised:
            asyncio.run(main(address))
        assert "OLLAMA_HOST" in raised.value.hint
    with saying(b'{"message": {"rol', "application/x-ndjson") as (address, _), pytest.raises(BadReply, match=address):
        asyncio.run(main(address))


@pytest.mark.parametrize("answer", [PAGE, OTHER])
def test_doctor_knows_it_for_no_ollama(answer: tuple[bytes, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with saying(*answer) as (address, _):
        monkeypatch.setenv("OLLAMA_HOST", address)
        (found,) = (found for check in checks(False) if check.__name__ == "ollama" for found in check())
    assert f"{address} answered with" in found.found
    assert "OLLAMA_HOST" in found.mend


def test_an_error_of_a_page_stays_an_error() -> None:
    request = pk.Request(messages=(message("user", "2 + 2?"),))
    with stub(Answer(502, PAGE[0], {"content-type": PAGE[1]})) as server, pytest.raises(PromptkitError) as raised:
        asyncio.run(open_openai_compatible("m", {"base_url": server.address}).complete(request))
    assert "answered with a web page" not in raised.value.message
