"""Limits in promptkit.toml: read, refused where they are wrong, and kept by all runs of a process together."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from watching import Seen

from promptkit import api, errors, settings
from promptkit.cli.app import start
from promptkit.events import Record, Warned
from promptkit.journal import Journal
from promptkit.providers.openai import open_openai
from promptkit.providers.scripted import Scripted
from promptkit.runtime import limiter
from promptkit.runtime.limited import limiter_of
from promptkit.types import Capabilities, Request


def write(text: str) -> Path:
    path = Path(os.environ["PROMPTKIT_HOME"]) / "config.toml"
    path.write_text(text)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "promptkit.toml"


def test_a_models_limits_stand_over_its_providers_and_the_project_over_the_user(project: Path) -> None:
    write(
        '[limits.groq]\nrpm = 30\ntpm = 6000\nconcurrency = 4\n[limits."groq:a"]\ntpm = 5\n[limits."groq:b:c"]\nrpm = 1'
    )
    project.write_text("[limits.groq]\nrpm = 60\n")
    assert settings.limits("groq:x") == ("groq", {"rpm": 60, "tpm": 6000, "concurrency": 4})
    assert settings.limits("groq:a") == ("groq:a", {"rpm": 60, "tpm": 5, "concurrency": 4})
    assert settings.limits("groq:b:c") == ("groq:b:c", {"rpm": 1, "tpm": 6000, "concurrency": 4})
    assert settings.limits("openai:x") == ("", {})


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[limits.groq]\nrmp = 3", "limits.groq: no limit 'rmp'", "did you mean rpm?"),
        ("[limits.groq]\nrpm = 0", "limits.groq.rpm must be a whole number above 0, not 0", "rpm = 30"),
        ("[limits.groq]\nrpm = true", "limits.groq.rpm must be a whole number above 0, not True", "rpm = 30"),
        ("[limits]\nrpm = 3", "limits are set in a table for a provider or a model", "[limits.groq]"),
        ("limits = 3", "limits are set in a table", "[limits.groq]"),
        ("[limits.ollama.qwen3]\nrpm = 3", "no limit 'qwen3'", "has quotes"),
    ],
)
def test_what_is_no_limit_is_refused_by_name(text: str, message: str, hint: str) -> None:
    path = write(text)
    with pytest.raises(errors.BadInput) as raised:
        settings.setting("concurrency")
    assert str(path) in raised.value.message
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_limits_of_a_provider_that_is_none_are_said(journal: Journal) -> None:
    write("[limits.scirpted]\nrpm = 3\n[limits.scripted]\nrpm = 100")
    seen = Seen()
    api.run("sc", "q?", model=Scripted(lambda request: "1"), journal=journal, sinks=[seen])
    (warned,) = seen.of(Warned)
    assert "no provider 'scirpted'" in warned.message
    assert warned.hint.startswith("did you mean scripted?")


def test_they_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    path = write("[limits.groq]\nrpm = 30\n[retry]\ndeadline = 60\n")
    assert start(["config", "show", "--json"]) == 0
    found = {each["setting"]: each for each in json.loads(capsys.readouterr().out)["settings"]}
    assert (found["limits.groq.rpm"]["value"], found["limits.groq.rpm"]["origin"]) == (30, str(path))
    assert found["retry.deadline"]["value"] == 60
    assert start(["config", "show", "--origin"]) == 0
    assert "calls in any minute" in capsys.readouterr().out


class Crowd:
    """Counts the calls in flight over all runs."""

    def __init__(self) -> None:
        self.flying = self.most = self.calls = 0

    async def __call__(self, request: Request) -> str:
        self.calls += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(0.001)
        finally:
            self.flying -= 1
        return f"Answer: {request.index % 3}"


def test_all_runs_of_a_process_share_them(journal: Journal) -> None:
    write("[limits.scripted]\nconcurrency = 3\n")
    crowd = Crowd()

    async def go() -> None:
        models = [Scripted(crowd, name=str(n), capabilities=Capabilities(price=(1.0, 1.0))) for n in range(5)]
        await asyncio.gather(*(api.arun("sc", "q?", model=m, n=10, journal=journal) for m in models))

    asyncio.run(go())
    assert crowd.calls >= 30
    assert crowd.most == 3


def test_one_run_alone_takes_no_more_than_its_own(journal: Journal) -> None:
    write("[limits.scripted]\nconcurrency = 6\n")
    crowd = Crowd()
    api.run("sc", "q?", model=Scripted(crowd), n=10, concurrency=2, journal=journal)
    assert crowd.most == 2


def test_a_cancelled_run_gives_its_place_in_the_line_to_others(journal: Journal) -> None:
    write("[limits.scripted]\nconcurrency = 1\n")
    crowd = Crowd()

    async def go() -> None:
        how: dict[str, Any] = {"n": 10, "journal": journal}
        runs = [asyncio.create_task(api.arun("sc", "q?", model=Scripted(crowd, name=f"{n}"), **how)) for n in range(4)]
        await asyncio.sleep(0.01)
        for run in runs[:3]:
            run.cancel()
        await asyncio.wait(runs, timeout=30)
        assert runs[3].result().detail["samples"] >= 4

    asyncio.run(go())
    assert crowd.most == 1


def test_a_long_wait_is_shown_once_a_run(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "MINUTE", 0.2)
    monkeypatch.setattr(limiter, "LONG", 0.02)
    write("[limits.scripted]\nrpm = 2\n")
    seen: list[Record] = []
    api.run("sc", "q?", model=Scripted(Crowd()), n=5, journal=journal, sinks=[seen.append])
    (warned,) = [record.event for record in seen if isinstance(record.event, Warned)]
    assert warned.message == "calls to scripted:python wait: rpm = 2"


def test_an_account_is_an_address_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(name: str, **options: object) -> limiter.Limiter | None:
        return limiter_of(open_openai(name, options))

    monkeypatch.setenv("OPENAI_API_KEY", "sk-first-of-two-keys")
    first = of("a")
    assert first is not None
    assert first is of("b"), "another model of the same key"
    assert first is not of("a", base_url="https://example.org/v1")
    told = open_openai("a", {}).account
    monkeypatch.setenv("OPENAI_API_KEY", "sk-second-of-two-keys")
    assert first is not of("a")
    assert "first" not in told
    assert len(told) == 12
    monkeypatch.delenv("OPENAI_API_KEY")
    assert of("a") is not first


def test_a_model_on_this_machine_has_none_unless_they_are_set() -> None:
    local = Scripted(lambda request: "1")
    assert limiter_of(local) is None
    write("[limits.scripted]\nrpm = 5\n")
    assert limiter_of(local) is limiter_of(Scripted(lambda request: "2"))
    write('[limits.scripted]\nrpm = 5\n[limits."scripted:python"]\ntpm = 900\n')
    apart = limiter_of(local)
    assert apart is not None
    assert apart.pace == limiter.Pace(rpm=5, tpm=900)
