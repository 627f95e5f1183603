"""Images as they go over the wire: data URLs to OpenAI, base64 beside the text to Ollama."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from ollama_stub import ollama
from wire_server import alone, ndjson, said, stub

from promptkit.attachments import attach
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.providers.groq import open_groq
from promptkit.providers.ollama import open_ollama
from promptkit.providers.openai import open_openai
from promptkit.types import Blob, Message, Provider, Request, Text

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(24))
BASE64 = base64.b64encode(PNG).decode()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


def shown(blob: Blob) -> Request:
    return Request(messages=(Message("user", (blob, Text("Which colour?"))),))


def ask(model: Provider, request: Request) -> str:
    async def main() -> str:
        try:
            return (await model.complete(request)).text
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_openai_is_sent_a_data_url() -> None:
    with stub(said("blue")) as server:
        assert ask(open_openai("m", {"base_url": server.address}), shown(attach(PNG))) == "blue"
        (body,) = server.bodies
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BASE64}"}}
    assert body["messages"] == [{"role": "user", "content": [image, {"type": "text", "text": "Which colour?"}]}]


def test_ollama_is_sent_the_image_beside_the_text() -> None:
    last = {"message": {"role": "assistant", "content": "blue"}, "done": True, "done_reason": "stop"}
    with ollama(answers=[ndjson(last)]) as server:
        assert ask(open_ollama("m", {"host": server.address}), shown(attach(PNG))) == "blue"
        (body,) = server.bodies()
    assert body["messages"] == [{"role": "user", "content": "Which colour?", "images": [BASE64]}]


def test_bytes_that_are_gone_are_not_sent() -> None:
    bare = Blob("image", attach(PNG).sha256, "image/png", "a.png")
    with stub() as server, ollama() as beside:
        for model in (open_openai("m", {"base_url": server.address}), open_ollama("m", {"host": beside.address})):
            with pytest.raises(BadInput, match=r"a\.png"):
                ask(model, shown(bare))
        assert server.bodies == beside.bodies() == []


def test_who_does_not_see_refuses() -> None:
    with pytest.raises(CapabilityMissing):
        ask(open_groq("m", {}), shown(attach(PNG)))
    with pytest.raises(CapabilityMissing):
        ask(open_openai("m", {}), shown(Blob("file", "0" * 64, "application/pdf")))
