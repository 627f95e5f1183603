"""What a shell offers while a command is typed: names from the registry, the prompt folders and the journal.

Nothing here opens a model or makes a journal, and what cannot be read is not offered: a shell has no place for errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import get_args

FILES: dict[str, str | tuple[str, ...]] = {
    "llamacpp": ".gguf",
    "scripted": (".yaml", ".yml", ".json"),
}  # what the models of a provider are kept in
BARE = ("builtin",)  # providers of one model
MOST_RUNS = 50

Offer = tuple[str, str]  # a word and what it is


def strategies(incomplete: str) -> list[str]:
    """The strategies."""
    from promptkit import registry

    return [name for name in registry.names("strategy") if name.startswith(incomplete)]


def specs(incomplete: str) -> list[str]:
    """The strategies, after a comma or an `of=` the next one; what stands before is kept."""
    from promptkit import registry

    begun = re.split(r"[,=(]\s*", incomplete)[-1]
    lead = incomplete[: len(incomplete) - len(begun)]
    depth = lead.count("(") - lead.count(")")
    if depth > 0 and not lead.rstrip().endswith("="):  # the name of a parameter
        name = lead[: lead.rindex("(")].rpartition(",")[2].rpartition("=")[2].strip() if "(" in lead else ""
        return [f"{lead}{each}=" for each in _parameters(name) if each.startswith(begun)]
    return [f"{lead}{name}" for name in registry.names("strategy") if name.startswith(begun)]


def _parameters(strategy: str) -> list[str]:
    from dataclasses import fields

    from promptkit import registry
    from promptkit.errors import PromptkitError

    with suppress(PromptkitError):
        return [each.name for each in fields(registry.load("strategy", strategy)) if each.init]
    return []


def packs(incomplete: str) -> list[str]:
    """The packs."""
    from promptkit import prompts

    return [name for name in prompts.packs() if name.startswith(incomplete)]


def templates(incomplete: str) -> list[Offer]:
    """The templates in force, `pack/name`."""
    from promptkit import prompts

    return [(each.id, each.about) for each in prompts.everything() if each.id.startswith(incomplete)]


def tricks(incomplete: str) -> list[Offer]:
    """The blocks of the pattern layer."""
    from promptkit.layering import blocks

    return [(each.name, each.about) for each in blocks.everything() if each.name.startswith(incomplete)]


def forms(incomplete: str) -> list[str]:
    """The forms of the structured layer; what stands behind a colon is the user's."""
    from promptkit.layering.forms import KINDS

    return [name for name in KINDS if name.startswith(incomplete)]


def recipes(incomplete: str) -> list[Offer]:
    """The recipes that can be named, and those in files."""
    from promptkit.optimizing import recipe

    named = [(name, "shipped, or of this project") for name in recipe.names() if name.startswith(incomplete)]
    return [*named, *((path, "") for path in _paths(incomplete, (".yaml", ".yml")))]


def efforts(incomplete: str) -> list[str]:
    """How long a model that reasons may think, least first."""
    from promptkit.types import Effort

    return [effort for effort in get_args(Effort) if effort.startswith(incomplete)]


def readers(incomplete: str) -> list[str]:
    """The readers."""
    from promptkit.answers import READERS

    return [name for name in (*READERS, "text") if name.startswith(incomplete)]


def benched(incomplete: str) -> list[str]:
    """The sections of a benchmark, and models."""
    from promptkit.bench.parts import SECTIONS

    return [*(name for name in SECTIONS if name.startswith(incomplete)), *models(incomplete)]


def decodings(incomplete: str) -> list[str]:
    """The ways of decoding, after a comma the next one; what stands before is kept."""
    from promptkit.decoding.decode import METHODS

    before, comma, begun = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in METHODS if name.startswith(begun)]


def lessons(incomplete: str) -> list[Offer]:
    """The exercises."""
    from promptkit.lessons.shelf import LESSONS

    return [(name, about) for name, about in LESSONS.items() if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """The kinds of model; after `llamacpp:` and `scripted:`, the files there are."""
    from promptkit import registry

    kind, colon, path = incomplete.partition(":")
    if colon:
        return [f"{kind}:{found}" for found in _paths(path, FILES[kind])] if kind in FILES else []
    names = [name if name in BARE else f"{name}:" for name in registry.names("provider")]
    return [name for name in names if name.startswith(incomplete)]


def kinds(incomplete: str) -> list[str]:
    """The providers."""
    from promptkit import registry

    return [name for name in registry.names("provider") if name.startswith(incomplete)]


def keyed(incomplete: str) -> list[str]:
    """The providers that may take a key."""
    from promptkit import keys, registry

    plugged = set(registry.names("provider")) - set(registry.BUILT_IN["provider"])
    return [name for name in sorted({*keys.PROVIDERS, *plugged}) if name.startswith(incomplete)]


def _paths(beginning: str, suffixes: str | tuple[str, ...]) -> Iterator[str]:
    folder, _, start = beginning.rpartition("/")
    prefix = beginning[: len(beginning) - len(start)]
    with suppress(OSError):
        for path in sorted(Path(folder or prefix or ".").expanduser().iterdir()):
            if path.name.startswith(start) and (start or not path.name.startswith(".")):
                if path.is_dir():
                    yield f"{prefix}{path.name}/"
                elif path.name.lower().endswith(suffixes):
                    yield prefix + path.name


def runs(incomplete: str) -> list[Offer]:
    """The newest recorded runs, and `last`."""
    return [each for each in (("last", "the newest run"), *_recorded()) if each[0].startswith(incomplete)]


def _recorded() -> list[Offer]:
    import sqlite3

    from promptkit.errors import PromptkitError
    from promptkit.journal import values
    from promptkit.settings import journal_path

    with suppress(sqlite3.Error, values.Damaged, OSError, PromptkitError, KeyError, TypeError):
        path = journal_path()
        if path is not None and path.is_file():
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)) as db:
                rows = db.execute("SELECT id, about FROM runs ORDER BY started DESC LIMIT ?", (MOST_RUNS,)).fetchall()
            told = [(id, values.unpack(about)) for id, about in rows]
            return [(id, " ".join(f"{about['strategy']}: {about['question']}".split())[:60]) for id, about in told]
    return []
