"""Which recipe wrote a version of a template, and what it was made from: the same recipe starts from there again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from promptkit import composition, prompts
from promptkit.errors import PromptkitError
from promptkit.journal import Journal
from promptkit.optimizing import versions
from promptkit.prompts import Prompt
from promptkit.textfile import text_of
from promptkit.types import Strategy

_APART = ("text", "recipe", "calls", "tokens")  # a larger budget goes on with the same race


def identity(what: Strategy, *, seed: int, model: str) -> str:
    """The sha256 of what a recipe asks for, apart from its budget and the template's text."""
    asked = {name: value for name, value in composition.remembered(what).items() if name not in _APART}
    return hashlib.sha256(json.dumps([asked, seed, model], sort_keys=True).encode()).hexdigest()


def parent_of(prompt: Prompt, recipe: str, journal: Callable[[], Journal]) -> str | None:
    """The text a version was made from; None where another recipe wrote it, it was edited since, or that text is lost.

    It is looked for among the files that the version hides, then in the run that wrote it.
    """
    own = prompt.files[0][1]
    said = versions.provenance(own)
    if said.get("recipe_digest") != recipe or said.get("text_digest") != versions.bare_digest(own):
        return None
    for text in _earlier(prompt, said, journal):
        with suppress(PromptkitError):
            if prompts.worded(prompt, text).digest == said.get("parent_digest"):
                return text
    return None


def _earlier(prompt: Prompt, said: Mapping[str, Any], journal: Callable[[], Journal]) -> Iterator[str]:
    for name in dict.fromkeys((prompt.id, f"{prompts.DEFAULT_PACK}/{prompt.name}")):
        for _, path in prompts.copies(name):
            with suppress(PromptkitError):
                yield text_of(path)
    runs = said.get("runs")
    for run in runs if isinstance(runs, list) else []:
        with suppress(PromptkitError):
            yield str(journal().run(str(run)).params.get("text", ""))
