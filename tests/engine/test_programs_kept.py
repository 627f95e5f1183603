"""What a program came to is in the journal: nothing runs twice, and a replay runs nothing."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from watching import Seen

import promptkit as pk
from promptkit import api, sandbox
from promptkit.cli.app import start
from promptkit.errors import ReplayMiss, SandboxMissing
from promptkit.events import ProgramEnded
from promptkit.journal import Journal, Keep, NewRun
from promptkit.runtime import executed
from promptkit.runtime.executed import Asked, Executions
from promptkit.sandbox import Limits, Ran, Rungs, available
from promptkit.sandbox.sent import Rung
from promptkit.types import Outcome, Request, plain

HELD = sys.platform == "linux" and bool(available().bubblewrap or available().landlock)
in_sandbox = pytest.mark.skipif(not HELD, reason="no sandbox here")
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")

BY_CHANCE = "import os\nprint(os.urandom(8).hex())"  # whoever gives the same twice has not run it again
TESTS = "import os, solution\nraise SystemExit(f'wrong, and by chance {os.urandom(8).hex()}')\n"
NONE = Rungs(None, None, {"bubblewrap": "not installed"}, "6.1")


def block(code: str) -> str:
    return f"```python\n{code}\n```"


def asked(code: str, **how: Any) -> tuple[Outcome, list[ProgramEnded]]:
    """A run of `program` whose model writes that code, and the programs that ended in it."""
    seen = Seen()
    how = {"reader": "text", "model": pk.Scripted(lambda _: block(code), name="coder"), **how}
    return pk.run("program", "How many?", sinks=[seen], **how), seen.of(ProgramEnded)


def replayed(journal: Journal, run: str) -> tuple[Outcome, list[ProgramEnded]]:
    seen = Seen()
    return pk.replay(run, journal=journal, sinks=[seen]), seen.of(ProgramEnded)


def unable(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this machine has no sandbox, and whoever runs a program or looks for a rung is found out."""

    def found_out(*_: Any, **__: Any) -> Any:
        raise AssertionError("a replay runs nothing")

    monkeypatch.setattr(sandbox, "run", found_out)
    monkeypatch.setattr(sandbox, "available", found_out)


@in_sandbox
def test_a_replay_runs_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, (ended,) = asked(BY_CHANCE, journal=journal)
    unable(monkeypatch)
    uses = journal.programs(outcome.run)
    again, (shown,) = replayed(journal, outcome.run)
    assert (again.answer, again.detail) == (outcome.answer, outcome.detail)
    assert shown == replace(ended, cached=True)
    assert journal.programs(outcome.run) == uses


@in_sandbox
def test_tests_of_a_reply_are_not_run_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def say(request: Request) -> str:
        prompts.append(request.messages[-1].text)
        return block(f"x = {len(prompts)}")

    how: dict[str, Any] = {"evaluator": "tests", "tests": TESTS, "trials": 2, "journal": journal}
    outcome = pk.run("reflexion", "Write x.", model=pk.Scripted(say, name="coder"), **how)
    assert sum("wrong, and by chance" in prompt for prompt in prompts) == 1
    unable(monkeypatch)
    again, ended = replayed(journal, outcome.run)
    assert (again.text, again.detail, len(ended)) == (outcome.text, outcome.detail, 2)


@in_sandbox
def test_a_second_run_takes_what_is_kept_and_a_fresh_one_does_not(journal: Journal) -> None:
    first, (ran,) = asked(BY_CHANCE, journal=journal)
    second, (kept,) = asked(BY_CHANCE, journal=journal)
    assert (second.answer, kept) == (first.answer, replace(ran, cached=True))
    fresh, (anew,) = asked(BY_CHANCE, journal=journal, fresh=True)
    assert fresh.answer != first.answer
    assert not anew.cached
    assert pk.replay(fresh.run, journal=journal).answer == fresh.answer
    assert pk.resume(
        fresh.run, model=pk.Scripted(lambda _: block(BY_CHANCE), name="coder"), journal=journal
    ).answer == (fresh.answer)


@in_sandbox
def test_what_a_limit_ended_is_the_runs_own(journal: Journal) -> None:
    how: dict[str, Any] = {"journal": journal, "seconds": 0.5}
    first, ended = asked("while True: pass", **how)
    assert {(each.ended, each.cached) for each in ended} == {
        ("timeout", False),
        ("timeout", True),
    }  # the same reply twice
    second, (other, _) = asked("while True: pass", **how)
    assert not other.cached
    assert other.key != ended[0].key
    model = pk.Scripted(lambda _: block("while True: pass"), name="coder")
    seen = Seen()
    resumed = pk.resume(first.run, model=model, journal=journal, sinks=[seen])
    assert [each.cached for each in seen.of(ProgramEnded)] == [True, True]
    assert [each.seconds for each in seen.of(ProgramEnded)] == [each.seconds for each in ended]
    for run, was in ((first, first), (second, second)):
        assert replayed(journal, run.run)[0].detail == was.detail
    assert resumed.detail == first.detail


@posix
def test_what_ran_on_the_host_is_the_runs_own(journal: Journal, tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"open({str(log)!r}, 'a').write('x')\nprint(42)"
    runs = [asked(code, journal=journal, unsafe_host=True)[0] for _ in range(2)]
    assert log.read_text() == "xx"
    for run in runs:
        assert replayed(journal, run.run)[0].answer == "42"
    assert log.read_text() == "xx"
    assert journal.programs(runs[0].run)[0].ran["certificate"]["rung"] == "host"


@in_sandbox
def test_equal_programs_under_way_are_one(journal_file: Journal) -> None:
    async def several() -> list[Outcome]:
        how: dict[str, Any] = {"reader": "text", "journal": journal_file, "sinks": [seen]}
        model = pk.Scripted(lambda _: block(BY_CHANCE), name="coder")
        return await asyncio.gather(*(pk.arun("sc", "?", of="program", n=3, model=model, **how) for _ in range(2)))

    seen = Seen()
    outcomes = asyncio.run(several())
    ended = seen.of(ProgramEnded)
    assert [each.cached for each in ended].count(False) == 1
    assert len(ended) > 2  # the vote stops when it is decided
    assert outcomes[0].answer == outcomes[1].answer
    assert journal_file.holdings()["programs"] == 1


KILLED = """
import os, sys
import promptkit as pk
from promptkit.journal import Journal
folder = sys.argv[1]
slow = sys.argv[2] == "slow"
first = f"open('{folder}/log', 'a').write('a')"
second = f"import time; open('{folder}/log', 'a').write('b')"
second += f"\\ntime.sleep(0 if open('{folder}/go').read() else 60); print(7)"
def say(request):
    return "```python\\n" + (second if "gave no answer" in request.messages[-1].text else first) + "\\n```"
with Journal.open(__import__("pathlib").Path(folder, "journal.db")) as journal:
    how = {"model": pk.Scripted(say, name="coder"), "journal": journal}
    if slow:
        pk.run("program", "How many?", unsafe_host=True, **how)
    print(pk.resume(journal.runs()[0].id, **how).answer)
"""


@posix
def test_one_that_a_crash_broke_off_is_run_again_and_no_other(tmp_path: Path) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    go.touch()
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = subprocess.Popen([*command, "slow"])
    patience = time.monotonic() + 60
    while (not log.exists() or log.read_text() != "ab") and time.monotonic() < patience:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    go.write_text("now")
    done = subprocess.run([*command, "resume"], capture_output=True, text=True)
    assert (done.stdout.strip(), log.read_text()) == ("7", "abb"), done.stderr


@in_sandbox
def test_one_that_was_stopped_is_run_by_the_resume(journal: Journal) -> None:
    code = f"import time\ntime.sleep(2)\n{BY_CHANCE}"
    stopped, ended = asked(code, journal=journal, timeout=1)
    assert (stopped.status, ended) == ("budget", [])
    again, _ = replayed(journal, stopped.run)
    assert (again.status, again.answer) == ("budget", None)
    model = pk.Scripted(lambda _: block(code), name="coder")
    whole = pk.resume(stopped.run, model=model, journal=journal, timeout=60)
    assert whole.status == "done"
    assert replayed(journal, stopped.run)[0].answer == whole.answer


def test_a_sandbox_that_fails_in_a_run_fails_in_its_replay(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> Ran:
        raise SandboxMissing("the sandbox could not be built: no room", hint="make room")

    monkeypatch.setattr(sandbox, "run", broken)
    with pytest.raises(SandboxMissing) as failed:
        asked(BY_CHANCE, journal=journal, unsafe_host=True)
    unable(monkeypatch)
    with pytest.raises(SandboxMissing, match="no room"):
        replayed(journal, failed.value.run)


@in_sandbox
def test_a_run_of_a_changed_program_cannot_be_replayed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = asked(BY_CHANCE, journal=journal)
    from promptkit.strategies.prompting import program

    monkeypatch.setattr(program, "with_answer", lambda code: f"{code}\n# of a later promptkit\n")
    with pytest.raises(ReplayMiss, match="a program's result"):
        replayed(journal, outcome.run)


@in_sandbox
def test_a_run_travels_with_its_programs(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = asked(BY_CHANCE, journal=journal)
    file = io.StringIO()
    journal.export(outcome.run, file)
    file.seek(0)
    unable(monkeypatch)
    with Journal.open(tmp_path / "elsewhere.db") as elsewhere:
        elsewhere.import_(file)
        assert replayed(elsewhere, outcome.run)[0].answer == outcome.answer
        (use,) = elsewhere.programs(outcome.run)
    assert use.ran["certificate"]["holds"]["no network"]
    assert use.asked["files"]["program.py"].startswith(BY_CHANCE)


@in_sandbox
def test_a_program_is_no_call_and_goes_with_its_run(journal: Journal) -> None:
    first, _ = asked(BY_CHANCE, journal=journal)
    second, _ = asked(BY_CHANCE, journal=journal)
    row = journal.run(second.run)
    assert (row.calls, row.cached_calls, len(journal.calls(second.run)), second.usage.calls) == (1, 1, 1, 1)
    assert journal.stats()["completions"] == 1
    held = journal.holdings()
    assert (held["calls"], held["completions"], held["programs"], held["saved"]["calls"]) == (1, 1, 1, 1)
    assert [each["model"] for each in held["models"]] == ["scripted:coder"]
    asyncio.run(journal.remove(first.run))
    assert journal.holdings()["programs"] == 1
    journal.prune(Keep(runs=0))
    assert journal.holdings()["programs"] == 0
    assert second.run not in [each.id for each in journal.runs()]


@in_sandbox
def test_what_held_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    outcome, (ended,) = asked("print(6 * 7)")
    assert start(("runs", "show", outcome.run)) == 0
    shown = capsys.readouterr().out
    assert "program: status 0 · " in shown
    assert ended.sandbox.split(",")[0] in shown
    assert start(("runs", "show", outcome.run, "--json")) == 0
    (program,) = json.loads(capsys.readouterr().out)["programs"]
    assert program["ran"]["certificate"] == outcome.detail["certificate"]
    assert (program["ran"]["stdout"], program["cached"], program["span"]) == ("42\n", False, "program")
    assert start(("cache", "stats")) == 0
    assert "1 call, 1 sample, 1 program" in capsys.readouterr().out


def test_what_it_is_asked_with_tells_results_apart(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them one thing different, on a machine that says what it was told to run."""

    def files_in(folder: str) -> list[str]:
        return sorted(path.name + path.read_text() for path in Path(folder).iterdir())

    async def told(program: Any, **how: Any) -> Ran:
        files = files_in(how["workspace"])
        said = f"{program} {how['env']} {how['limits']} {files}"
        return Ran(0, "exit", said, "", False, 0.0, 0.0, 0, replace(certificate, rung=rungs[0].name))

    certificate = sandbox.Certificate("bubblewrap", "6.1", (), {}, {}, {})
    rungs = [Rung("bubblewrap")]
    monkeypatch.setattr(sandbox, "run", told)
    monkeypatch.setattr(sandbox, "available", lambda: Rungs(rungs[0], None, {}, "6.1"))
    begin(journal, "r1")
    begin(journal, "r2")
    plain_one = Asked("print(1)", Limits())

    def had(asked: Asked, run: str = "r2") -> tuple[str, bool]:
        key, _, cached = asyncio.run(Executions(journal, run).have(asked))
        return key, cached

    first, _ = had(plain_one, "r1")
    assert had(plain_one) == (first, True)
    changed = [
        replace(plain_one, program="print(2)"),
        replace(plain_one, program=("print(1)",)),
        replace(plain_one, limits=Limits(seconds=1)),
        replace(plain_one, files={"a": "1"}),
        replace(plain_one, files={"a": "2"}),
        replace(plain_one, env={"a": "1"}),
        replace(plain_one, unsafe_host=True),
        replace(plain_one, program="print('\ud800')"),
    ]
    found = [had(each) for each in changed]
    assert [cached for _, cached in found] == [False] * len(changed)
    begin(journal, "r3")
    rungs[0] = replace(rungs[0], seccomp=True)  # one more claim holds
    walls = had(plain_one, "r3")
    begin(journal, "r4")
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    python = had(plain_one, "r4")
    assert had(plain_one, "r3") == (walls[0], True)  # whatever the machine has become, the run has its own
    keys = [first, *(key for key, _ in found), walls[0], python[0]]
    assert len(set(keys)) == len(keys)


def begin(journal: Journal, id: str) -> None:
    row = NewRun(id=id, strategy="s", params={}, model="m", question="q", options={}, started=time.time())
    asyncio.run(journal.start_run(row))


@in_sandbox
def test_a_result_is_the_same_after_the_journal(tmp_path: Path) -> None:
    ran = asyncio.run(executed.run(Asked("print(open('given').read())", Limits(), {"given": "é"})))
    assert ran.stdout == "é\n"
    assert Ran.revived(plain(ran)) == ran
    assert Ran.revived({**plain(ran), "of a later promptkit": 1}) == ran
    with pytest.raises(ValueError, match="not a program's result"):
        Ran.revived({"status": 0})


@in_sandbox
def test_outside_a_run_a_program_is_just_run() -> None:
    from promptkit.executing import execute

    one, other = (asyncio.run(execute(BY_CHANCE)) for _ in range(2))
    assert one.stdout != other.stdout


def test_without_a_sandbox_a_run_is_refused(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: NONE)
    with pytest.raises(SandboxMissing):
        asked(BY_CHANCE, journal=journal)
    assert api.runs(journal=journal) == []


@in_sandbox
def test_a_run_that_is_done_needs_no_sandbox_to_say_so_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    model = pk.Scripted(lambda _: block("print(42)"), name="coder")
    done = pk.run("program", "How many?", model=model, journal=journal)
    unable(monkeypatch)
    again = pk.resume(done.run, model=model, journal=journal)
    assert (done.answer, again.answer, journal.run(done.run).status) == ("42", "42", "done")
