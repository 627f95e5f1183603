"""A version of a template as a file: its text, the next version number, and where it is from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from promptkit import composition, places, prompts
from promptkit.errors import BadInput
from promptkit.prompts.front import loaded
from promptkit.textfile import bytes_of

DECODING = {"temperature": "temperature", "max_tokens": "reply_tokens"}  # of a template, of a strategy

_FRONT = re.compile(r"---\n(.*?)^---", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"^(\w[\w-]*)[ \t]*:", re.MULTILINE)


def target(prompt: str, given: Path | None) -> Path | None:
    """The file a better version is written to: the one given, else the project's; None where there is no project."""
    if given is not None:
        if given.suffix != ".md" or given.name == "pack.md":
            raise BadInput(f"{given} is no template file", hint=f"-o {prompt}.md")
        return given
    root = places.project()
    return root / "prompts" / f"{prompt}.md" if root else None


def refuse_other(path: Path, parent: prompts.Prompt) -> None:
    """BadInput where the file is there already, and is neither what the new version is made from nor made from it."""
    if path.exists() and bytes_of(path) != parent.path.read_bytes() and not _made_from(path, parent):
        raise BadInput(f"{path} is there already, and is not what was optimised", hint="-o another-file.md")


def _made_from(path: Path, parent: prompts.Prompt) -> bool:
    """Whether an earlier run has written the file."""
    return provenance(bytes_of(path).decode("utf-8", "replace")).get("parent_digest") == parent.digest


def provenance(text: str) -> dict[str, Any]:
    """What a template's file says of where it is from; {} where it says nothing that can be read."""
    import yaml

    front = _FRONT.match(_unix(text))
    with suppress(yaml.YAMLError, RecursionError, TypeError, KeyError):
        said = loaded(front[1])["provenance"] if front else None
        return dict(said) if isinstance(said, dict) else {}
    return {}


def bare_digest(text: str) -> str:
    """The sha256 of a template's file without its provenance: another one once somebody edits it."""
    plain = _unix(text)
    if front := _FRONT.match(plain):
        kept = "".join(item for key, item in _items(front[1]) if key != "provenance")
        plain = f"---\n{kept}{plain[front.end(1) :]}"
    return hashlib.sha256(plain.encode()).hexdigest()


def already(path: Path, said: str) -> bool:
    """Whether the file says that already, whichever run it has it from."""
    if not path.exists():
        return False
    there = bytes_of(path).decode("utf-8", "replace")
    one, other = (
        {key: value for key, value in provenance(each).items() if key not in ("runs", "parent")}
        for each in (there, said)
    )
    return one == other and bare_digest(there) == bare_digest(said)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def text(report: Mapping[str, Any], *, run: str, model: str, strategy: str, name: str, recipe: str = "") -> str:
    """The new version's file: the parent's front matter with the next version and its provenance, the new body.

    What the strategy decoded with, other than the template says, is part of what was measured, and of the version.
    """
    import yaml

    lines = str(report["prompt"]).splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines[1:], start=1) if line.rstrip() == "---")
    front, body = "".join(lines[1:end]), "".join(lines[end + 1 :])
    held, parent = report["held_out"], report["parent"]
    origin = {
        "parent": f"{parent['id']} version {parent['version']}",
        "parent_digest": parent["digest"],
        "runs": [run],
        "model": model,
        "strategy": strategy,
        "training_n": report["training"]["n"],
        "held_out_n": held["n"],
        "held_out_right": round(held["right"], 4),
        "baseline_right": round(held["baseline"], 4),
        "difference": [round(held[key], 4) for key in ("difference", "low", "high")],
    }
    decoding = _decoding(strategy)
    kept = {key: item for key, item in _items(front) if key not in ("version", "provenance")}
    if decoding:
        defaults = (yaml.safe_load(front).get("defaults") or {}) | decoding
        kept["defaults"] = yaml.safe_dump({"defaults": defaults}, sort_keys=False, default_flow_style=None)
    if "id" in kept and name != parent["id"].rpartition("/")[2]:
        del kept["id"]
    head = f"---\nversion: {parent['version'] + 1}\n{''.join(kept.values())}"
    if recipe:
        origin |= {"recipe_digest": recipe, "text_digest": bare_digest(f"{head}---\n{body}")}
    said = yaml.safe_dump({"provenance": origin}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return f"{head}{said}---\n{body}"


def write(path: Path, said: str) -> None:
    """Put the file there whole or not at all; BadInput where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(said.encode())
        fresh.replace(path)
    except OSError as error:
        raise BadInput(
            f"{path}: {error.strerror or error}", hint="-o another-file.md; the calls are in the journal"
        ) from error


def _decoding(strategy: str) -> dict[str, Any]:
    """What the strategy sends in place of the template's own; a vote's temperature is the vote's."""
    held: Any = composition.inner(strategy)
    given = {name: getattr(held, field, None) for name, field in DECODING.items()}
    own = {each.name for each in fields(held) if each.default is None}
    return {name: value for name, value in given.items() if value is not None and DECODING[name] in own}


def _items(front: str) -> list[tuple[str, str]]:
    """The fields of a block mapping with their text, comments and all."""
    starts = [(found[1], found.start()) for found in _ITEM.finditer(front)]
    ends = [start for _, start in starts[1:]] + [len(front)]
    found = [(key, front[start:end]) for (key, start), end in zip(starts, ends, strict=True)]
    return [("", front[: starts[0][1]]), *found] if starts and starts[0][1] else found
