"""`promptkit runs`: what it lists, shows, removes and carries from journal to journal."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import promptkit as pk
from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    return tmp_path


def said(request: pk.Request) -> str:
    return ["<think>hm</think>Answer: 7", "Answer: 8", "Answer: 7"][request.index % 3]


def record(question: str = "What is 3 + 4?", strategy: str = "direct", **how: Any) -> str:
    """The id of a run now in the journal."""
    return pk.run(strategy, question, model=pk.Scripted(said, name="said"), **how).run


def shown(words: list[str], capsys: Capture) -> Any:
    """The JSON document a command prints."""
    assert start(words) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("noun", ["runs", "prompts"])
def test_a_noun_without_a_verb_shows_help(noun: str, capsys: Capture) -> None:
    assert start([noun]) == 0
    assert f"Usage: promptkit {noun}" in capsys.readouterr().out


def test_an_empty_journal_prints_nothing_on_stdout(capsys: Capture) -> None:
    assert start(["runs", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "no runs yet" in err
    assert start(["runs", "show", "last"]) == 2


def test_list_is_newest_first_and_says_what_it_leaves_out(capsys: Capture) -> None:
    ids = [record(f"question {number}") for number in range(3)]
    assert start(["runs", "list", "--limit", "2"]) == 0
    out, err = capsys.readouterr()
    head, *rows = out.splitlines()
    assert head.split()[0] == "id"
    assert [row.split()[0] for row in rows] == ids[:0:-1]
    assert "2 of 3 runs" in err
    body = shown(["runs", "list", "--json", "--limit", "0"], capsys)
    assert (body["schema"], body["total"]) == ("promptkit.runs/1", 3)
    assert [run["run"] for run in body["runs"]] == ids[::-1]
    assert body["runs"][0]["answer"] is not None


def test_a_piped_list_names_what_is_inside(capsys: Capture) -> None:
    record(strategy="sc", n=2, of="few-shot(n=0)")
    assert start(["runs", "list"]) == 0
    assert "  sc of few-shot  " in capsys.readouterr().out


def test_a_piped_list_cuts_nothing_and_styles_nothing(capsys: Capture) -> None:
    question = "[bold]Why[/bold]\x1b[31m " + "so long " * 60 + "end?"
    record(question)
    assert start(["runs", "list"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.endswith("end?")
    assert "[bold]Why[/bold]" in row
    assert "\x1b" not in row


def test_show_takes_a_beginning_or_last(capsys: Capture) -> None:
    run = record()
    for name in (run, run[:4], "last"):
        assert start(["runs", "show", name]) == 0
        assert run in capsys.readouterr().out
    assert start(["runs", "show", "nonsense"]) == 2


def test_show_as_json_holds_the_calls(capsys: Capture) -> None:
    run = record(strategy="sc", n=3)
    body = shown(["runs", "show", run, "--json"], capsys)
    assert (body["schema"], body["run"], body["answer"]) == ("promptkit.run-record/1", run, "7")
    assert [call["call"] for call in body["calls"]] == [1, 2, 3]
    for call in body["calls"]:
        assert call["text"].endswith(f"Answer: {8 if call['draw'] == [1] else 7}")
    assert "events" not in body
    assert shown(["runs", "show", run, "--json", "--events"], capsys)["events"]


def test_one_call_is_shown_with_its_prompt(capsys: Capture) -> None:
    run = record("What is 3 + 4?", "sc", n=3)
    assert start(["runs", "show", run, "--call", "1"]) == 0
    out, err = capsys.readouterr()
    assert "What is 3 + 4?" in out
    assert "Answer: 7" in out
    assert err == ""
    body = shown(["runs", "show", run, "--call", "2", "--json"], capsys)
    assert body["schema"] == "promptkit.call/1"
    assert "What is 3 + 4?" in body["request"]["messages"][-1]["content"][0]["text"]
    assert start(["runs", "show", run, "--call", "9"]) == 2
    assert "3 samples" in capsys.readouterr().err


def test_a_prompt_is_shown_as_it_was_sent(home: Path, capsys: Capture) -> None:
    run = record()
    pack = home / "prompts" / "general"
    pack.mkdir(parents=True)
    (pack / "solve.md").write_text("---\nversion: 2\ninputs: [question]\n---\nBriefly: {{ question }}\n")
    assert start(["runs", "show", run, "--call", "1"]) == 0
    out = capsys.readouterr().out
    assert "What is 3 + 4?" in out
    assert "Briefly" not in out


def test_a_failed_call_keeps_its_number_and_its_error(capsys: Capture) -> None:
    from promptkit.errors import Rejected

    def script(request: pk.Request) -> str:
        raise Rejected("not today")

    with pytest.raises(Rejected):
        pk.run("direct", "why?", model=pk.Scripted(script))
    (call,) = shown(["runs", "show", "last", "--json"], capsys)["calls"]
    assert call["text"] is None
    assert "not today" in call["error"]
    assert start(["runs", "show", "last", "--call", "1"]) == 0
    out, err = capsys.readouterr()
    assert "not today" in out
    assert "not in the journal" in err


def test_a_failed_draw_shows_the_prompt_of_its_siblings(capsys: Capture) -> None:
    from promptkit.errors import Rejected

    def script(request: pk.Request) -> str:
        if request.index == 2:
            raise Rejected("not this one")
        return f"Answer: {request.index}"

    with pytest.raises(Rejected):
        pk.run("sc", "What is 3 + 4?", n=3, concurrency=1, model=pk.Scripted(script))
    calls = shown(["runs", "show", "last", "--json"], capsys)["calls"]
    (number,) = [call["call"] for call in calls if call["error"]]
    body = shown(["runs", "show", "last", "--json", "--call", str(number)], capsys)
    assert (body["key"], body["text"]) == (None, None)
    assert "What is 3 + 4?" in body["request"]["messages"][-1]["content"][0]["text"]


def test_events_are_json_lines_on_stdout(capsys: Capture) -> None:
    run = record()
    assert start(["runs", "show", run, "--events"]) == 0
    kinds = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert kinds[-1] != kinds[0]
    assert "CallEnded" in kinds


def test_the_tree_and_a_run_without_one(capsys: Capture) -> None:
    def script(request: pk.Request) -> str:
        return "sure" if "Evaluate" in request.messages[-1].text else "2 + 3 = 5 (left: 5 5 12)"

    pk.run("tot", "2 3 5 12", pack="game24", depth=1, model=pk.Scripted(script))
    assert start(["runs", "show", "last", "--tree"]) == 0
    assert "2 + 3 = 5" in capsys.readouterr().out
    record()
    assert start(["runs", "show", "last", "--tree"]) == 0
    assert "no search tree; what it did: promptkit runs show r" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--tree", "--events"], ["--tree", "--call", "1"], ["--tree", "--json"]])
def test_one_view_at_a_time(words: list[str]) -> None:
    run = record()
    assert start(["runs", "show", run, *words]) == 2


def test_rm_without_a_terminal_wants_yes(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    first, second = record("one?"), record("two?")
    assert start(["runs", "rm", first, second]) == 2
    assert f"promptkit runs rm {first} {second} --yes" in capsys.readouterr().err
    assert start(["runs", "rm", first, "nonsense", "--yes"]) == 2  # all or none
    assert len(pk.runs()) == 2
    assert start(["runs", "rm", first, first, "--yes"]) == 0
    assert [row.id for row in pk.runs()] == [second]
    out, err = capsys.readouterr()
    assert out == ""
    assert f"removed {first}\n" in err


def test_a_run_travels(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    run = record("Où?")
    file = home / "run.jsonl"
    assert start(["runs", "export", run, "-o", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert start(["runs", "export", run, "-o", str(file)]) == 2
    assert "--force" in capsys.readouterr().err
    assert start(["runs", "export", run, "-o", str(file), "--force"]) == 0
    capsys.readouterr()
    assert start(["runs", "export", "last"]) == 0
    piped = capsys.readouterr().out
    assert piped == file.read_text("utf-8")

    for place, source in (("a.db", str(file)), ("b.db", "-")):
        monkeypatch.setenv("PROMPTKIT_JOURNAL", str(home / place))
        monkeypatch.setattr("sys.stdin", io.StringIO(piped))
        assert start(["runs", "import", source]) == 0
        assert capsys.readouterr().out == f"{run}\n"
        assert shown(["runs", "show", run, "--json"], capsys)["question"] == "Où?"


@pytest.mark.parametrize("name", ["missing.jsonl", "noise.jsonl", "folder"])
def test_what_cannot_be_imported(name: str, home: Path, capsys: Capture) -> None:
    (home / "noise.jsonl").write_bytes(b"\xff\x00")
    (home / "folder").mkdir()
    assert start(["runs", "import", name]) == 2
    err = capsys.readouterr().err
    assert re.search(rf"error: .*{name}", err)
    assert "Traceback" not in err


def test_an_export_that_cannot_be_written(capsys: Capture) -> None:
    record()
    assert start(["runs", "export", "last", "-o", "no/such/folder/x"]) == 2
    assert "no/such/folder/x" in capsys.readouterr().err


def test_a_run_that_is_under_way_is_not_removed(capsys: Capture) -> None:
    from promptkit import api, sync
    from promptkit.journal import NewRun

    done, live = (
        record(),
        NewRun(
            id="rlive", strategy="direct", params={}, model="scripted:python", question="?", options={}, started=1.0
        ),
    )
    sync.run(api.open_journal().start_run(live))
    assert start(["runs", "rm", done, "rlive", "--yes"]) == 2
    assert "still running" in capsys.readouterr().err
    assert {row.id for row in pk.runs()} == {done, "rlive"}
    body = shown(["runs", "show", "rlive", "--json"], capsys)
    assert (body["status"], body["usage"], body["calls"]) == ("running", None, [])
    assert start(["runs", "list"]) == 0
