"""A command as it was typed, to be typed again: with a file to write to, or a cap raised."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from promptkit.cli import flags
from promptkit.events import BudgetHit


class Typed:
    """A `promptkit optimize` as it was typed, with what it was given."""

    def __init__(self, named: str, given: Mapping[str, Any]) -> None:
        self._named, self._given = named, given
        self.fresh = bool(given["fresh"])

    def typed(self, **changed: Any) -> str:
        """The command with other flags."""
        words = ["promptkit", "optimize", self._named]
        for name, value in {**self._given, **changed}.items():
            flag = "-o" if name == "output" else flags.SHARED[name].names[0]
            if value is True:
                words.append(flag)
            elif value is not None and value is not False:
                words += [flag, str(value)]
        return shlex.join(words)

    def after_cut(self, run: str, hit: BudgetHit | None = None) -> list[str]:
        """What goes on with it: the same command, the cap that was hit twice as high."""
        raised: dict[str, Any] = {}
        if hit:
            name = "timeout" if hit.cap == "seconds" else f"max_{hit.cap}"
            raised[name] = int(2 * hit.limit) if name in ("max_calls", "max_tokens") else f"{2 * hit.limit:g}"
        if not self.fresh:
            return [self.typed(**raised)]
        if self._given["journal"]:  # where `resume` does not look
            return [f"{self.typed(**raised)}   # draws anew"]
        caps = "".join(f" {flags.SHARED[name].names[0]} {value}" for name, value in raised.items())
        return [
            f"{self.typed(**raised)}   # draws anew",
            f"promptkit resume {run}{caps}   # goes on with these draws; writes no file",
        ]
