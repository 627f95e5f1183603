"""Other versions of a template: with another instruction, with worked examples before the question.

The instruction is what a template says behind its question, up to the sentence with the next placeholder (which says
how the answer is to be written, and stays); where there is nothing behind it, what stands before it. A text with
placeholders of its own is a whole template's body. What a model or a user wrote is put in so that it can be nothing
but text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from promptkit import prompts
from promptkit.errors import BadInput, BadPrompt
from promptkit.prompts import Prompt
from promptkit.types import Role

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MARKER = re.compile(r"\{\{-?\s*marker\s*-?\}\}")
_QUESTION = re.compile(r"\{\{-?\s*question\s*-?\}\}")
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
_OPENING = re.compile(r"\{(?=[{%#]|\Z)|^\[(?=\[(?:system|user|assistant)\]\])", re.MULTILINE)


def instruction_of(prompt: Prompt) -> str:
    """What the template says besides its question; "" where it says nothing."""
    text = _last(prompt)
    start, end = _place(text)
    return text[start:end].strip()


def reworded(prompt: Prompt, instruction: str, *, literal: bool = False) -> Prompt:
    """The template with another instruction; with another body where the text has placeholders and is not `literal`."""
    if _TAG.search(instruction) and not literal:
        return _checked(prompts.worded(prompt, f"{_front(prompt)}{instruction.strip()}\n"), prompt)
    turns, at = list(prompt.turns), _asking(prompt)
    text = turns[at][1]
    start, end = _place(text)
    old = text[start:end]
    if old.strip():
        lead, trail = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]
    else:
        lead, trail = ("" if text[:start].endswith("\n") else "\n"), "\n"
    new = f"{text[:start]}{lead}{inert(instruction.strip())}{trail}{text[end:]}"
    turns[at] = (turns[at][0], new)
    return _checked(prompts.worded(prompt, _front(prompt) + _body(turns)), prompt)


def with_examples(prompt: Prompt, shown: Sequence[tuple[str, str]]) -> Prompt:
    """The template with questions and the replies to them before its own, each a turn, asked as it asks."""
    turns, at = list(prompt.turns), _asking(prompt)
    text = turns[at][1]
    if set(_names(prompt)) != {"question"} or not _QUESTION.search(text):
        raise BadInput(
            f"{prompt.id} takes more than a question: examples cannot be asked as it asks", hint="examples: 0"
        )
    pairs: list[tuple[Role, str]] = []
    for question, reply in shown:
        asked = inert(question).join(_QUESTION.split(text)).strip("\n")
        pairs += [("user", f"{asked}\n"), ("assistant", f"{inert(reply)}\n")]
    made = _checked(prompts.worded(prompt, _front(prompt) + _body([*turns[:at], *pairs, *turns[at:]])), prompt)
    said = [turn.text for turn in made.render(question="?")][at:]
    if any(
        question not in said[2 * n] or reply.strip("\n") != said[2 * n + 1] for n, (question, reply) in enumerate(shown)
    ):
        raise BadPrompt(f"{prompt.path}: an example would not read as it was written")
    return made


def inert(text: str) -> str:
    """The text as a template says it: nothing in it opens a placeholder or a turn."""
    return _OPENING.sub(lambda found: f'{{{{ "{found[0]}" }}}}', text.replace("\r\n", "\n").replace("\r", "\n"))


def _place(text: str) -> tuple[int, int]:
    """From where to where a turn's instruction stands; an empty place where one would be put."""
    tags = list(_TAG.finditer(text))
    others = [tag for tag in tags if not _MARKER.fullmatch(tag[0])]
    start = others[-1].end() if others else 0
    ends = [tag.start() for tag in tags if tag.start() >= start]
    end = len(text)
    if ends:  # a sentence about the marker stays
        breaks = [found.end() for found in _SENTENCE.finditer(text, start, ends[0])]
        end = breaks[-1] if breaks else start
    if text[start:end].strip() or not others:
        return start, end
    head = others[0].start()
    line = text.rfind("\n", 0, head) + 1  # what stands on the question's own line belongs to it
    if text[:line].strip():
        return 0, line
    return end, end


def _asking(prompt: Prompt) -> int:
    """The turn that asks: the last one of the user."""
    if any(each.extends for each in prompt.references):
        raise BadInput(f"{prompt.id} extends another template: its turns are not its own", hint="give whole bodies")
    return max((at for at, (role, _) in enumerate(prompt.turns) if role == "user"), default=len(prompt.turns) - 1)


def _last(prompt: Prompt) -> str:
    return prompt.turns[_asking(prompt)][1]


def _front(prompt: Prompt) -> str:
    """The front matter of its file, as it is written."""
    lines = prompt.files[0][1].splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines[1:], start=1) if line.rstrip() == "---")
    return "".join(lines[: end + 1])


def _body(turns: Sequence[tuple[str, str]]) -> str:
    """A file's body of these turns; a lone one of the user needs no heading."""
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "".join(f"[[{role}]]\n{text if text.endswith(chr(10)) else text + chr(10)}" for role, text in turns)


def _names(prompt: Prompt) -> list[str]:
    return [each.name for each in prompt.declared if each.needed]


def _checked(made: Prompt, base: Prompt) -> Prompt:
    """The template itself; BadPrompt when it leaves out what it is given, or cannot be rendered."""
    if not any(name == "question" for name in base.inputs):
        return made
    given = {each.name: _sample(each.type, each.name) for each in made.declared if each.needed}
    sent = "\n".join(turn.text for turn in made.render(**given))
    if _sample("text", "question") not in sent:
        raise BadPrompt(f"{base.path}: a version of {base.id} never asks its question", hint="put {{ question }} in it")
    return made


def _sample(kind: str, name: str) -> Any:
    by_type: dict[str, Any] = {"number": 1, "integer": 1, "boolean": True, "list": ["an item"], "json": {}}
    return by_type.get(kind, f"the very {name}")
