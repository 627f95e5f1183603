"""examples/fastapi_app.py on a real socket: streams, outcomes, and clients that go away."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from promptkit import api
from promptkit.journal import Journal, RunRow
from promptkit.providers.scripted import Scripted
from promptkit.types import Request

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app.py"


class Slow:
    """A model that answers what is quick and sleeps on everything else; it notes what becomes of a call."""

    def __init__(self) -> None:
        self.asked = 0
        self.ready = range(0)  # the samples that come at once
        self.cancelled_at = 0.0
        self.sleeping = threading.Event()
        self.stopped = threading.Event()
        self.model = Scripted(self._say, name="slow")

    async def _say(self, request: Request) -> str:
        self.asked += 1
        text = request.messages[-1].text
        if request.index in self.ready:
            return "Answer: 7"
        if "quick" in text:
            await asyncio.sleep(0.05)
            return "Answer: 7"
        self.sleeping.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled_at = time.monotonic()
            self.stopped.set()
            raise
        return "Answer: never"


class Site:
    """The example, served."""

    def __init__(self, url: str, slow: Slow, journal: Journal) -> None:
        self.url, self.slow, self.journal = url, slow, journal

    def newest(self) -> RunRow:
        return self.journal.runs(1)[0]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("SLOTS", "2")
    spec = importlib.util.spec_from_file_location("fastapi_app_under_test", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    slow = Slow()
    monkeypatch.setattr(example, "MODEL", slow.model)
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(example.app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", slow, api.open_journal())
    server.should_exit = True
    thread.join(30)
    listening.close()


def soon(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.002)
    return False


def test_outcomes_and_errors_are_json(site: Site) -> None:
    with httpx.Client(base_url=site.url, timeout=30) as client:
        outcome = client.get("/run", params={"question": "quick?", "strategy": "sc"}).json()
        assert (outcome["answer"], outcome["status"]) == ("7", "done")
        wrong = client.get("/run", params={"question": "quick?", "strategy": "magic"})
        assert wrong.status_code == 400
        assert "magic" in wrong.json()["error"]


@pytest.mark.parametrize("path", ["/run", "/stream"])
@pytest.mark.parametrize(
    ("params", "word"), [({"question": "quick?", "strategy": "nope"}, "nope"), ({"question": " "}, "empty")]
)
def test_what_cannot_be_run_is_refused_with_a_status(site: Site, path: str, params: dict[str, str], word: str) -> None:
    reply = httpx.get(f"{site.url}{path}", params=params, timeout=30)
    assert reply.status_code == 400
    assert word in reply.json()["error"]
    assert "promptkit" not in reply.text, "what to type is for whoever runs the app"


def test_events_are_streamed_as_they_happen(site: Site) -> None:
    with httpx.stream("GET", f"{site.url}/stream", params={"question": "quick?"}, timeout=30) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line.removeprefix("data: ")) for line in reply.iter_lines() if line]
    names = [event["type"] for event in events]
    assert names.index("RunStarted") < names.index("Delta") < names.index("RunEnded")
    assert next(event for event in events if event["type"] == "RunEnded")["answer"] == "7"


@pytest.mark.parametrize("path", ["/stream", "/run"])
def test_a_client_that_goes_away_frees_its_slot(site: Site, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    site.slow.ready = range(3)
    port = int(site.url.rpartition(":")[2])
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(f"GET {path}?question=slow&strategy=sc HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert site.slow.sleeping.wait(20)
    assert soon(lambda: any(event["type"] == "Best" for event in site.journal.events(site.newest().id)))
    client.close()
    left = time.monotonic()
    assert site.slow.stopped.wait(20), "the provider's call is cancelled"
    assert soon(lambda: site.newest().status == "cancelled")
    recorded = time.monotonic() - left
    stopped = site.slow.cancelled_at - left
    with capsys.disabled():
        print(f"\n{path}: call cancelled after {1000 * stopped:.0f} ms, recorded after {1000 * recorded:.0f} ms")
    assert recorded < 1.0
    kept = site.newest().outcome
    assert kept is not None
    assert kept["answer"] == "7", "the best so far"


def test_a_freed_slot_is_somebody_elses(site: Site) -> None:
    """Two slots, both taken; a third client waits until one of the first two leaves."""
    port = int(site.url.rpartition(":")[2])
    clients = []
    for which in "ab":
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(f"GET /stream?question=slow{which}&strategy=cot HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        clients.append(client)
    assert soon(lambda: site.slow.asked >= 2 and len(site.journal.runs()) >= 2)
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{site.url}/run?question=quick", timeout=30).json()["answer"])
    )
    waiting.start()
    time.sleep(0.3)
    assert answers == []
    clients[0].close()
    left = time.monotonic()
    waiting.join(20)
    assert answers == ["7"]
    assert time.monotonic() - left < 2.0
    clients[1].close()
    assert soon(lambda: {row.status for row in site.journal.runs()} == {"done", "cancelled"})


def test_equal_questions_at_once_are_bought_once(site: Site) -> None:
    async def ask_all() -> list[str]:
        async with httpx.AsyncClient(base_url=site.url, timeout=30) as client:
            replies = await asyncio.gather(*(client.get("/run?question=quick+one&strategy=sc") for _ in range(6)))
        return [reply.json()["answer"] for reply in replies]

    assert asyncio.run(ask_all()) == ["7"] * 6
    assert site.slow.asked == 6, "sc stops after six equal samples; nobody bought a seventh"
    assert len(site.journal.runs()) == 6
