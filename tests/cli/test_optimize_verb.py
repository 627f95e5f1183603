"""`promptkit optimize`: what it prints, what it writes and when, and that nothing is asked twice."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from spoken import begin, command, end, is_error, recorded, until
from test_completion import offered

from promptkit import prompts
from promptkit.errors import BadPrompt

RECIPE = """\
optimize:
  prompt: general/solve
  strategy: direct
  model: scripted:replies.yaml
  data: questions.csv
  candidates:
    instructions: [Say it loudly., Say it softly.]
  budget: {calls: 200}
  train: 16
  held_out: 32
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a recipe; only who is told to say it softly says what is right."""
    (tmp_path / "r.yaml").write_text(RECIPE)
    (tmp_path / "questions.csv").write_text("question,answer\n" + "".join(f"Number {n}?,yes\n" for n in range(60)))
    (tmp_path / "replies.yaml").write_text('replies:\n- {when: softly, say: "yes"}\n- say: "no"\n')
    return tmp_path


def null(home: Path) -> None:
    (home / "replies.yaml").write_text('replies:\n- say: "no"\n')


def document(home: Path, *words: str) -> Any:
    said = command(home, "optimize", "r.yaml", "--json", *words)
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_better_version_is_told_and_written_with_where_it_is_from(home: Path) -> None:
    (home / "promptkit.toml").touch()
    said = command(home, "optimize", "r.yaml")
    assert said.code == 0, said.err
    lines = [line.split("  ") for line in said.out.splitlines()]
    assert said.out.splitlines()[0].split() == "candidate trained on training score e-value then instruction".split()
    assert [line[0] for line in lines[1:4]] == ["baseline", "instruction 1", "instruction 2"]
    assert "held-out, n = 32: instruction 2 100.0 % (89 to 100), baseline 0.0 % (0 to 11)" in said.out
    assert said.out.splitlines()[-1].startswith(
        "instruction 2 is better than the baseline: +100.0 points (95 % interval"
    )
    assert f"written: {home / 'prompts' / 'general' / 'solve.md'}" in said.err
    path = home / "prompts" / "general" / "solve.md"
    assert prompts.check(path) == []
    made, parent = prompts.load(path, "project"), prompts.find("general", "solve")
    assert made.version == parent.version + 1
    assert made.render(question="Why?")[0].text == "Why?\n\nSay it softly."
    assert (made.reader, made.defaults, made.about) == (parent.reader, parent.defaults, parent.about)
    (row,) = recorded(home)
    text = path.read_text()
    for line in (f"parent_digest: {parent.digest}", f"runs: [{row.id}]", "training_n: 8", "held_out_n: 32"):
        assert line in text
    assert "held_out_right: 1.0" in text
    assert "training_right" not in text


def test_the_same_again_costs_nothing(home: Path) -> None:
    first, second = document(home), document(home)
    assert first["usage"]["calls"] == second["usage"]["calls"] == second["usage"]["cached_calls"] > 0
    same = ("verdict", "sentence", "chosen", "held_out", "training", "spent", "prompt")
    assert [first[name] for name in same] == [second[name] for name in same]
    assert command(home, "replay", "last").out.strip() == first["sentence"]


def test_as_json(home: Path) -> None:
    told = document(home, "-o", "mine/solve.md")
    assert told["schema"] == "promptkit.optimize/1"
    assert (told["verdict"], told["chosen"], told["status"]) == ("better", "instruction 2", "done")
    assert told["written"] == "mine/solve.md"
    assert told["held_out"]["difference"] == 1.0
    assert "no result" in told["training"]["about"]
    assert {"name", "instruction", "training_right", "e_value", "left"} <= set(told["training"]["candidates"][1])
    assert told["budget"] == {"calls": 200, "tokens": None, "reached": False}
    assert told["spent"]["calls"] == told["usage"]["calls"]


def test_where_nothing_is_better_nothing_is_written(home: Path) -> None:
    null(home)
    (home / "promptkit.toml").touch()
    said = command(home, "optimize", "r.yaml")
    assert said.code == 0
    assert "no difference found between instruction 1 and the baseline: +0.0 points (95 % interval" in said.out
    assert "written" not in said.err
    assert not (home / "prompts").exists()


def test_without_a_project_it_says_how_it_would_be_written(home: Path) -> None:
    said = command(home, "optimize", "r.yaml", "-q")
    assert said.code == 0
    assert said.out.startswith("instruction 2 is better")
    assert "promptkit optimize r.yaml -o FILE.md" in said.err
    assert not list(home.rglob("*.md"))


def test_another_file_is_never_written_over_and_that_is_known_before_a_call(home: Path) -> None:
    (home / "mine.md").write_text("mine")
    assert is_error(command(home, "optimize", "r.yaml", "-o", "mine.md"), 2) == ["-o another-file.md"]
    assert (home / "mine.md").read_text() == "mine"
    assert recorded(home) == []


def test_what_an_earlier_run_wrote_is_written_again(home: Path) -> None:
    document(home, "-o", "mine.md")
    first = (home / "mine.md").read_text()
    assert document(home, "-o", "mine.md")["written"] == "mine.md"
    old, new = (
        [line for line in text.splitlines() if "runs:" not in line] for text in (first, (home / "mine.md").read_text())
    )
    assert old == new


def test_in_a_project_the_new_version_is_what_the_next_run_starts_from(home: Path) -> None:
    """Unless it is the same recipe, which starts from where it started."""
    (home / "promptkit.toml").touch()
    assert document(home)["parent"]["version"] == 1
    (home / "r.yaml").write_text(RECIPE.replace("Say it loudly.", "Shout it."))
    again = document(home)
    assert (again["parent"]["version"], again["verdict"], again["written"]) == (2, "none", None)
    assert [each["name"] for each in again["training"]["candidates"]] == ["baseline", "instruction 1"]


def test_in_a_project_the_same_again_asks_nothing_and_says_the_same(home: Path) -> None:
    (home / "promptkit.toml").touch()
    path = home / "prompts" / "general" / "solve.md"
    first = command(home, "optimize", "r.yaml")
    text = path.read_bytes()
    second = command(home, "optimize", "r.yaml")
    assert (second.code, second.out) == (0, first.out)
    assert f"already written: {path}" in second.err
    assert path.read_bytes() == text
    told = document(home)
    assert told["usage"]["calls"] == told["usage"]["cached_calls"] > 0
    (home / "r.yaml").write_text(RECIPE.replace("calls: 200", "calls: 300"))
    told = document(home)
    assert (told["verdict"], told["usage"]["calls"]) == ("better", told["usage"]["cached_calls"]), "the budget alone"
    other = document(home, "--seed", "1")
    assert other["parent"]["version"] == 2, "other questions are another recipe"


def test_a_parent_that_was_written_over_is_in_the_journal(home: Path) -> None:
    (home / "promptkit.toml").touch()
    path = home / "prompts" / "general" / "solve.md"
    path.parent.mkdir(parents=True)
    path.write_text("---\nversion: 7\ninputs: [question]\n---\n{{ question }}\n\nMumble.\n")
    dry = command(home, "optimize", "r.yaml", "--dry-run").out
    assert document(home)["parent"]["version"] == 7
    assert "Mumble" not in path.read_text()
    told = document(home)
    assert (told["parent"]["version"], told["verdict"]) == (7, "better")
    assert told["usage"]["calls"] == told["usage"]["cached_calls"]
    assert command(home, "optimize", "r.yaml", "--dry-run").out == dry


def test_a_version_that_was_edited_is_a_template_of_its_own(home: Path) -> None:
    (home / "promptkit.toml").touch()
    document(home)
    path = home / "prompts" / "general" / "solve.md"
    path.write_text(path.read_text().replace("Say it softly.", "Whisper it."))
    told = document(home)
    assert told["parent"]["version"] == 2
    assert told["training"]["candidates"][0]["instruction"] == "Whisper it."


def test_where_all_are_hopeless_no_held_out_question_is_asked(home: Path) -> None:
    (home / "replies.yaml").write_text('replies:\n- {when: Say, say: "no"}\n- say: "yes"\n')
    said = command(home, "optimize", "r.yaml")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1].startswith("no better prompt found: in the race")
    assert "held-out: not asked" in said.out
    assert document(home)["spent"]["calls"] <= 3 * 16


def test_what_the_strategy_decodes_with_is_part_of_the_version(home: Path) -> None:
    text = RECIPE.replace("strategy: direct", "strategy: direct(reply_tokens=99, temperature=0.5)")
    (home / "r.yaml").write_text(text)
    document(home, "-o", "solve.md")
    assert "defaults: {temperature: 0.5, max_tokens: 99}" in (home / "solve.md").read_text()
    with pytest.raises(BadPrompt, match="no front matter"):
        prompts.load(home / "questions.csv", "file")


def test_a_dry_run_asks_nothing(home: Path) -> None:
    said = command(home, "optimize", "r.yaml", "--dry-run")
    assert said.code == 0
    assert "Say it softly.  ->  general/solve" in said.out
    assert "would take 16 to 112 samples, about 104; nothing was called" in said.err
    told = json.loads(command(home, "optimize", "r.yaml", "--dry-run", "--json").out)
    assert (told["schema"], told["samples"]["least"], told["samples"]["most"]) == ("promptkit.dry-run/1", 16, 112)
    assert recorded(home) == []


def test_a_cap_ends_it_with_what_goes_on(home: Path) -> None:
    said = command(home, "optimize", "r.yaml", "--max-calls", "30")
    assert said.code == 5
    assert hints(said.err) == ["promptkit optimize r.yaml --max-calls 60"]
    again = document(home)
    assert again["verdict"] == "better"
    assert again["usage"]["cached_calls"] == 30


def test_what_goes_on_after_a_cap_is_the_command_as_it_was_typed(home: Path) -> None:
    said = command(home, "optimize", "r.yaml", "-o", "my file.md", "--seed", "3", "--max-tokens", "100")
    assert hints(said.err) == ["promptkit optimize r.yaml -o 'my file.md' --seed 3 --max-tokens 200"]
    said = command(home, "optimize", "r.yaml", "--fresh", "--max-calls", "20")
    row = recorded(home)[0]
    assert hints(said.err) == [
        "promptkit optimize r.yaml --fresh --max-calls 40   # draws anew",
        f"promptkit resume {row.id} --max-calls 40   # goes on with these draws; writes no file",
    ]
    assert command(home, "resume", row.id, "--max-calls", "200", "-q").out.startswith("instruction 2 is better")


def test_a_budget_of_the_recipe_is_raised_there(home: Path) -> None:
    """No flag and no resume can."""
    (home / "r.yaml").write_text(RECIPE.replace("calls: 200", "calls: 100").replace("[Say", "[Hum it., Say"))
    said = command(home, "optimize", "r.yaml", "--fresh")
    assert "the budget of r.yaml ended the race early" in said.err, said.err
    assert "resume" not in said.err
    assert hints(said.err)[0] == "promptkit optimize r.yaml --fresh   # draws anew"


def hints(err: str) -> list[str]:
    return [line.strip() for line in err.splitlines() if line.startswith("  promptkit ")]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT between processes")
def test_interrupted_it_loses_nothing(home: Path) -> None:
    slow = (home / "replies.yaml").read_text() + "delay: 0.05\n"
    (home / "replies.yaml").write_text(slow)
    process = begin(home, "optimize", "r.yaml")
    until(home, 8)
    said = end(process, signal.SIGINT)
    assert said.code == 130, said.err
    assert "promptkit optimize r.yaml" in said.err
    assert "better" not in said.out
    (row,) = recorded(home)
    told = document(home)
    assert told["usage"]["cached_calls"] >= 8
    assert command(home, "resume", row.id).out.strip() == told["sentence"]


def test_what_cannot_be_is_an_error_with_a_hint(home: Path) -> None:
    assert is_error(command(home, "optimize", "optimize-wrods"), 2) == ["did you mean optimize-words?"]
    assert is_error(command(home, "optimize", "no.yaml"), 2)
    (home / "r.yaml").write_text(RECIPE.replace("budget", "bugdet"))
    said = command(home, "optimize", "r.yaml")
    assert "r.yaml:8:3: no key 'bugdet' in optimize" in said.err
    assert is_error(said, 2) == ["did you mean budget?"]


def test_a_shell_is_offered_recipes(home: Path) -> None:
    assert "optimize-words" in offered(home, "promptkit optimize ")
    assert offered(home, "promptkit optimize r") == ["r.yaml", "replies.yaml"]
