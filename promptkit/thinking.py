"""Reasoning a model wrote into its reply as `<think>…</think>`: taken out before anyone reads an answer."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence

TAG = re.compile(r"<\s?(?P<close>/?)\s?(?:think|thinking|thought|reasoning)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE)
CODE = re.compile(r"(?P<fence>^[ \t]{0,3}```[^\n]*\n.*?^[ \t]{0,3}```)|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def set_aside(text: str) -> tuple[str, str | None]:
    """The reply without its reasoning, and the reasoning; a reply that never stops reasoning leaves "" as the reply.

    A lone closing tag counts everything before it as reasoning: some chat templates put the opening tag in the prompt.
    A tag in code is a word like any other.
    """
    tags = list(TAG.finditer(text))
    if not tags:
        return text, None
    # A fence around the whole reply quotes nothing: the model wrapped what it had to say.
    code = [
        found.span() for found in CODE.finditer(text) if not found["fence"] or found.group().strip() != text.strip()
    ]
    literal = [_inside(code, tag.start()) for tag in tags]
    kept: list[str] = []
    thoughts: list[str] = []
    at = index = 0
    while index < len(tags):
        tag = tags[index]
        if literal[index]:
            index += 1
        elif tag["close"]:
            thoughts += [*kept, text[at : tag.start()]]
            kept.clear()
            at, index = tag.end(), index + 1
        else:
            kept.append(text[at : tag.start()])
            last = _closing(tags, literal, index)
            thoughts.append(text[tag.end() : tags[last].start() if last is not None else len(text)])
            at, index = (tags[last].end(), last + 1) if last is not None else (len(text), len(tags))
    if at == 0:
        return text, None
    kept.append(text[at:])
    reasoning = "\n".join(piece for piece in (TAG.sub("", thought).strip() for thought in thoughts) if piece)
    return "".join(kept).strip(), reasoning or None


def unfinished(text: str) -> bool:
    """Whether a reply ends while its model is still thinking."""
    end = "\N{END OF TRANSMISSION}"  # what is written next would be reasoning, or not
    return TAG.search(text) is not None and not set_aside(f"{text}\n{end}")[0].endswith(end)


def _closing(tags: Sequence[re.Match[str]], literal: Sequence[bool], opening: int) -> int | None:
    """Which tag ends the block that begins at `opening`; None when it never ends.

    Where nesting does not add up the last closing tag ends it, and one in code ends it when there is no other:
    a fence opened while thinking is often never closed.
    """
    for ignore_code in (True, False):
        depth, last = 1, None
        for index in range(opening + 1, len(tags)):
            if ignore_code and literal[index]:
                continue
            if not tags[index]["close"]:
                depth += 1
                continue
            depth, last = depth - 1, index
            if depth == 0:
                return index
        if last is not None:
            return last
    return None


def _inside(spans: Sequence[tuple[int, int]], position: int) -> bool:
    found = bisect.bisect_right(spans, (position, len(spans) and spans[-1][1])) - 1
    return found >= 0 and spans[found][0] <= position < spans[found][1]
