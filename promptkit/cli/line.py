"""A line that somebody types at a terminal."""

from __future__ import annotations

import sys

PROMPT = "> "


def typed() -> str:
    """The line, as text that any journal and any server takes; EOFError at the end of the input."""
    if sys.stdout is None or not sys.stdout.isatty():  # input() would put the prompt among the replies
        print(PROMPT, end="", file=sys.stderr, flush=True)
        line = input()
    else:
        line = input(PROMPT)
    return line.encode("utf-8", "replace").decode("utf-8", "replace")
