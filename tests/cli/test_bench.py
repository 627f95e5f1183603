"""`promptkit bench`: what it prints, where, and how it ends. The models here are scripted; nothing is measured."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from spoken import Said, begin, command, end, is_error, until

from promptkit.bench import equal, ladder, parts
from promptkit.bench.section import Bench, Section, Table
from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]

REPLIES = """
replies:
  - when: Possible next steps
    say: "1 + 1 = 2"
  - when: Evaluate
    say: sure
  - say: "Answer: 4 * 6"
"""
QUICK = ["game24", "--items", "3", "--seeds", "1"]
ORDER = "direct few-shot cot sc sc sc best-of-n tot tot tot tot beam best-first mcts".split()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "replies.yaml").write_text(REPLIES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of equal tokens are sought among few: what a vote of hundreds gets is not in question here."""
    monkeypatch.setattr(equal, "MOST", 24)
    monkeypatch.setattr(ladder, "CURVE", (1, 5))


def say(capsys: Capture, *words: str) -> Said:
    capsys.readouterr()
    code = start(["bench", *words])
    return Said(code, *capsys.readouterr())


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Bench]]:
    """What was measured, by a benchmark that takes no time; the section `words` is interrupted."""
    seen: list[tuple[str, Bench]] = []

    async def measure(name: str, bench: Bench) -> Section:
        seen.append((name, bench))
        if name == "words":
            for rows in (1, 2):
                bench.partly(Table("Easy", ("what", "right %"), (("it", 0.25), ("that", 0.75))[:rows]), 2)
            bench.partly(Table("Hard", ("what", "right %"), (("it", 0.125),)), 2)
            raise asyncio.CancelledError  # which is what Ctrl-C makes of it in there
        return Section(name, f"The {name}", (Table("All", ("what", "right %"), (("it", 0.5),)),), ("A note.",))

    monkeypatch.setattr(parts, "measure", measure)
    return seen


def test_the_ladder_goes_to_stdout_and_the_progress_to_stderr(home: Path, capsys: Capture) -> None:
    said = say(capsys, "scripted:replies.yaml", *QUICK)
    assert said.code == 0
    assert said.out.startswith("## Game of 24")
    rows = [line for line in said.out.partition("### Votes")[0].splitlines() if re.match(r"\| [a-z]", line)][1:]
    assert [row.split()[1] for row in rows] == ORDER
    assert all("| 0 % | 0–56 |" in row for row in rows)
    assert "game24: tot b=5" in said.err
    assert "- 3 questions, fewer than 10: intervals are wide" in said.out
    assert not list(home.glob("**/journal.db*"))


def test_json_is_one_document(capsys: Capture) -> None:
    said = say(capsys, "scripted:replies.yaml", *QUICK, "--json")
    body = json.loads(said.out)
    assert set(body) == {"schema", "model", "identity", "items", "seeds", "complete", "sections", "unfinished"}
    assert (body["schema"], body["items"], body["seeds"], body["complete"]) == ("promptkit.bench/1", 3, [0], True)
    assert body["unfinished"] is None
    (section,) = body["sections"]
    assert (section["name"], len(section["tables"][0]["rows"])) == ("game24", len(ORDER))
    assert all(len(row) == len(section["tables"][0]["columns"]) for row in section["tables"][0]["rows"])


def test_all_sections_of_the_builtin_are_what_is_asked_for_by_nothing(
    measured: list[tuple[str, Bench]], capsys: Capture
) -> None:
    assert say(capsys).code == 130
    assert [name for name, _ in measured] == ["game24", "grid", "words"]
    (bench,) = {id(bench): bench for _, bench in measured}.values()
    assert (bench.model.id, bench.items, list(bench.seeds)) == ("builtin", 320, [0, 1])


@pytest.mark.parametrize(
    ("words", "items", "seeds"), [(["--quick"], 40, 1), (["--quick", "--items", "7"], 7, 1), (["--seeds", "3"], 320, 3)]
)
def test_quick_is_fewer_unless_a_number_is_given(
    words: list[str], items: int, seeds: int, measured: list[tuple[str, Bench]], capsys: Capture
) -> None:
    said = say(capsys, "builtin", "grid", "speed", "grid", *words)
    assert said.code == 0
    assert [(name, bench.items, len(bench.seeds)) for name, bench in measured] == [
        ("grid", items, seeds),
        ("speed", items, seeds),
    ]


def test_ctrl_c_keeps_what_was_printed(measured: list[tuple[str, Bench]], capsys: Capture) -> None:
    said = say(capsys, "builtin")
    assert said.code == 130
    assert "## The game24" in said.out
    assert "## The grid" in said.out
    assert "interrupted in words after 1 of 2 rows; measured: game24, grid" in said.err


def test_ctrl_c_prints_the_rows_that_were_measured_of_the_section_under_way(
    measured: list[tuple[str, Bench]], capsys: Capture
) -> None:
    *_, last = say(capsys, "builtin").out.partition("## words, interrupted")
    assert last.split("\n\n")[1::2] == ["### Easy", "### Hard (only 1 of 2 rows)"]
    assert "| that | 75 % |" in last
    assert "| it | 12 % |" in last


def test_ctrl_c_leaves_a_whole_document(measured: list[tuple[str, Bench]], capsys: Capture) -> None:
    said = say(capsys, "builtin", "--json")
    body: dict[str, Any] = json.loads(said.out)
    assert said.code == 130
    assert body["complete"] is False
    assert [section["name"] for section in body["sections"]] == ["game24", "grid"]
    assert [len(table["rows"]) for table in body["unfinished"]["tables"]] == [2, 1]


def test_the_ladder_is_drawn(home: Path, capsys: Capture) -> None:
    assert say(capsys, "-m", "scripted:replies.yaml", *QUICK, "--plot", "ladder.svg").code == 0
    drawn = (home / "ladder.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in drawn for name in ("Game of 24", "direct", "tot b=5", "self-consistency, n chains"))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_a_benchmark_that_is_stopped_ends_in_peace(home: Path) -> None:
    words = ["bench", "scripted:replies.yaml", *QUICK, "--journal", str(home / "journal.db")]
    (home / "replies.yaml").write_text(REPLIES + "delay: 0.2\n")
    process = begin(home, *words)
    until(home, calls=1)
    said = end(process, signal.SIGINT)
    assert said.code == 130, said
    assert "Traceback" not in said.err
    assert "interrupted in game24; measured: nothing" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["game42"], "did you mean game24?"),
        (["everything"], "verdicts"),
        (["bultin"], "builtin"),
        (["builtin", "-m", "scripted:replies.yaml"], "promptkit bench -m builtin"),
        (["game24", "--plot", "ladder.png"], "ladder.svg"),
        (["speed", "--plot", "ladder.svg"], "promptkit bench game24"),
        (["scripted:nowhere.yaml"], "scripted:"),
        (["--items", "0"], "promptkit bench --help"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything(words: list[str], hint: str, capsys: Capture) -> None:
    assert hint in "\n".join(is_error(say(capsys, *words), 2))


def test_help_names_the_sections_and_the_defaults(home: Path) -> None:
    said = command(home, "bench", "--help")
    assert said.code == 0
    shown = " ".join(said.out.split())
    assert "Usage: promptkit bench [OPTIONS] [NAME]…" in shown
    assert all(name in shown for name in (*parts.SECTIONS, "--quick", "--journal", "320"))


def test_sections_are_completed() -> None:
    from promptkit.cli import complete

    assert complete.benched("g")[:2] == ["game24", "grid"]
    assert complete.benched("built") == ["builtin"]
