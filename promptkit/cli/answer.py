"""What `promptkit run` does once its words are understood."""

from __future__ import annotations

import sys
from dataclasses import MISSING, fields
from typing import Any

from promptkit import registry
from promptkit.cli.flags import SHARED
from promptkit.errors import BadInput
from promptkit.types import Blob

DISPLAY = ("as_json", "events", "dry_run", "plain", "quiet")


def answer(strategy: str, question: str | None, given: dict[str, Any]) -> int:
    """The exit code of a question put through a strategy; `given` has a value for every flag."""
    from promptkit.cli.session import Session

    shared = {key: given.pop(key) for key in SHARED}
    session = Session(**{key: shared.pop(key) for key in DISPLAY})
    named = {key: value for key, value in given.items() if value is not None or key not in _without_default(strategy)}
    how = {"model_options": parse_options(shared.pop("option")), **shared, **named}
    if "-" in how["attach"] and question in (None, "-"):
        raise BadInput("stdin cannot be the question and an attachment", hint='--with - "what to do with it"')
    how["attach"] = [_attached(file) for file in dict.fromkeys(how["attach"])]
    return session.run(strategy, question_from(question, strategy), how)


def _without_default(strategy: str) -> set[str]:
    """The fields that have no default a flag could show: one that was not typed is left to the strategy."""
    return {each.name for each in fields(registry.load("strategy", strategy)) if each.default is MISSING}


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


def question_from(argument: str | None, strategy: str) -> str:
    """The question: the argument, or stdin for `-` and when none is given and stdin is no terminal."""
    hint = f'promptkit run {strategy} "your question", or - to read it from stdin'
    if argument is None and (sys.stdin is None or sys.stdin.isatty()):
        raise BadInput("no question given", hint=hint)
    piped = argument is None or argument == "-"
    question = read_stdin("the question").decode("utf-8-sig", "replace") if piped else str(argument)
    if not question.strip():
        raise BadInput("the question is empty", hint=hint)
    return question


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
