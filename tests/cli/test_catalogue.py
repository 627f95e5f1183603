"""`promptkit strategies` and `promptkit models`, and the comments that become help."""

from __future__ import annotations

import inspect
import json
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from pathlib import Path

import pytest

from promptkit import api, registry
from promptkit.cli.app import start
from promptkit.cli.fields import field_help
from promptkit.cli.flags import LAYERS, SHARED

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.delenv("PROMPTKIT_MODEL", raising=False)
    return tmp_path


@dataclass(frozen=True)
class Outer:
    """Fields with and without comments."""

    plain: int = 1
    beside: str = "# not a comment"  # what it says, "quoted" # and all
    # above: not beside anything
    # nor is this
    several: list[int] = field(  # at the head
        default_factory=list
    )
    ended: dict[str, int] = field(default_factory=dict)  # at the end

    def method(self) -> None:
        """Not a field."""
        local: int = 1  # not a field's
        assert local


@dataclass(frozen=True)
class Inner(Outer):
    """Inherits, and says one thing anew."""

    plain: int = 2  # now it has one


def test_comments_beside_fields() -> None:
    assert field_help(Outer) == {
        "beside": 'what it says, "quoted" # and all',
        "several": "at the head",
        "ended": "at the end",
    }
    assert field_help(Inner) == {**field_help(Outer), "plain": "now it has one"}


def test_no_source_is_no_help() -> None:
    assert field_help(make_dataclass("Made", [("x", int, 1)])) == {}
    assert field_help(int) == {}


@pytest.mark.parametrize("name", registry.BUILT_IN["strategy"])
def test_every_parameter_of_a_strategy_is_described(name: str, capsys: Capture) -> None:
    kind = registry.load("strategy", name)
    assert set(field_help(kind)) == {each.name for each in fields(kind)}
    assert start(["strategies", name, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "promptkit.strategy/1"
    assert body["about"] == kind.__doc__.splitlines()[0]
    defaults = {each.name: None if each.default is MISSING else each.default for each in fields(kind)}
    assert {each["name"]: each["default"] for each in body["parameters"]} == defaults
    assert {each["name"] for each in body["parameters"] if each["required"]} == {
        each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING
    }
    assert start(["strategies", name]) == 0
    out = capsys.readouterr().out
    for each in body["parameters"]:
        assert (each["flag"] or each["name"]) in out
        assert each["help"] in out


def test_strategies_are_listed_with_their_papers(capsys: Capture) -> None:
    assert start(["strategies"]) == 0
    out = capsys.readouterr().out
    assert "tot" in out
    assert "2305.10601" in out
    assert start(["strategies", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    papers = {each["name"]: each["papers"] for each in body["strategies"]}
    assert set(papers) >= set(registry.BUILT_IN["strategy"])
    assert papers["cot"] == ["2201.11903", "2205.11916"]
    assert papers["direct"] == []


@pytest.mark.parametrize("name", registry.BUILT_IN["strategy"])
def test_no_parameter_has_the_name_of_a_flag_or_keyword_that_every_run_has(name: str) -> None:
    ours = {*SHARED, *inspect.signature(api.plan).parameters} - {"params", *LAYERS}  # a layer gives way to them
    assert {each.name for each in fields(registry.load("strategy", name))} & ours == set()


def test_strategies_stand_in_their_rooms(capsys: Capture) -> None:
    assert start(["strategies"]) == 0
    rooms = [block.splitlines() for block in capsys.readouterr().out.split("\n\n")]
    room_of = {line.split()[0]: lines[0].partition(":")[0] for lines in rooms for line in lines[2:]}
    assert [lines[0].partition(":")[0] for lines in rooms[:4]] == ["prompting", "voting", "search", "reflection"]
    assert (room_of["cot"], room_of["sc"], room_of["tot"]) == ("prompting", "voting", "search")
    assert start(["strategies", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert {each["name"]: each["room"] for each in body["strategies"]}.items() >= room_of.items()


def test_one_strategy_says_what_it_costs_and_what_is_known_of_it(capsys: Capture) -> None:
    assert start(["strategies", "persona"]) == 0
    out = capsys.readouterr().out
    assert "https://arxiv.org/abs/2302.11382" in out
    assert "samples: those of the strategy inside" in out
    assert "helps: tone" in out
    assert "does not help: being right: on factual questions" in out
    assert "by default" not in out  # who it is must be said first
    assert start(["strategies", "cot"]) == 0
    assert "by default, -P general: 1 sample\n" in capsys.readouterr().out
    assert start(["strategies", "cot", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["samples"] == {"least": 1, "expected": 1, "most": 1}
    assert body["room"] == "prompting"


def test_types_are_shown_as_choices(capsys: Capture) -> None:
    assert start(["strategies", "tot"]) == 0
    out = capsys.readouterr().out
    assert "propose | sample" in out
    assert "None" not in out


def test_an_unknown_strategy(capsys: Capture) -> None:
    assert start(["strategies", "tott"]) == 2
    assert "did you mean tot?" in capsys.readouterr().err


def test_a_plugin_that_cannot_be_loaded_does_not_hide_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(registry.BUILT_IN["strategy"], "broken", "promptkit.no_such_module:Nothing")
    assert start(["strategies"]) == 0
    out = capsys.readouterr().out
    assert "cannot be loaded" in out
    assert "sc " in out


def test_models_and_where_the_default_comes_from(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert start(["models", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "promptkit.models/1"
    assert body["default"] == {"model": "builtin", "origin": "default", "known": True}
    by_name = {each["provider"]: each for each in body["models"]}
    assert set(by_name) == set(registry.names("provider"))
    assert by_name["builtin"]["ready"] is True
    assert by_name["builtin"]["bytes"] > 1_000_000
    assert by_name["builtin"]["device"]
    assert by_name["llamacpp"]["xllamacpp"]
    (home / "config.toml").write_text('model = "llamacpp:/models/a.gguf"\n')
    assert start(["models"]) == 0
    assert f"default: llamacpp:/models/a.gguf  ({home / 'config.toml'})" in capsys.readouterr().out
    monkeypatch.setenv("PROMPTKIT_MODEL", "lamacpp:x")
    assert start(["models"]) == 0
    assert "no provider 'lamacpp'" in capsys.readouterr().out
