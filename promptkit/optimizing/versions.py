"""A version of a template as a file: its text, the next version number, and where it is from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptkit import places, prompts
from promptkit.errors import BadInput
from promptkit.textfile import bytes_of

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
    """BadInput where the file is there already and is not what the new version is made from."""
    if path.exists() and bytes_of(path) != parent.path.read_bytes():
        raise BadInput(f"{path} is there already, and is not what was optimised", hint="-o another-file.md")


def text(report: Mapping[str, Any], *, run: str, model: str, strategy: str, name: str) -> str:
    """The new version's file: the parent's front matter with the next version and its provenance, the new body."""
    import yaml

    lines = str(report["prompt"]).splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines[1:], start=1) if line.rstrip() == "---")
    front, body = "".join(lines[1:end]), "".join(lines[end + 1 :])
    held, parent = report["held_out"], report["parent"]
    provenance = {
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
    said = yaml.safe_dump({"provenance": provenance}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    kept = {key: item for key, item in _items(front) if key not in ("version", "provenance")}
    if "id" in kept and name != parent["id"].rpartition("/")[2]:
        del kept["id"]
    return f"---\nversion: {parent['version'] + 1}\n{''.join(kept.values())}{said}---\n{body}"


def write(path: Path, said: str) -> None:
    """Put the file there whole or not at all; BadInput where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(said.encode())
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", hint="-o another-file.md; the calls are in the journal") from error


def _items(front: str) -> list[tuple[str, str]]:
    """The fields of a block mapping with their text, comments and all."""
    starts = [(found[1], found.start()) for found in _ITEM.finditer(front)]
    ends = [start for _, start in starts[1:]] + [len(front)]
    found = [(key, front[start:end]) for (key, start), end in zip(starts, ends, strict=True)]
    return [("", front[: starts[0][1]]), *found] if starts and starts[0][1] else found
