"""A run as it would be typed: the command line that makes it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from typing import Any

from promptkit import composition
from promptkit.errors import PromptkitError
from promptkit.journal import RunRow
from promptkit.types import Problem, Strategy


def command_line(strategy: Strategy, problem: Problem, row: RunRow) -> str | None:
    """The command line that makes this run; None where it has what no command line can give."""
    if problem.history or problem.parts or problem.vars or problem.output_schema is not None:
        return None
    options = row.options
    words = ["promptkit", "run", row.strategy, *_flags(_unresolved(strategy, problem)), "-m", row.model]
    words += [w for k, v in (options.get("model_options") or {}).items() for w in ("-o", f"{k}={_word(v)}")]
    words += ["-P", problem.pack] if problem.pack != "general" else []
    words += ["--reader", problem.reader] if problem.reader else []
    words += ["--effort", problem.effort] if problem.effort else []
    words += ["--seed", str(row.seed)] if row.seed else []
    words += ["--"] if problem.text.startswith("-") else []  # or it would be read as an option
    return None if None in words else " ".join(shlex.quote(str(word)) for word in [*words, problem.text])


def _flags(strategy: Strategy) -> Iterator[str | None]:
    """What differs from the defaults, as flags; None for what no flag can give."""
    inside = dict(composition.given(strategy))
    for name, value in inside.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            yield flag if value else f"--no-{flag[2:]}"
        elif hasattr(value, "solve"):
            yield from (flag, composition.spelled(value))
        elif isinstance(value, (str, int, float)):
            yield from (flag, _word(value))
        else:
            yield None


def _unresolved(strategy: Strategy, problem: Problem) -> Strategy:
    """The strategy without what its pack gives it anyway."""

    def form(each: Strategy) -> str:
        return json.dumps(composition.remembered(composition.resolved(each, problem)), sort_keys=True)

    shape = form(strategy)
    for f in fields(strategy):  # type: ignore[arg-type]
        default = f.default if f.default_factory is MISSING else f.default_factory()
        if not f.init or default is MISSING or getattr(strategy, f.name) == default:
            continue
        try:
            without: Any = replace(strategy, **{f.name: default})  # type: ignore[type-var]
            if form(without) == shape:
                strategy = without
        except PromptkitError:
            continue
    return strategy


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
