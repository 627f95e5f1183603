"""What goes to stdout and stderr: the answer and nothing else to the one, everything for a person to the other."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from promptkit.errors import PromptkitError


def out(text: str) -> None:
    """A line on stdout, whatever its encoding can show."""
    _write(sys.stdout, text)


def out_json(value: Any) -> None:
    """One JSON document on stdout, on one line when piped and indented for a person."""
    out(json.dumps(value, ensure_ascii=not _unicode(sys.stdout), indent=2 if sys.stdout.isatty() else None))


def err(text: str) -> None:
    """A line on stderr."""
    _write(sys.stderr, text)


def err_json(value: Any) -> None:
    """One JSON line on stderr, as `--events` asks."""
    _write(sys.stderr, json.dumps(value, ensure_ascii=not _unicode(sys.stderr)))


def complain(error: PromptkitError) -> int:
    """What happened in one line, then what to type; returns the exit code."""
    say(f"error: {error.message}", error.hint.splitlines())
    if error.run:
        err(f"  what was done is kept: promptkit resume {error.run}")
    return error.exit_code


def say(headline: str, hints: Iterable[str] = ()) -> None:
    """A headline on stderr with indented lines under it, free of control characters."""
    err(clean(headline))
    for hint in hints:
        err(f"  {clean(hint)}")


def clean(text: str) -> str:
    """The text on one line with nothing in it that a terminal would act on."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`); python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") in {"utf8", "utf16", "utf32"}
