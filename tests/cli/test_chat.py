"""`promptkit chat`: typed at a terminal, piped, interrupted, saved and gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from spoken import PROGRAM, Said, command, environment, is_error, recorded

REPLIES = """
replies:
  - {when: "name?", say: I am a model.}
  - {when: colour, say: [Blue is a colour., "Green, or \\e[31mred\\e[0m [bold]."]}
  - {say: [First., Second., Third.]}
"""


@pytest.fixture(autouse=True)
def model(tmp_path: Path) -> None:
    (tmp_path / "replies.yaml").write_text(REPLIES)


def piped(home: Path, *lines: str, words: tuple[str, ...] = ()) -> Said:
    return command(home, "chat", "-m", "scripted:replies.yaml", *words, stdin="".join(f"{line}\n" for line in lines))


def test_lines_of_a_pipe_are_messages_and_stdout_has_the_replies_alone(tmp_path: Path) -> None:
    said = piped(tmp_path, "Which colour?", "", "Your name?")
    assert (said.code, said.out) == (0, "Blue is a colour.\nI am a model.\n") or said.err
    (row,) = recorded(tmp_path)
    assert (row.strategy, row.status, row.calls) == ("chat", "done", 2)
    assert said.err.splitlines() == [f"to go on: promptkit chat --resume {row.id}"]


def test_the_run_shows_the_conversation(tmp_path: Path) -> None:
    piped(tmp_path, "Which colour?", "hello")
    shown = command(tmp_path, "runs", "show", "last")
    assert shown.out.index("Which colour?") < shown.out.index("Blue is a colour.") < shown.out.index("hello")
    record = json.loads(command(tmp_path, "runs", "show", "last", "--json").out)
    assert [call["text"] for call in record["calls"]] == ["Blue is a colour.", "Blue is a colour."]
    assert record["usage"]["calls"] == 2
    asked = json.loads(command(tmp_path, "runs", "show", "last", "--call", "2", "--json").out)["request"]
    assert [turn["role"] for turn in asked["messages"]] == ["user", "assistant", "user"]


def test_what_was_taken_back_is_sent_no_more(tmp_path: Path) -> None:
    said = piped(tmp_path, "Which colour?", "/undo", "Your name?")
    assert said.out == "Blue is a colour.\nI am a model.\n"
    assert "taken back: Which colour?" in said.err


def test_another_reply_takes_the_place_of_the_last(tmp_path: Path) -> None:
    said = piped(tmp_path, "one", "/retry", "/retry", "/save talk.json")
    assert said.out == "First.\nSecond.\nThird.\n"
    turns = json.loads((tmp_path / "talk.json").read_text())["messages"]
    assert [turn["content"] for turn in turns] == ["one", "Third."]


def test_what_a_model_says_never_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    assert piped(tmp_path, "Which colour?", "/retry").out.splitlines()[-1] == "Green, or red [bold]."


def test_a_conversation_goes_on_with_all_its_turns(tmp_path: Path) -> None:
    piped(tmp_path, "Which colour?", words=("--persona", "Be brief."))
    (row,) = recorded(tmp_path)
    said = command(tmp_path, "chat", "--resume", row.id[:4], stdin="/history\nand\n/save talk.md\n")
    assert said.out == "Blue is a colour.\n"  # the word is in what came before
    assert "Which colour?" in said.err
    text = (tmp_path / "talk.md").read_text()
    parts = ["## Persona", "Be brief.", "## You", "Which colour?", "## You", "and"]
    at = [text.index(part, 0) for part in parts[:4]]
    assert at == sorted(at)
    assert len(recorded(tmp_path)) == 1
    record = json.loads(command(tmp_path, "runs", "show", "last", "--json").out)
    assert (len(record["calls"]), record["usage"]["calls"]) == (2, 2)


def test_last_is_the_newest_conversation_and_a_run_of_another_kind_is_refused(tmp_path: Path) -> None:
    is_error(command(tmp_path, "chat", "--resume", "last"), 2)
    piped(tmp_path, "Which colour?")
    command(tmp_path, "run", "direct", "Which?", "-m", "scripted:replies.yaml")
    other = recorded(tmp_path)[0].id
    assert is_error(command(tmp_path, "chat", "--resume", other), 2) == [f"promptkit runs show {other}"]
    assert command(tmp_path, "chat", "--resume", "last", stdin="/history\n").err.startswith("You\n  Which colour?")


@pytest.mark.parametrize("verb", ["resume", "replay"])
def test_a_conversation_is_gone_on_with_by_its_own_verb(verb: str, tmp_path: Path) -> None:
    piped(tmp_path, "Which colour?")
    hints = is_error(command(tmp_path, verb, "last"), 2)
    assert hints[0] == f"promptkit chat --resume {recorded(tmp_path)[0].id}"


def test_an_unknown_command_loses_nothing(tmp_path: Path) -> None:
    said = piped(tmp_path, "Which colour?", "/udno", "Your name?")
    assert said.out == "Blue is a colour.\nI am a model.\n"
    assert "no command '/udno'\n  did you mean /undo?" in said.err
    assert said.code == 2
    assert piped(tmp_path, "//undo is a command?").out == "First.\n"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    said = piped(tmp_path, "Which colour?", "/save mine.md", "/save no/such/folder.md", "/save new.md", "/save new.md")
    assert (tmp_path / "mine.md").read_text() == "mine"
    assert "mine.md exists" in said.err
    assert "folder.md: No such file" in said.err
    assert said.err.count("saved 1 exchange") == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new")]


def test_another_model_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("replies: [{when: Blue is a colour, say: So you said.}]")
    said = piped(tmp_path, "Which colour?", "/model scripted:other.yaml", "really?", "/model nonsense:x", "/model")
    assert said.out == "Blue is a colour.\nSo you said.\n"
    assert "no provider 'nonsense'" in said.err
    assert said.err.count(f"the model is scripted:{tmp_path / 'other.yaml'}") == 2
    again = command(tmp_path, "chat", "--resume", "last", stdin="/model\n/undo\n/history\n")
    assert f"the model is scripted:{tmp_path / 'other.yaml'}" in again.err
    calls = json.loads(command(tmp_path, "runs", "show", "last", "--json").out)["calls"]
    assert len({call["model"] for call in calls}) == 2


def test_a_message_that_failed_can_be_sent_to_another_model(tmp_path: Path) -> None:
    (tmp_path / "picky.yaml").write_text("replies: [{when: hello, say: Hi.}]")
    words = ("Which colour?", "/model scripted:replies.yaml", "/retry", "/history")
    said = command(tmp_path, "chat", "-m", "scripted:picky.yaml", stdin="".join(f"{each}\n" for each in words))
    assert said.out == "Blue is a colour.\n"
    assert "has no reply for this prompt" in said.err
    assert said.code == 1
    assert "promptkit resume" not in said.err


def test_the_model_on_board_warns_once(tmp_path: Path) -> None:
    said = command(tmp_path, "chat", "-m", "builtin", "--reply-tokens", "8", stdin="hello\nwho are you?\n")
    assert said.code == 0
    assert said.err.count("is a tiny model that only knows") == 1
    assert len(json.loads(command(tmp_path, "runs", "show", "last", "--json").out)["calls"]) == 2


def test_a_reply_that_reached_its_longest_says_so(tmp_path: Path) -> None:
    said = piped(tmp_path, "Which colour?", words=("--reply-tokens", "2"))
    assert said.out == "Blue is\n"
    assert "cut off at its longest" in said.err


def test_a_conversation_that_does_not_fit_says_what_makes_room(tmp_path: Path) -> None:
    long = " ".join(["word"] * 200)
    said = command(tmp_path, "chat", "-m", "builtin", "-o", "context=64", stdin=f"1 + 2\n{long}\n/undo\n/history\n")
    assert said.code == 1
    assert "/undo takes the last exchange back" in said.err
    assert "/model builtin context=128 has more room" in said.err
    assert "1 + 2" in said.err[said.err.index("taken back") :]


def test_a_persona_comes_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "who.txt").write_text("You are a colour expert.\n")
    said = piped(tmp_path, "hello", "/persona", "hello", words=("--persona", "@who.txt"))
    assert said.out == "Blue is a colour.\nBlue is a colour.\n"  # in the second it is in the history
    assert "no persona any more" in said.err
    is_error(piped(tmp_path, "hello", words=("--persona", "@no-such.txt")), 2)


pty_only = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@pty_only
def test_ctrl_c_stops_a_reply_and_keeps_what_was_said(tmp_path: Path) -> None:
    from typed import Terminal, endless

    with endless() as server, Terminal(tmp_path, "chat", "-m", "openai:x", "-o", f"base_url={server.address}") as term:
        term.until("> ")
        term.type("endless")
        term.until("and and and")
        term.interrupt("what was said is kept")
        assert server.stopped.wait(5)  # it generates nothing any more
        term.until("> ")
        term.type("go on")
        term.until("3 turns.")
        term.until("> ")
        term.keys("half a line")
        term.until("half a line")
        term.interrupt("> ")
        term.type("/history")
        term.until("(stopped here)")
        term.until("> ")
        term.keys("\x04")
        assert term.end() == 0
        assert len(server.asked) == 2
        assert server.asked[1]["messages"][1]["content"].startswith("Well, and and and")
    assert "Traceback" not in term.shown
    (row,) = recorded(tmp_path)
    assert row.status == "done"
    assert f"chat --resume {row.id}" in term.shown


@pty_only
def test_a_narrow_terminal_and_a_reply_that_comes_in_pieces(tmp_path: Path) -> None:
    from typed import Terminal

    with Terminal(tmp_path, "chat", "-m", "scripted:replies.yaml", columns=24) as term:
        assert all(len(line) <= 24 for line in term.until("> ").splitlines())
        term.type("/help")
        assert all(len(line) <= 24 for line in term.until("> ").splitlines()[1:])
        term.type("Which colour?")
        term.until("Blue is a colour.\n")
        term.until("> ")
        term.type("/exit")
        assert term.end() == 0


@pty_only
def test_ctrl_c_before_anything_is_said_keeps_the_message(tmp_path: Path) -> None:
    from typed import Terminal

    (tmp_path / "slow.yaml").write_text("delay: 30\nreplies: [{say: never}]")
    with Terminal(tmp_path, "chat", "-m", "scripted:slow.yaml") as term:
        term.until("> ")
        term.type("hello")
        term.until("hello\n")
        while not recorded(tmp_path):
            pass
        term.interrupt("/retry sends the message again")
        term.until("> ")
        term.type("/model scripted:replies.yaml")
        term.until("> ")
        term.type("/retry")
        term.until("First.")
        term.until("> ")
        term.keys("\x04")
        assert term.end() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/full")
def test_a_reply_that_cannot_be_written_is_an_error_and_is_kept(tmp_path: Path) -> None:
    line = " ".join([*PROGRAM, "chat", "-m", "scripted:replies.yaml", ">/dev/full"])
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=tmp_path,
        env=environment(tmp_path),
        input="Your name?\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: stdout cannot be written: ")
    (row,) = recorded(tmp_path)
    assert hint.startswith(f"  the reply is kept: promptkit chat --resume {row.id}")
    again = command(tmp_path, "chat", "--resume", row.id, stdin="/history\n")
    assert "I am a model." in again.err


def test_one_exchange_is_one(tmp_path: Path) -> None:
    assert "saved 1 exchange to " in piped(tmp_path, "Your name?", "/save talk.md").err
