"""What goes to stdout and stderr: the answer and nothing else to the one, everything for a person to the other."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from promptkit.errors import BadPrompt, JournalError, KeyMissing, OutputInvalid, PromptkitError
from promptkit.redaction import redacted

# A command, a flag, a setting.
_TYPED = re.compile(r"(?:^|[\s(])(?:promptkit|python|pip|ollama|export|make|--?\w|\w+=)|`")


def out(text: str) -> None:
    """A line on stdout, whatever its encoding can show; an answer that cannot be written is an error."""
    try:
        _write(sys.stdout, text)
    except OSError as error:
        abandon(sys.stdout)
        again = "promptkit replay last, or --json, into a place with room"
        raise PromptkitError(f"stdout cannot be written: {error.strerror or error}", hint=again) from error


def out_json(value: Any) -> None:
    """One JSON document on stdout, on one line when piped and indented for a person."""
    indent = 2 if sys.stdout and sys.stdout.isatty() else None
    out(json.dumps(value, ensure_ascii=not _unicode(sys.stdout), indent=indent))


def err(text: str) -> None:
    """A line on stderr, as far as it can be written: there is nowhere else to complain."""
    try:
        _write(sys.stderr, text)
    except OSError:
        abandon(sys.stderr)


def err_json(value: Any) -> None:
    """One JSON line on stderr, as `--events` asks."""
    err(json.dumps(value, ensure_ascii=not _unicode(sys.stderr)))


def complain(error: PromptkitError, *, as_json: bool = False) -> int:
    """What happened in one line, then what to type; returns the exit code. With --json, stdout says it too."""
    message, hint = _as_typed(error)
    if as_json:
        told = {"status": "error", "answer": None, "error": message, "hint": hint, "exit": error.exit_code}
        out_json({"schema": "promptkit.error/1", **told, "run": error.run or None})
    fallback = "promptkit prompts check" if isinstance(error, BadPrompt) else ""
    say(f"error: {message}", (hint or fallback).splitlines())
    # A resume draws nothing again that the journal has: it would end at the same reply.
    if error.run and not isinstance(error, (JournalError, KeyMissing, OutputInvalid)):
        err(f"  what was done is kept: promptkit resume {error.run}")
    return error.exit_code


def _as_typed(error: PromptkitError) -> tuple[str, str]:
    """What it says, a parameter by the flag that was typed for it."""
    if not (name := getattr(error, "parameter", "")):
        return error.message, error.hint
    flag = "--" + name.replace("_", "-")
    return error.message.replace(name, flag), error.hint.replace(name, flag)


def complain_bug(error: BaseException) -> int:
    """The trace of an error nobody foresaw, and what it is; returns the exit code."""
    if _interrupted(error):
        err("interrupted")
        return 130
    if isinstance(error, PermissionError) and error.filename:
        hint = f"make it yours: chown -R $USER {error.filename}\nor use another folder: PROMPTKIT_HOME=…"
        return complain(PromptkitError(f"{error.filename}: permission denied", hint=hint))
    import traceback

    err(redacted("".join(traceback.format_exception(error))).rstrip())
    err("this is a bug in promptkit; the trace above helps to mend it")
    return 1


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is at the root of it: one that comes during an import is wrapped in whatever was going on."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def say(headline: str, hints: Iterable[str] = ()) -> None:
    """A headline on stderr with indented lines under it, free of control characters.

    On a terminal they are broken at words, except for what may be typed: a command is copied as one line.
    """
    width = _columns(sys.stderr)
    for line in _broken(clean(headline), width):
        err(line)
    for hint in map(clean, hints):
        for line in [hint] if _TYPED.search(hint) else _broken(hint, width - 2):
            err(f"  {line}")


def _columns(stream: TextIO | None) -> int:
    """How wide its terminal is; 0 where it is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream and stream.isatty() else 0
    except (OSError, ValueError):
        return 0


def _broken(text: str, width: int) -> list[str]:
    if width <= 0 or len(text.encode()) <= width:  # a character is at most as many cells as bytes
        return [text]
    from promptkit.render.safe import wrap

    return wrap(text, width)


def clean(text: str) -> str:
    """The text on one line with nothing in it that a terminal would act on."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed before we began: `>&-`
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:  # the reader has gone (`| head`)
        abandon(stream)


def abandon(stream: TextIO) -> None:
    """Send the rest nowhere: python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unicode(stream: TextIO | None) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") in {"utf8", "utf16", "utf32"}
