"""Files made from the templates in `_data/new`: named, filled in, and never written over another."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from promptkit.errors import BadInput

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
LONGEST = 28  # so that no line of a generated file is too long
_SHAPELESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
_IMPORTS = re.compile(r"(?:^(?:import|from) (?!__future__).*\n(?:\n(?=import |from ))?)+", re.MULTILINE)


def named(what: str, name: str) -> str:
    """The name itself; BadInput with the nearest usable one when it cannot be one."""
    near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-0123456789")[
        :LONGEST
    ]
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        rule = f"small letters, digits, - and _, a letter first, at most {LONGEST}"
        raise BadInput(f"{name!r} cannot be the name of a {what}", hint=f"did you mean {near}?" if near else rule)
    if keyword.iskeyword(name) or name in _SHAPELESS:
        raise BadInput(f"{name!r} says nothing about a {what}", hint=f"e.g. {name}-of-something")
    return name


def template(name: str) -> str:
    """The text of a template."""
    from importlib import resources

    return (resources.files("promptkit") / "_data" / "new" / f"{name}.txt").read_text("utf-8")


def words(kind: str, name: str, module: str) -> dict[str, str]:
    """What the templates call things: a class and a function whose names mean nothing else in the file."""
    snake, text = name.replace("-", "_"), template(kind)
    title = "".join(part.capitalize() for part in re.split("[-_]", name))
    taken = set(re.findall(r"\w+", text)) | set(dir(builtins))
    return {
        "NAME": name,
        "SNAKE": f"{snake}_score" if kind == "scorer" and snake in taken else snake,
        "CLASS": f"{title}{kind.capitalize()}" if title in taken else title,
        "TITLE": re.sub("[-_]", " ", name).capitalize(),
        "MODULE": module,
    }


def filled(name: str, values: Mapping[str, str], *, ours: str = "") -> str:
    """A template's text; `ours` is the package that is no stranger to it, whose imports come last."""
    text = Template(template(name)).substitute(values)
    return _IMPORTS.sub(lambda found: _grouped(found[0], ours), text, count=1)


def write(files: Mapping[Path, str]) -> None:
    """All of the files or none; BadInput when one is there already."""
    if there := next((path for path in files if path.exists() or path.is_symlink()), None):
        raise BadInput(f"{there} exists, and nothing is written over", hint="another name, or move it aside")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror or error}", hint="--into a folder that can be written") from error


def _grouped(block: str, ours: str) -> str:
    """Import lines as a linter sorts them: the standard library, strangers, one's own."""
    groups: dict[int, list[str]] = {}
    for line in block.split("\n"):
        if line:
            top = line.split()[1].partition(".")[0]
            rank = 0 if top in sys.stdlib_module_names else 2 if top == ours else 1
            groups.setdefault(rank, []).append(line)
    ordered = [sorted(groups[rank], key=lambda line: (line.startswith("from "), line)) for rank in sorted(groups)]
    return "\n\n".join("\n".join(lines) for lines in ordered) + "\n"
