"""Lessons as rows of tokens: rendered by the shipped packs, masked to the replies, packed without waste.

A row holds several lessons; `part` numbers them, and attention never crosses from one to the next. Lessons that do
not fit a short row go into long ones.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from promptkit import prompts
from training.lesson import Lesson
from training.mixture import SHARES
from training.paraphrases import SHARE, WORDINGS

SHORT, LONG = 256, 640  # tokens a row
OPEN_ROWS = 64  # rows a lesson is tried in before the fullest is closed
ROLES = ("user", "assistant", "system")
NO_PART = 255
SHARD = 2_000_000  # tokens a file


Array = np.ndarray[Any, Any]


def turns(lesson: Lesson, rng: random.Random) -> list[tuple[str, str]]:
    """The conversation of a lesson as (role, text)."""
    wordings = WORDINGS.get((lesson.pack, lesson.template), ())
    which = rng.randrange(len(wordings)) if wordings and rng.random() < SHARE else None
    prompt = _prompt(lesson.pack, lesson.template, which)
    said: list[tuple[str, str]] = []
    for inputs, reply in (*lesson.shots, (lesson.inputs, lesson.reply)):
        said += [(each.role, each.text) for each in prompt.render(**inputs)]
        said.append(("assistant", reply))
    return said


@lru_cache
def _prompt(pack: str, template: str, wording: int | None) -> prompts.Prompt:
    prompt = prompts.pack(pack).template(template)
    if wording is None:
        return prompt
    return replace(prompt, turns=(("user", WORDINGS[pack, template][wording]),))


def encoded(said: Sequence[tuple[str, str]], tokenizer: Tokenizer) -> tuple[list[int], list[bool]]:
    """The tokens of a conversation, and which of them the model has to produce."""
    mark = {name: tokenizer.encode(f"<|{name}|>").ids[0] for name in ("end", *ROLES)}
    tokens: list[int] = []
    taught: list[bool] = []
    for role, text in said:
        content = tokenizer.encode(text).ids
        mine = role == "assistant"
        tokens += [mark[role], *content, mark["end"]]
        taught += [False, *[mine] * len(content), mine]
    return tokens, taught


@dataclass
class Rows:
    """Rows of one length that are being filled."""

    length: int
    closed: list[list[tuple[list[int], list[bool]]]] = field(default_factory=list)
    open: list[tuple[int, list[tuple[list[int], list[bool]]]]] = field(default_factory=list)

    def add(self, tokens: list[int], taught: list[bool]) -> None:
        """Put a lesson where it leaves the least room."""
        fitting = [(used, at) for at, (used, _) in enumerate(self.open) if used + len(tokens) <= self.length]
        if fitting:
            used, at = max(fitting)
            row = self.open.pop(at)[1]
        else:
            if len(self.open) >= OPEN_ROWS:
                self.closed.append(self.open.pop(max(range(len(self.open)), key=lambda at: self.open[at][0]))[1])
            used, row = 0, []
        row.append((tokens, taught))
        used += len(tokens)
        if used > self.length - 8 or len(row) >= NO_PART:
            self.closed.append(row)
        else:
            self.open.append((used, row))

    def arrays(self) -> dict[str, Array]:
        """Tokens, what is taught, and which lesson of its row each token belongs to."""
        rows = [*self.closed, *(row for _, row in self.open)]
        size = (len(rows), self.length)
        tokens: Array = np.zeros(size, np.uint16)
        taught: Array = np.zeros(size, np.bool_)
        part: Array = np.full(size, NO_PART, np.uint8)
        for at, row in enumerate(rows):
            start = 0
            for number, (ids, mine) in enumerate(row):
                stop = start + len(ids)
                tokens[at, start:stop], taught[at, start:stop], part[at, start:stop] = ids, mine, number
                start = stop
        return {"tokens": tokens, "taught": taught, "part": part}


def draw(folder: Path, tokenizer: Path, *, tokens: int, seed: int, jobs: int) -> None:
    """Write about so many tokens of lessons, and a few for validation, to `folder`; what is there stays."""
    shards = max(1, round(tokens / SHARD))
    wanted = {folder / f"shard-{at:02d}.npz": (SHARD, 1000 * seed + at + 1) for at in range(shards)}
    wanted[folder / "validation.npz"] = (SHARD // 20, 1000 * seed)
    missing = [(path, tokenizer, *what) for path, what in wanted.items() if not path.exists()]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for at, path in enumerate(pool.imap_unordered(_shard, missing), start=1):
            print(f"lessons {at}/{len(missing)}: {path.name}", flush=True)


def _shard(what: tuple[Path, Path, int, int]) -> Path:
    path, tokenizer, tokens, seed = what
    fresh = path.with_suffix(".new")
    write(fresh, Tokenizer.from_file(str(tokenizer)), tokens=tokens, seed=seed)
    fresh.replace(path)
    return path


def write(path: Path, tokenizer: Tokenizer, *, tokens: int, seed: int) -> dict[str, int]:
    """Write a shard of about so many tokens; the tokens of each kind of lesson."""
    rng = random.Random(seed)
    used = dict.fromkeys(SHARES, 0)
    short, long = Rows(SHORT), Rows(LONG)
    while sum(used.values()) < tokens:
        kind = min(used, key=lambda kind: used[kind] / SHARES[kind][0])
        ids, taught = encoded(turns(SHARES[kind][1](rng), rng), tokenizer)
        if len(ids) > LONG:
            continue
        used[kind] += len(ids)
        (short if len(ids) <= SHORT else long).add(ids, taught)
    arrays: dict[str, Any] = {
        f"{name}_{key}": each
        for name, rows in (("short", short), ("long", long))
        for key, each in rows.arrays().items()
    }
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return used
