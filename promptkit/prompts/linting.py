"""What in a template is probably a slip: it can be used as it is, and hardly anybody meant it so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from promptkit.answers.languages import MARKERS
from promptkit.errors import BadPrompt
from promptkit.prompts.checking import bodies, spot
from promptkit.prompts.inputs import MARKER
from promptkit.prompts.shelf import load
from promptkit.prompts.template import Prompt
from promptkit.redaction import redacted

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<inside>.*?)^(?P=fence)", re.DOTALL | re.MULTILINE)
_HOLE = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")


def lint(path: Path) -> list[BadPrompt]:
    """What looks like a slip in a template that check() finds usable, with file:line:col."""
    if path.name == "pack.md":
        return []
    prompt = load(path, "file")
    return [BadPrompt(text) for find in (_secrets, _braces, _fenced, _unanswered) for text in find(prompt)]


def _secrets(prompt: Prompt) -> Iterator[str]:
    """A key in the file: it would go to every provider, and into version control."""
    text = prompt.files[0][1]
    for number, line in enumerate(text.splitlines(), start=1):
        if (clean := redacted(line)) != line:
            at = next((i for i, (a, b) in enumerate(zip(line, clean, strict=False)) if a != b), 0)
            yield f"{prompt.path}:{number}:{at + 1}: holds what looks like a key"


def _braces(prompt: Prompt) -> Iterator[str]:
    """{question} where {{ question }} was meant."""
    for path, begins, body in bodies(prompt):
        for name in (*prompt.inputs, MARKER):
            single = rf"(?<![{{%#]){{\s*{re.escape(name)}\s*}}(?!}})"
            if re.search(single, body):
                yield f"{spot(path, begins, body, single)}: {{{name}}} is sent as written: {{{{ {name} }}}} is filled"


def _fenced(prompt: Prompt) -> Iterator[str]:
    """An input inside a code fence that nothing keeps it from closing."""
    for path, begins, body in bodies(prompt):
        for block in _FENCE.finditer(body):
            if (hole := _HOLE.search(block["inside"])) and hole[1] in prompt.inputs and len(block["fence"]) == 3:
                line = body[: block.start("inside") + hole.start()].count("\n") + 1
                where = spot(path, begins, body, rf"\{{\{{-?\s*{hole[1]}\b", line)
                yield f"{where}: {hole[1]} may hold {block['fence']} and end the code: use a fence of four"


def _unanswered(prompt: Prompt) -> Iterator[str]:
    """The reader `final` over a template that never asks for the line it looks for."""
    if prompt.reader == "final":
        whole = "\n".join(body for _, _, body in bodies(prompt))
        known = {word.rstrip(" :：").casefold() for word in MARKERS.values()}
        if not re.search(rf"\{{\{{-?\s*{MARKER}\b", whole) and not any(word in whole.casefold() for word in known):
            hint = f"end it with a line that begins {MARKERS[prompt.lang]}"
            yield f"{prompt.at('reader')}: the reader `final` looks for an answer that nothing asks for: {hint}"
