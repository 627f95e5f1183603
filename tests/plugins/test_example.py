"""The example plugin, built and installed as a user would, then used through the command line and from Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import built, promptkit, python

EXAMPLE = Path(__file__).parents[2] / "examples" / "promptkit-plugin"
QUESTION = "Which of three job offers should I take?"
PARROT = "parrot:Answer: the second"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(EXAMPLE, tmp_path_factory.mktemp("example"))


def test_it_is_listed_with_what_it_adds(site: Path) -> None:
    said = promptkit(site, "plugins")
    assert (said.code, said.err) == (0, "")
    assert [line.split() for line in said.out.splitlines()] == [
        ["package", "version", "kind", "name", "state"],
        ["promptkit-example", "0.1.0", "provider", "parrot", "ok"],
        ["promptkit-example", "0.1.0", "strategy", "twice", "ok"],
    ]
    body = json.loads(promptkit(site, "plugins", "--json").out)
    assert body["schema"] == "promptkit.plugins/1"
    assert [each["target"] for each in body["plugins"]] == [
        "promptkit_example.parrot:open_parrot",
        "promptkit_example.twice:Twice",
    ]
    assert {(each["state"], each["problem"]) for each in body["plugins"]} == {("ok", "")}


def test_it_stands_beside_the_built_in_ones(site: Path) -> None:
    assert "answer only if both replies agree" in promptkit(site, "strategies").out
    assert "above 0, or both would be the same" in promptkit(site, "run", "twice", "--help").out
    assert "parrot:MODEL" in promptkit(site, "models").out


def test_the_command_line_uses_both(site: Path) -> None:
    said = promptkit(site, "run", "twice", QUESTION, "-m", PARROT, "-q")
    assert (said.code, said.out) == (0, "the second\n"), said.err
    again = json.loads(promptkit(site, "run", "twice", QUESTION, "-m", PARROT, "--json").out)
    assert (again["strategy"], again["model"]) == ("twice", PARROT)
    assert again["usage"]["calls"] == again["usage"]["cached_calls"] == 2  # the journal keeps its replies like any
    assert promptkit(site, "replay", "last", "-q").out == "the second\n"


def test_it_says_why_it_is_undecided(site: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text('replies: [{say: ["Answer: A", "Answer: B"]}]')
    said = promptkit(site, "run", "twice", QUESTION, "-m", f"scripted:{tmp_path / 'torn.yaml'}")
    assert (said.code, said.out) == (3, "")
    assert "undecided: one says A, the other B" in said.err


def test_python_uses_both(site: Path) -> None:
    code = f"""
import promptkit as pk
from promptkit import registry
print("twice" in registry.names("strategy"), registry.load("strategy", "twice").__name__)
print(pk.run("twice", {QUESTION!r}, model={PARROT!r}, journal="memory").answer)
"""
    said = python(site, "-c", code)
    assert (said.out, said.err) == ("True Twice\nthe second\n", "")


def test_its_own_refusals_are_plain(site: Path) -> None:
    said = promptkit(site, "run", "direct", QUESTION, "-m", "parrot:")
    assert said.code == 2
    assert said.err.startswith("error: a parrot takes words")
    said = promptkit(site, "run", "twyce", QUESTION)
    assert said.code == 2
    assert "did you mean twice?" in said.err
