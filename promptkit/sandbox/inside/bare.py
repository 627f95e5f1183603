"""The host itself: asked for by `unsafe_host`, or what Landlock and seccomp hold where there are no namespaces."""

from __future__ import annotations

import os
from typing import Any

from promptkit.sandbox.inside import credentials
from promptkit.sandbox.inside.started import Started, forked


def start(spec: dict[str, Any]) -> Started:
    """The program as a child of this process; SetupFailed if a wall does not stand."""
    if spec["view"]["program"] is not None:
        with open(spec["view"]["program_path"], "x", encoding="utf-8") as file:
            file.write(spec["view"]["program"])

    def work() -> None:
        credentials.become(spec)

    return Started(forked(work))


def tidy(spec: dict[str, Any]) -> None:
    """Take the program's file away."""
    if spec["view"]["program"] is not None:
        os.unlink(spec["view"]["program_path"])
