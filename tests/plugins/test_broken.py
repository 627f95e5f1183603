"""Plugins that cannot be used, and names that are taken: one clear line that names the package, and all others work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import install, promptkit, python

GOOD = '''
from dataclasses import dataclass
from promptkit.types import Outcome

@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """Says so."""
    async def solve(self, problem, model, /):
        return Outcome(answer="mine")
'''
STRATEGIES = {
    "a module that is missing": ("import no_such_module_anywhere", "ModuleNotFoundError"),
    "a syntax error": ("def", "SyntaxError"),
    "an exception at import": ("raise RuntimeError('not today')", "RuntimeError: not today"),
    "an exit at import": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "a name that is missing": ("", "AttributeError"),
    "a function": ("def Bad(problem, model): ...", "a strategy is a dataclass"),
    "a plain class": ("class Bad: ...", "a strategy is a dataclass"),
    "no solve": ("from dataclasses import dataclass\n@dataclass\nclass Bad: n: int = 1", "it has no solve"),
    "a type that is nowhere": (f"from __future__ import annotations{GOOD}    n: Nowhere = 1\nBad = Good", "NameError"),
    "a field that is a flag": (
        f"{GOOD}    model: str = ''\nBad = Good",
        "its fields cannot be flags: duplicate parameter name: 'model'",
    ),
}
PROVIDERS = {
    "no function": ("Bad = 3", "a provider is called, and this is a int"),
    "no arguments": ("def Bad(): ...", "called with a name and options"),
    "no model": ("def Bad(name, options): return name", "it opens a str"),
    "an exception": ("def Bad(name, options): raise OSError('no such device')", "OSError: no such device"),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


@pytest.mark.parametrize("fault", STRATEGIES)
def test_a_strategy_that_cannot_be_used(site: Path, fault: str) -> None:
    source, why = STRATEGIES[fault]
    install(site, "bad-luck", {"strategies:bad": "Bad"}, source)
    said = promptkit(site, "run", "bad", "?")
    assert said.code == 1
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0].startswith("error: strategy 'bad' of bad-luck 1.5 cannot be used: ")
    assert why in lines[0]
    assert [line.strip() for line in lines[1:]] == ["pip install --upgrade bad-luck", "pip uninstall bad-luck"]


@pytest.mark.parametrize("fault", PROVIDERS)
def test_a_provider_that_cannot_be_used(site: Path, fault: str) -> None:
    source, why = PROVIDERS[fault]
    install(site, "bad-luck", {"providers:bad": "Bad"}, source)
    said = promptkit(site, "run", "direct", "?", "-m", "bad:x")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: provider 'bad' of bad-luck 1.5 cannot be used: ")
    assert why in said.err.splitlines()[0]


def test_the_others_are_listed_and_work(site: Path) -> None:
    install(site, "bad-luck", {"strategies:bad": "Bad", "providers:worse": "nowhere:At"}, "raise RuntimeError('no')")
    install(site, "good-luck", {"strategies:good": "Good"}, GOOD)
    found = json.loads(promptkit(site, "plugins", "--json").out)["plugins"]
    assert [(each["name"], each["state"]) for each in found] == [("worse", "broken"), ("bad", "broken"), ("good", "ok")]
    assert all("bad-luck 1.5" in each["problem"] for each in found[:2])
    said = promptkit(site, "strategies")
    assert said.code == 0
    assert "bad-luck 1.5 cannot be used" in said.out
    assert "Says so." in said.out
    assert promptkit(site, "models").code == 0
    assert promptkit(site, "run", "good", "2 3 5 12", "-P", "game24", "-q").out == "mine\n"


def test_a_strategy_that_cannot_be_used_is_listed_with_the_reason(site: Path) -> None:
    install(site, "bad-luck", {"strategies:bad": "Bad"}, "import no_such_module_anywhere")
    install(site, "odd-luck", {"strategies:odd": "Good"}, f"{GOOD}    seed: int = 1\n")  # a flag of ours
    install(site, "good-luck", {"strategies:good": "Good", "strategies:direct": "Good"}, GOOD)
    said = promptkit(site, "run", "--help")
    assert said.code == 0
    listed = " ".join(said.out.split())
    for package, name in (("bad-luck", "bad"), ("odd-luck", "odd")):
        assert f"{name} cannot be loaded: strategy '{name}' of {package} 1.5 cannot be used: " in listed
    assert "good Says so." in listed
    assert "sc " in listed
    states = [(each["name"], each["state"]) for each in json.loads(promptkit(site, "plugins", "--json").out)["plugins"]]
    assert states == [("bad", "broken"), ("direct", "hidden"), ("good", "ok"), ("odd", "broken")]
    assert promptkit(site, "run", "bad", "--help").code == promptkit(site, "run", "odd", "?").code == 1


@pytest.mark.parametrize("line", ["promptkit run ", "promptkit run bad --", "promptkit strategies "])
def test_a_shell_is_offered_the_others_and_told_of_no_error(site: Path, line: str) -> None:
    install(site, "bad-luck", {"strategies:bad": "Bad"}, "import no_such_module_anywhere")
    install(site, "good-luck", {"strategies:good": "Good", "strategies:direct": "Good"}, GOOD)
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_PROMPTKIT_COMPLETE": "complete_bash"}
    code = f"import os, sys; os.environ |= {words!r}; sys.argv = ['promptkit']; import promptkit.cli as c; c.main()"
    said = python(site, "-c", code)
    assert said.err == ""
    assert line.endswith("--") or {"good", "sc"} <= set(said.out.split())


def test_the_doctor_names_what_cannot_be_used(site: Path) -> None:
    install(site, "bad-luck", {"strategies:bad": "Bad"}, "import no_such_module_anywhere")
    install(site, "good-luck", {"strategies:good": "Good", "strategies:direct": "Good"}, GOOD)
    said = promptkit(site, "doctor", "--json")
    found = [each for each in json.loads(said.out)["checks"] if each["check"] == "plugins"]
    assert said.code == 1
    assert [each["state"] for each in found] == ["fail", "warn", "ok"]
    assert "bad-luck 1.5 cannot be used" in found[0]["found"]
    assert "pip uninstall bad-luck" in found[0]["mend"]


def test_a_built_in_name_stays_built_in_and_that_is_said_once(site: Path) -> None:
    install(site, "usurper", {"strategies:direct": "Good", "providers:scripted": "Good"}, GOOD)
    replies = site.parent / "replies.yaml"
    replies.write_text("replies: [{say: theirs}]", "utf-8")
    said = promptkit(site, "run", "direct", "?", "-m", f"scripted:{replies}", "-q")
    assert (said.code, said.out) == (0, "theirs\n")
    assert said.err.splitlines() == [
        "warning: strategy 'direct' is built in; the one of usurper is not used",
        "warning: provider 'scripted' is built in; the one of usurper is not used",
    ]
    assert "hidden: strategy 'direct' is built in" in promptkit(site, "plugins").out
    code = "import promptkit.registry as r; print(r.load('strategy', 'direct').__module__)"
    from_python = python(site, "-c", code)
    assert from_python.out == "promptkit.strategies.prompting.direct\n"
    assert "PluginHidden: strategy 'direct' is built in" in from_python.err


def test_a_name_of_two_packages_is_neithers(site: Path) -> None:
    install(site, "castor", {"strategies:twin": "Good"}, GOOD)
    install(site, "pollux", {"strategies:twin": "Good"}, GOOD)
    said = promptkit(site, "run", "twin", "?")
    assert said.code == 1
    assert "castor" in said.err
    assert "pollux" in said.err
    states = [each["state"] for each in json.loads(promptkit(site, "plugins", "--json").out)["plugins"]]
    assert states == ["hidden", "hidden"]


def test_scorers_and_datasets_have_a_place(site: Path) -> None:
    install(site, "judge", {"scorers:exact": "exact", "datasets:riddles": "riddles"}, "exact = riddles = max")
    code = """
from promptkit import registry
for kind in ("scorer", "dataset"):
    (name,) = registry.names(kind)
    print(kind, name, registry.load(kind, name) is max)
print(registry.names("world"))
"""
    assert python(site, "-c", code).out == "scorer exact True\ndataset riddles True\n['game24']\n"


def test_no_plugins(site: Path) -> None:
    said = promptkit(site, "plugins")
    assert (said.code, said.out) == (0, "")
    assert "promptkit new strategy" in said.err
    assert json.loads(promptkit(site, "plugins", "--json").out)["plugins"] == []
