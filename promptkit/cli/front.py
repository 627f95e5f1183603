"""The short way into `promptkit run`: lines that can only be understood one way skip the command-line library.

Loading that library takes longer than answering from the journal. Everything else goes to it: other verbs, help,
completion, abbreviations, and whatever may be a mistake, so that there is one place that explains mistakes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from promptkit.cli.flags import Flag, of_run
from promptkit.errors import PromptkitError

_NUMBERS = {int: re.compile(r"-?\d{1,15}", re.ASCII), float: re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)}


def start(words: Sequence[str]) -> int:
    """The exit code of a command line."""
    from promptkit.cli.logs import without_keys
    from promptkit.cli.speak import complain, complain_bug, err

    try:
        with without_keys():
            understood = None if "_PROMPTKIT_COMPLETE" in os.environ else plain_run(words)
            if understood is None:
                from promptkit.cli.app import start as start_any

                return start_any(words)
            from promptkit.cli.answer import answer

            return answer(*understood)
    except PromptkitError as error:
        return complain(error, as_json="--json" in words)
    except KeyboardInterrupt:
        err("interrupted")
        return 130
    except Exception as error:
        return complain_bug(error)


def plain_run(words: Sequence[str]) -> tuple[str, str | None, dict[str, Any]] | None:
    """The strategy, the question and a value for every flag; None when the line is not that plain."""
    from promptkit import registry

    if len(words) < 2 or words[0] != "run" or words[1] not in registry.BUILT_IN["strategy"]:
        return None
    if any(plugin.hidden for plugin in registry.plugins()):  # the long way tells of it
        return None
    flags = of_run(registry.load("strategy", words[1]))
    named = {name: key for key, flag in flags.items() for name in flag.names}
    questions: list[str] = []
    given: dict[str, Any] = {}
    rest = iter(words[2:])
    for word in rest:
        if word == "-" or (word and not word.startswith("-")):
            questions.append(word)
            continue
        key = named.get(word)
        if key is None or (key in given and get_origin(flags[key].kind) is not list):
            return None
        value = True if flags[key].kind is bool else _value(flags[key], next(rest, ""))
        if value is None:
            return None
        given[key] = [*given.get(key, []), value] if get_origin(flags[key].kind) is list else value
    if len(questions) > 1:
        return None
    defaults = {
        key: list(flag.default) if isinstance(flag.default, list) else flag.default for key, flag in flags.items()
    }
    return words[1], questions[0] if questions else None, {**defaults, **given}


def _value(flag: Flag, word: str) -> Any:
    """A word as the flag's type; None when somebody else must tell what it is."""
    kinds = get_args(flag.kind) if get_origin(flag.kind) in (Union, UnionType, list) else (flag.kind,)
    wanted = [kind for kind in kinds if kind is not type(None)]
    if len(wanted) != 1 or not word or (word.startswith("-") and word != "-" and wanted[0] is str):
        return None
    (kind,) = wanted
    if kind is str:
        return word
    if get_origin(kind) is Literal:
        return word if word in get_args(kind) else None
    pattern = _NUMBERS.get(kind)
    return kind(word) if pattern and pattern.fullmatch(word) else None
