"""A new provider is one file and one entry point: this one is installed with pip, offline, and used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import built, promptkit

ECHO = Path(__file__).parent / "echo"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ECHO, tmp_path_factory.mktemp("echo"))


def test_it_is_one_file_and_one_entry_point(site: Path) -> None:
    assert [path.name for path in ECHO.glob("*.py")] == ["promptkit_echo.py"]
    assert len((ECHO / "promptkit_echo.py").read_text("utf-8").splitlines()) < 60
    assert "echo:MODEL" in promptkit(site, "models").out


def test_a_strategy_runs_on_it(site: Path) -> None:
    said = promptkit(site, "run", "sc", "Which city?", "-m", "echo:Answer:", "--n", "3", "--json")
    assert said.code in (0, 3), said.err
    body = json.loads(said.out)
    assert (body["model"], body["usage"]["samples"], body["cost_usd"]) == ("echo:Answer:", body["usage"]["calls"], 0)
    again = json.loads(promptkit(site, "run", "sc", "Which city?", "-m", "echo:Answer:", "--n", "3", "--json").out)
    assert again["usage"]["cached_calls"] == again["usage"]["calls"] > 0  # in the journal like any


def test_its_refusals_are_plain(site: Path) -> None:
    said = promptkit(site, "run", "direct", "Which city?", "-m", "echo:")
    assert said.code == 2
    assert said.err.startswith("error: an echo takes a word")
