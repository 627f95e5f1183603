"""What is remembered of the llama.cpp build, and when it is not believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptkit import places
from promptkit.providers.llama import build as builds
from promptkit.providers.llama.build import Build, build

CPU_ONLY = Build("1.0", None, "A CPU", "CPU : AVX2 = 1 | FMA = 1")


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    build.cache_clear()
    yield
    build.cache_clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Build]:
    """The library, which says what this list's last entry says; each question is counted by popping."""
    answers = [CPU_ONLY, CPU_ONLY]
    monkeypatch.setattr(builds, "_ask", answers.pop)
    monkeypatch.setattr(builds, "_key", lambda: "this library on this processor")
    return answers


def memory() -> Path:
    return places.user_data() / "llama-build.json"


def test_what_is_remembered_is_what_the_library_says() -> None:
    first = build()
    build.cache_clear()
    assert build() == first == builds._ask()


def test_a_build_for_the_cpu_is_asked_once(asked: list[Build]) -> None:
    assert build() == CPU_ONLY
    build.cache_clear()
    assert build() == CPU_ONLY
    assert len(asked) == 1


def test_a_build_that_could_use_a_gpu_is_asked_every_time(asked: list[Build]) -> None:
    asked[:] = [Build("1.0", None, "A CPU", "CUDA : ARCHS = 900 | CPU : AVX2 = 1")] * 2
    build()
    build.cache_clear()
    build()
    assert asked == []
    assert not memory().exists()


def test_another_library_or_processor_is_asked(asked: list[Build], monkeypatch: pytest.MonkeyPatch) -> None:
    build()
    build.cache_clear()
    monkeypatch.setattr(builds, "_key", lambda: "another")
    build()
    assert asked == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"key": 1}', '{"key": "this library on this processor", "build": {}}']
)
def test_a_damaged_memory_is_not_believed(text: str, asked: list[Build]) -> None:
    memory().parent.mkdir(parents=True, exist_ok=True)
    memory().write_text(text)
    assert build() == CPU_ONLY
    assert json.loads(memory().read_text())["build"]["version"] == "1.0"
