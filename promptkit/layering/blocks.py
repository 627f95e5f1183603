"""The catalogue of prompt patterns as blocks of text: one template of the pack `tricks` each (arXiv:2302.11382).

A block that declares the input `argument` must be told something, one that declares `option` may be, and one that
declares neither takes nothing. A project's or a user's own templates in prompts/tricks/ are blocks, too.
"""

from __future__ import annotations

from promptkit import prompts
from promptkit.errors import BadInput, UnknownName
from promptkit.prompts import Prompt

PACK = "tricks"
LISTING = f"promptkit prompts list -P {PACK}"


def everything() -> list[Prompt]:
    """The blocks in force."""
    return [each for each in prompts.everything() if each.pack == PACK]


def block(written: str) -> str:
    """The text of a block as it is written on a command line: `fact-check`, `template:# NAME`."""
    name, colon, told = (part.strip() for part in written.partition(":"))
    found = _found(name)
    takes = next((each for each in ("argument", "option") if each in found.inputs), None)
    if told and takes is None:
        raise BadInput(f"the pattern {name} takes nothing behind a colon, not {told!r}", hint=f"--pattern {name}")
    if not told and (colon or takes == "argument"):
        hint = f'--pattern "{name}:…"\nwhat it takes: promptkit prompts show {PACK}/{name}'
        raise BadInput(f"the pattern {name} wants something behind a colon", hint=hint)
    if [role for role, _ in found.turns] != ["user"]:
        raise BadInput(f"the pattern {name} has turns, and a block is one text", hint=f"mend {found.path}")
    return found.render(**({takes: told} if takes else {}))[-1].text


def _found(name: str) -> Prompt:
    known = {each.name for each in everything()}  # not those of `general`, which stand in for other packs
    if name not in known:
        raise UnknownName("pattern", name, known, listing=LISTING)
    return prompts.find(PACK, name)
