"""What `promptkit run` does once its words are understood."""

from __future__ import annotations

import sys
from typing import Any

from promptkit.cli.flags import SHARED
from promptkit.errors import BadInput
from promptkit.types import Blob

DISPLAY = ("as_json", "events", "dry_run", "plain", "quiet")


def answer(strategy: str, question: str | None, given: dict[str, Any]) -> int:
    """The exit code of a question put through a strategy; `given` has a value for every flag."""
    from promptkit.cli.session import Session

    shared = {key: given.pop(key) for key in SHARED}
    session = Session(**{key: shared.pop(key) for key in DISPLAY})
    how = {"model_options": parse_options(shared.pop("option")), **shared, **given}
    if "-" in how["attach"] and question in (None, "-"):
        raise BadInput("stdin cannot be the question and an attachment", hint='--with - "what to do with it"')
    how["attach"] = [_attached(file) for file in dict.fromkeys(how["attach"])]
    return session.run(strategy, question_from(question), how)


def _attached(file: str) -> Blob:
    from promptkit.attachments import attach

    return attach(read_stdin("what is attached"), "stdin") if file == "-" else attach(file)


def parse_options(pairs: list[str]) -> dict[str, object]:
    """`-o key=value` pairs; numbers and booleans are recognised."""
    options: dict[str, object] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise BadInput(f"-o wants key=value, not {pair!r}", hint="e.g. -o n_gpu_layers=0")
        options[key] = _scalar(text)
    return options


def _scalar(text: str) -> object:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def question_from(argument: str | None) -> str:
    """The question: the argument, or stdin for `-` and when none is given and stdin is no terminal."""
    if argument is not None and argument != "-":
        return argument
    if argument is None and (sys.stdin is None or sys.stdin.isatty()):
        raise BadInput("no question given", hint='promptkit run cot "your question", or - to read it from stdin')
    return read_stdin("the question").decode("utf-8-sig", "replace")


def read_stdin(what: str) -> bytes:
    """All of stdin; says that it waits when nothing comes for a while."""
    import threading

    from promptkit.cli.speak import err

    waiting = threading.Timer(2.0, err, [f"reading {what} from stdin; end it with Ctrl-D, or stop with Ctrl-C"])
    waiting.daemon = True
    waiting.start()
    try:
        return sys.stdin.buffer.read() if sys.stdin else b""
    finally:
        waiting.cancel()
