"""A pack: the templates for one kind of question, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.answers.languages import DEFAULT
from promptkit.errors import BadPrompt, UnknownName
from promptkit.prompts.fitting import fitting
from promptkit.prompts.front import split
from promptkit.prompts.shelf import files, find, lang_of, safe
from promptkit.prompts.stead import Standing
from promptkit.prompts.template import Prompt
from promptkit.textfile import text_of


@dataclass(frozen=True, slots=True)
class Pack:
    """A family of templates for one kind of question."""

    name: str
    path: Path
    origin: str
    title: str
    about: str
    reader: str = "final"
    world: str | None = None  # name of the rules its thoughts are checked by
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # strategy -> parameters
    example: str = ""  # a question to show in hints
    lang: str = DEFAULT  # what its templates ask for is an answer in: "Answer:" in that language

    def parameters(self, strategy: str, kind: type) -> Mapping[str, Any]:
        """The pack's own parameters of a strategy; BadPrompt when the strategy cannot take them."""
        given = self.defaults.get(strategy) or {}
        text = text_of(self.path, error=BadPrompt)
        fitting(split(self.path, text), ("defaults", strategy), f"defaults of {strategy}", given, kind)
        return given

    def template(self, name: str) -> Prompt:
        """The pack's template of that name, or general's."""
        if isinstance(self.name, Standing) and name in self.name.templates:
            return self.name.templates[name]
        return find(self.name, name)


def pack(name: str) -> Pack:
    """The pack of that name; UnknownName with the nearest name when there is none."""
    for origin, folder in places.search_path("prompts"):
        path = folder / name / "pack.md"
        if safe(name) and path.is_file():
            found = read_pack(path, origin)
            return replace(found, name=name) if isinstance(name, Standing) else found
    raise UnknownName("pack", name, packs(), listing="promptkit prompts list")


def packs() -> list[str]:
    """The names of all packs."""
    return sorted({path.parent.name for _, path in files() if path.name == "pack.md"})


def usable_pack(name: str) -> Pack | None:
    """The pack of that name; None when its pack.md cannot be read."""
    with suppress(BadPrompt):
        return pack(name)
    return None


def read_pack(path: Path, origin: str) -> Pack:
    """The pack a pack.md describes; BadPrompt says what is wrong with it."""
    return _read_pack(path, origin, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read_pack(path: Path, origin: str, mtime: int) -> Pack:
    front = split(path, text_of(path, error=BadPrompt))
    front.only({"title", "reader", "world", "defaults", "example", "lang"})
    return Pack(
        name=path.parent.name,
        path=path,
        origin=origin,
        title=str(front.fields.get("title", path.parent.name)),
        about=front.body.strip(),
        reader=front.typed("reader", str, "final"),
        world=front.typed("world", str, "") or None,
        defaults=front.typed("defaults", dict, {}),
        example=str(front.fields.get("example", "")),
        lang=lang_of(front),
    )
