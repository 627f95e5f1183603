"""What is to be optimised, on which questions, with which candidates, for how much: a recipe in YAML.

recipe: 1
optimize:
  prompt: words/solve                  # the template, as in `promptkit prompts list`
  strategy: direct(reply_tokens=256)   # that asks with it
  model: builtin
  data: {use: words, level: easy}      # or a file of questions and answers
  candidates:
    instructions: ["Let's think step by step."]   # or a number of them that the model is to propose
    examples: 2                        # worked examples, of chains that were found right
  budget: {calls: 600}
  train: 40
  held_out: 80
  seed: 0
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from promptkit import places
from promptkit.errors import BadInput, UnknownName
from promptkit.optimizing import strict
from promptkit.optimizing.strict import Said

VERSION = 1
TRAIN, HELD_OUT = 40, 80
FEWEST = 8  # questions of a split: with fewer nothing could be shown
MOST = 10_000
PREFIX = "optimize-"  # what the name of a shipped recipe of this kind begins with

_TOP = ("recipe", "name", "optimize")
_KEYS = "prompt strategy model data candidates budget train held_out seed".split()
_HINT = "promptkit optimize FILE.yaml, or a recipe that is shipped: promptkit optimize optimize-words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Where questions come from."""

    use: str  # words, patterns, game24, or a file
    split: str = "validation"  # of what is generated
    level: str = "middle"  # of words
    seed: int | None = None  # of what is drawn; default: the recipe's


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An optimisation as it is written down; `places` says where each key stands."""

    path: Path
    name: str
    prompt: str  # pack/name
    data: Data
    strategy: str = "cot"
    model: str | None = None  # default: the usual one
    instructions: tuple[str, ...] = ()  # to stand in for the template's own
    propose: int = 0  # more of them, written by the model
    shown: int = 0  # worked examples in a prompt
    sets: int = 1  # of examples, different ones
    calls: int | None = None
    tokens: int | None = None
    train: int = TRAIN
    held_out: int = HELD_OUT
    seed: int = 0
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def wrong(self, key: str, what: str, hint: str = "") -> BadInput:
        """The error that says where the key stands."""
        return BadInput(f"{self.places.get(key, f'{self.path}:1:1')}: {what}", hint=hint)


def find(name: str) -> Path:
    """The file of a recipe: a path, or the name of one in the project's, the user's or the packaged recipes/."""
    path = Path(name).expanduser()
    if path.suffix in (".yaml", ".yml") or "/" in name or path.is_file():
        return path
    for _, folder in places.search_path("recipes"):
        if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) and (found := folder / f"{name}.yaml").is_file():
            return found
    raise UnknownName("recipe", name, names(), listing="" if names() else _HINT)


def names() -> list[str]:
    """The recipes of this kind that can be named."""
    folders = [folder for _, folder in places.search_path("recipes") if folder.is_dir()]
    return sorted({path.stem for folder in folders for path in folder.glob(f"{PREFIX}*.yaml")})


def read(path: Path) -> Recipe:
    """The recipe in a file; BadInput with file:line:col for whatever cannot be meant."""
    top = strict.read(path, hint=_HINT).fields(_TOP, needed=["optimize"])
    if "recipe" in top and top["recipe"].value(int) != VERSION:
        raise top["recipe"].wrong(f"recipe {top['recipe'].plain()} is not a version this promptkit reads", "recipe: 1")
    name = top["name"].value(str) if "name" in top else path.stem
    said = top["optimize"].fields(_KEYS, needed=["prompt", "data", "candidates", "budget"])
    known: dict[str, Any] = {}
    for key in ("strategy", "model"):
        if key in said:
            known[key] = said[key].value(str)
    for key in ("train", "held_out"):
        if key in said:
            known[key] = said[key].value(_whole(FEWEST, MOST))
    if "seed" in said:
        known["seed"] = said["seed"].value(_whole(0, 2**31 - 1))
    prompt = said["prompt"].value(str)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", prompt):
        raise said["prompt"].wrong(f"{prompt!r} is no template", hint="PACK/NAME, e.g. words/cot")
    return Recipe(
        path=path,
        name=name,
        prompt=prompt,
        data=_data(said["data"]),
        **_candidates(said["candidates"]),
        **_budget(said["budget"]),
        **known,
        places={"optimize": top["optimize"].at, **{key: each.at for key, each in said.items()}},
    )


def _data(said: Said) -> Data:
    from promptkit.optimizing.questions import LEVELS, SPLITS, WORLDS

    if isinstance(said.plain(), str):
        use, more = said, dict[str, Said]()
    else:
        more = said.fields(("use", "split", "level", "seed"), needed=["use"])
        use = more.pop("use")
    name = use.value(str)
    if name not in WORLDS:
        file = said.path.parent / Path(name.removeprefix("file:")).expanduser()
        if not file.is_file():
            error = UnknownName("data set", name, WORLDS)
            raise use.wrong(f"{error.message}, and no such file: {file}", hint=error.hint)
        if stray := next(iter(more), None):
            raise more[stray].wrong(f"a file has no {stray}", hint="shuffled by the recipe's seed, then divided")
        return Data(use=str(file))
    if "level" in more and name != "words":
        raise more["level"].wrong(f"{name} has no levels")
    return Data(
        use=name,
        split=strict.one_of(more, "split", SPLITS, "validation"),
        level=strict.one_of(more, "level", LEVELS, "middle"),
        seed=more["seed"].value(int) if "seed" in more else None,
    )


def _candidates(said: Said) -> dict[str, Any]:
    given = said.fields(("instructions", "examples"))
    known: dict[str, Any] = {}
    if "instructions" in given:
        each = given["instructions"]
        if isinstance(each.plain(), dict):
            parts = each.fields(("texts", "propose"))
            known["instructions"] = _texts(parts["texts"]) if "texts" in parts else ()
            known["propose"] = parts["propose"].value(_whole(0, 64)) if "propose" in parts else 0
        elif isinstance(each.plain(), list):
            known["instructions"] = _texts(each)
        else:
            known["propose"] = each.value(_whole(0, 64))
    if "examples" in given:
        each = given["examples"]
        if isinstance(each.plain(), dict):
            parts = each.fields(("shown", "sets"), needed=["shown"])
            known["shown"] = parts["shown"].value(_whole(0, 16))
            known["sets"] = parts["sets"].value(_whole(1, 16)) if "sets" in parts else 1
        else:
            known["shown"] = each.value(_whole(0, 16))
    if not known.get("instructions") and not known.get("propose") and not known.get("shown"):
        raise said.wrong("there are no candidates", hint="instructions: [a text, …] or a number, examples: a number")
    return known


def _texts(said: Said) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for each in said.items():
        text = each.value(str).strip()
        if not text:
            raise each.wrong("an empty instruction")
        if text in found:
            raise each.wrong("the same instruction twice")
        found[text] = None
    return tuple(found)


def _budget(said: Said) -> dict[str, Any]:
    given = said.fields(("calls", "tokens"))
    if not given:
        raise said.wrong("there is no budget", hint="budget: {calls: 600}")
    return {name: each.value(_whole(1, 10**12)) for name, each in given.items()}


def _whole(least: int, most: int) -> Any:
    from pydantic import Field

    return Annotated[int, Field(ge=least, le=most)]
