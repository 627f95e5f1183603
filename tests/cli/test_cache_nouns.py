"""`promptkit cache`: a miss explained, what is held counted, what is old removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spoken import QUESTION, command, is_error, on_terminal, recorded

from promptkit import api
from promptkit.cli.app import start
from promptkit.journal import Journal
from promptkit.journal.nearest import Why
from promptkit.providers.scripted import Scripted
from promptkit.types import Outcome

Asks = Callable[..., Outcome]


def asker(journal: Journal, **base: Any) -> Asks:
    def ask(question: str = QUESTION, **how: Any) -> Outcome:
        chosen = {
            "strategy": "cot",
            "model": Scripted(lambda request: "Answer: 1", name="m", identity="m"),
            **base,
            **how,
        }
        return api.run(question=question, journal=journal, **chosen)

    return ask


def reasons(journal: Journal, outcome: Outcome) -> list[Why]:
    row = journal.run(outcome.run)
    return journal.why([key for key, _, cached in journal.calls(row.id) if not cached], row.started)


def named(identity: str, name: str = "m") -> Scripted:
    return Scripted(lambda request: "Answer: 1", name=name, identity=identity)


def test_nothing_like_it_was_asked(journal: Journal) -> None:
    ask = asker(journal)
    assert {reason.kind for reason in reasons(journal, ask())} == {"new"}
    other = ask("2 3 5 12", pack="game24")
    assert {reason.kind for reason in reasons(journal, other)} == {"new"}


@pytest.mark.parametrize(
    ("how", "difference"),
    [
        ({"temperature": 0.5}, "temperature 0.0 → 0.5"),
        ({"seed": 1}, "seed 0 → 1"),
        ({"question": "Which of four job offers should I take?"}, "line "),
        ({"model": named("m2", "other")}, "model scripted:m → scripted:other"),
        ({"model": named("m2")}, "the model changed"),
    ],
)
def test_what_differs_from_what_came_nearest(journal: Journal, how: dict[str, Any], difference: str) -> None:
    ask = asker(journal, temperature=0.0)
    ask("Something quite different, that shares no more than the frame with the question below.")
    first = ask()
    (reason,) = set(reasons(journal, ask(**how)))
    assert (reason.kind, reason.nearest) == ("changed", first.run)
    assert len(reason.differences) == 1
    assert difference in reason.differences[0]
    if "question" in how:
        assert "three job offers" in reason.differences[0]
        assert "four job offers" in reason.differences[0]


def test_the_parts_of_a_models_identity_are_named(journal: Journal) -> None:
    ask = asker(journal)
    ask(model=named('{"batch": 4, "gguf": "a", "template": "t"}'))
    (reason,) = set(reasons(journal, ask(model=named('{"batch": 8, "gguf": "b", "template": "t"}'))))
    assert reason.differences == ("batch 4 → 8", "the model file changed")


def test_a_further_sample_and_a_fresh_draw(journal: Journal) -> None:
    ask = asker(
        journal, strategy="sc", model=Scripted(lambda request: f"Answer: {request.index % 2}", name="m", identity="m")
    )
    ask(n=2)
    (further,) = set(reasons(journal, ask(n=4)))
    assert further.kind == "draw"
    assert further.differences == ("this draw was not taken before; of the same prompt there were 2",)
    (fresh,) = set(reasons(journal, ask(n=2, fresh=True)))
    assert fresh.kind == "fresh"


def test_a_run_explained_on_the_command_line(tmp_path: Path) -> None:
    for more in ((), ("--temperature", "0.9")):
        assert command(tmp_path, "run", "sc", "-P", "game24", "2 3 5 12", "-q", *more).code in (0, 3)
    new, old = recorded(tmp_path)
    said = command(tmp_path, "cache", "why")
    assert said.code == 0
    assert "temperature 0.7 → 0.9" in said.out
    assert f"nearest: run {old.id}" in said.out
    assert "bought" in said.err
    body = json.loads(command(tmp_path, "cache", "why", new.id, "--call", "1", "--json").out)
    assert (body["schema"], body["run"], len(body["misses"])) == ("promptkit.cache-why/1", new.id, 1)
    assert body["misses"][0]["differences"] == ["temperature 0.7 → 0.9"]
    hints = is_error(command(tmp_path, "cache", "why", new.id, "--call", "999"), 2)
    assert hints[0].startswith("--call 1 to --call ")
    assert "never asked before" in command(tmp_path, "cache", "why", old.id).out


def test_a_run_from_the_journal_has_nothing_to_explain(tmp_path: Path) -> None:
    for _ in range(2):
        command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q")
    said = command(tmp_path, "cache", "why", "last")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("0 bought, ")


def test_counted(tmp_path: Path) -> None:
    empty = json.loads(command(tmp_path, "cache", "stats", "--json").out)
    assert (empty["runs"], empty["completions"], empty["oldest"], empty["models"]) == (0, 0, None, [])
    for _ in range(2):
        command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q")
    body = json.loads(command(tmp_path, "cache", "stats", "--json").out)
    assert (body["schema"], body["path"]) == ("promptkit.cache-stats/1", str(tmp_path / "journal.db"))
    assert body["runs"] == 2
    assert body["saved"]["calls"] == body["calls"] >= 1
    assert body["saved"]["tokens"] > 0
    assert [model["model"] for model in body["models"]] == ["builtin"]
    shown = command(tmp_path, "cache", "stats").out
    assert "2 runs" in shown
    assert "saved     1 call" in shown


def test_old_runs_are_removed_when_that_is_confirmed(tmp_path: Path) -> None:
    for question in ("2 3 5 12", "1 2 3 4", "4 5 6 10"):
        command(tmp_path, "run", "cot", "-P", "game24", question, "-q")
    newest = recorded(tmp_path)[0].id
    assert "would remove 2 runs" in command(tmp_path, "cache", "prune", "--keep-runs", "1", "--dry-run").err
    hints = is_error(command(tmp_path, "cache", "prune", "--keep-runs", "1"), 2)
    assert hints == ["promptkit cache prune --keep-runs 1 --yes"]
    assert len(recorded(tmp_path)) == 3
    said = command(tmp_path, *hints[0].split()[1:])
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("removed 2 runs and ")
    assert "the file went from " in said.err
    assert [row.id for row in recorded(tmp_path)] == [newest]
    assert command(tmp_path, "replay", "last", "-q").code in (0, 3)
    assert command(tmp_path, "cache", "prune", "--older-than", "30d").err == "there is nothing to remove\n"


@pytest.mark.skipif("sys.platform == 'win32'", reason="needs a pseudo-terminal")
def test_a_person_is_asked(tmp_path: Path) -> None:
    command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q")
    said = on_terminal(tmp_path, "cache", "prune", "--keep-runs", "0", "--yes")
    assert "removed 1 run" in said.err
    assert recorded(tmp_path) == []


@pytest.mark.skipif("sys.platform == 'win32'", reason="needs a pseudo-terminal")
def test_a_person_may_say_no(tmp_path: Path) -> None:
    command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q")
    said = on_terminal(tmp_path, "cache", "prune", "--keep-runs", "0", typed="n\n")
    assert said.code == 0
    assert "nothing removed" in said.err
    assert len(recorded(tmp_path)) == 1


def test_what_is_to_go_has_to_be_said(tmp_path: Path) -> None:
    command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q")
    hints = is_error(command(tmp_path, "cache", "prune", "--yes"), 2)
    assert [hint.split()[3] for hint in hints] == ["--older-than", "--keep-runs", "--max-size"]
    assert len(recorded(tmp_path)) == 1


@pytest.mark.skipif("sys.platform == 'win32'", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", [60, 40])
def test_counted_on_a_narrow_terminal(tmp_path: Path, columns: int) -> None:
    (tmp_path / "a.yaml").write_text("replies: [{say: 'Answer: a'}]")
    command(tmp_path, "run", "cot", QUESTION, "-m", f"scripted:{tmp_path / 'a.yaml'}", "-q")
    said = on_terminal(tmp_path, "cache", "stats", columns=columns, all_on_it=True).err.replace("\r", "")
    lines = said.splitlines()
    path, named = str(tmp_path / "journal.db"), f"scripted:{tmp_path / 'a.yaml'}"
    assert path in lines[0] or lines[1].strip() == path
    assert max(len(line) for line in lines if path not in line and named not in line and "\x1b" not in line) <= columns
    assert "holds     1 run, 1 call, 1 sample" in said
    assert "tokens out" in said.partition("calls ")[2].split("\n")[0], "the counts stay under their names"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--keep-runs", "-1"), "Invalid value for '--keep-runs': must be at least 0"),
        (("--older-than", "yesterday"), "days above 0, such as 30, 12h or 2w"),
        (("--older-than", "0"), "days above 0"),
        (("--max-size", "much"), "a size above 0, such as 500MB or 1GB"),
    ],
)
def test_words_that_are_no_age_and_no_size(tmp_path: Path, words: tuple[str, ...], wanted: str) -> None:
    said = command(tmp_path, "cache", "prune", *words)
    is_error(said, 2)
    assert wanted in said.err


def test_the_nearest_verb_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["cache", "stat"]) == 2
    assert "did you mean stats?" in capsys.readouterr().err


def test_a_run_with_a_journal_of_its_own(tmp_path: Path) -> None:
    said = command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q", "--journal", "memory")
    assert said.code in (0, 3)
    assert recorded(tmp_path) == []
    assert not (tmp_path / "memory").exists()
    command(tmp_path, "run", "cot", "-P", "game24", "2 3 5 12", "-q", "--journal", str(tmp_path / "other.db"))
    assert recorded(tmp_path) == []
    assert command(tmp_path, "runs", "list", PROMPTKIT_JOURNAL=str(tmp_path / "other.db")).out.count("2 3 5 12") == 1


def test_models_in_a_row_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("replies: [{say: 'Answer: a'}]")
    listed = f"groq:llama-3.3-70b-versatile,scripted:{tmp_path / 'a.yaml'}"
    said = command(tmp_path, "run", "cot", QUESTION, "-m", listed)
    assert (said.code, said.out) == (0, "a\n")
    assert "groq:llama-3.3-70b-versatile cannot answer" in said.err
    assert "GROQ_API_KEY" in said.err
    assert "cot · groq:llama-3.3-70b-versatile,scripted:a.yaml · general\n" in said.err, (
        "each name is shortened on its own"
    )
    assert command(tmp_path, "replay", "last", "-q").out == "a\n"
    assert command(tmp_path, "resume", "last", "-q").out == "a\n"
    assert " · answered by scripted:a.yaml · " in command(tmp_path, "runs", "show", "last").out.splitlines()[0]
    assert " · scripted:a.yaml · " in command(tmp_path, "runs", "show", "last", "--call", "1").out.splitlines()[0]
    hints = is_error(command(tmp_path, "run", "cot", QUESTION, "-m", "groq:x,olama:y"), 2)
    assert "did you mean ollama?" in hints
