"""The nominal ledger: what a run would have spent had nothing been cached. It is the same on every rerun."""

from __future__ import annotations

from promptkit.journal import Stored
from promptkit.types import Usage


class Nominal:
    """Counts each provider call behind the completions a run used, once."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Usage, int, bool]] = {}
        self._samples: set[str] = set()

    def used(self, key: str, stored: Stored, *, cached: bool) -> None:
        """The run used this completion; `cached` when the journal had it before the run asked."""
        self._samples.add(key)
        self._calls.setdefault(stored.call, (stored.usage, stored.samples, cached))

    def usage(self) -> Usage:
        """The sum. Surplus draws of a batch are in it: they were generated too."""
        total = Usage(samples=len(self._samples))
        for usage, _, cached in self._calls.values():
            total += Usage(
                calls=1,
                cached_calls=int(cached),
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                reasoning_tokens=usage.reasoning_tokens,
            )
        return total
