"""Worlds of one's own for the tests of searches: the Towers of Hanoi, and trees that a question writes down."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from promptkit import registry
from promptkit.errors import BadInput
from promptkit.types import Request

PACKS = {
    "hanoi": {
        "pack": "---\ntitle: towers\nreader: final\nworld: hanoi\n"
        "defaults:\n  tot: {generate: propose, evaluate: value, b: 3, n_evaluate: 1, depth: 7}\n---\nTowers.\n",
        "propose": "---\nversion: 1\ninputs: [state]\n---\nMoves from {{ state }}:\n",
        "value": "---\nversion: 1\ninputs: [state]\nscores: {"
        + ", ".join(f"d{left}: {8 - left}" for left in range(8))
        + "}\n---\nMoves left from {{ state }}?\n",
    },
    "grove": {
        "pack": "---\ntitle: groves\nreader: final\nworld: grove\n"
        "defaults:\n  tot: {generate: propose, evaluate: value, b: 2, k: 2, n_evaluate: 1, depth: 3}\n---\nA tree.\n",
        "propose": "---\nversion: 1\ninputs: [question, state]\n---\nWays on in {{ question }} from {{ state }}:\n",
        "sample": "---\nversion: 1\ninputs: [question, state]\n---\nOne way on in {{ question }} from {{ state }}:\n",
        "value": "---\nversion: 1\ninputs: [question, state]\nscores: {sure: 20, likely: 1, impossible: 0.001}\n---\n"
        "How good in {{ question }} is {{ state }}?\n",
        "vote": "---\nversion: 1\ninputs: [question, candidates]\n---\n"
        "Best in {{ question }}: {{ candidates | join(', ') }}?\n",
    },
}


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs of a project, with worlds that a plugin could bring."""
    (tmp_path / "promptkit.toml").touch()
    for name, files in PACKS.items():
        folder = tmp_path / "prompts" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / f"{file}.md").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(registry.BUILT_IN["world"], "hanoi", f"{__name__}:Hanoi")
    monkeypatch.setitem(registry.BUILT_IN["world"], "grove", f"{__name__}:Grove")


class Hanoi:
    """All disks from A to C, no larger one on a smaller one; a state is where each disk is, the smallest first."""

    def start(self, question: str) -> str:
        found = re.fullmatch(r"(\d) disks", question.strip())
        if not found:
            raise BadInput(f"not a tower: {question!r}", hint="3 disks")
        return "A" * int(found[1])

    def step(self, state: str, thought: str) -> str | None:
        move = re.fullmatch(r"([ABC]) to ([ABC])", thought.strip())
        pegs = self.show(state)
        if not move or move[1] not in pegs or move[1] == move[2]:
            return None
        disk = pegs.index(move[1])
        if move[2] in pegs[:disk]:
            return None
        return f"{state}\n{thought.strip()}: {pegs[:disk]}{move[2]}{pegs[disk + 1 :]}"

    def key(self, state: str) -> str:
        return self.show(state)

    def show(self, state: str) -> str:
        return state.rpartition(" ")[2]

    def finished(self, state: str) -> bool:
        return self.goal(state)

    def goal(self, state: str) -> bool:
        return set(self.show(state)) == {"C"}

    def assemble(self, state: str) -> str | None:
        return ", ".join(line.partition(":")[0] for line in state.split("\n")[1:]) if self.goal(state) else None

    def check(self, question: str, answer: str) -> bool:
        state = self.start(question)
        for move in answer.split(", "):
            after = self.step(state, move)
            if after is None:
                return False
            state = after
        return self.goal(state)


MOVES = [f"{a} to {b}" for a in "ABC" for b in "ABC" if a != b]


@lru_cache
def distances(disks: int) -> dict[str, int]:
    """The fewest moves from every position to the goal, by trying everything."""
    world, goal = Hanoi(), "C" * disks
    found, waiting = {goal: 0}, deque([goal])
    while waiting:
        at = waiting.popleft()
        for move in MOVES:
            if (after := world.step(at, move)) and (there := world.show(after)) not in found:
                found[there] = found[at] + 1
                waiting.append(there)
    return found


def moves_towers(request: Request) -> str:
    """Proposes every legal move and one that is not, and knows how far it is."""
    prompt = request.messages[-1].text
    if prompt.startswith("Moves from"):
        pegs = prompt.removeprefix("Moves from ").removesuffix(":")
        legal = [move for move in MOVES if Hanoi().step(pegs, move)]
        return "\n".join(["I would say:", *legal, next(move for move in MOVES if move not in legal)])
    pegs = prompt.removeprefix("Moves left from ").removesuffix("?")
    return f"d{distances(len(pegs))[pegs]}"


class Grove:
    """The question is a tree as JSON, name → [verdict, children]; a name that ends in ! is a goal."""

    def start(self, question: str) -> str:
        try:
            return json.dumps(json.loads(question))
        except ValueError as error:
            raise BadInput("not a tree") from error

    def step(self, state: str, thought: str) -> str | None:
        return f"{state}\n{thought}" if thought in children(state) else None

    def key(self, state: str) -> str:
        return self.show(state).replace("=", "")

    def show(self, state: str) -> str:
        return "/".join(state.split("\n")[1:]) or "the root"

    def finished(self, state: str) -> bool:
        return not children(state)

    def goal(self, state: str) -> bool:
        return state.endswith("!")

    def assemble(self, state: str) -> str | None:
        return self.show(state) if self.goal(state) else None

    def check(self, question: str, answer: str) -> bool:
        return answer.endswith("!")


def children(state: str) -> dict[str, Any]:
    """The tree below a state."""
    tree, *names = state.split("\n")
    found: dict[str, Any] = json.loads(tree)
    for name in names:
        found = found[name][1]
    return found


def grove(tree: dict[str, Any], *, extra: tuple[str, ...] = ()) -> tuple[str, Callable[[Request], str]]:
    """A question, and a model that knows its tree: its lists name every child, and what else is said to be listed."""
    question = json.dumps(tree)

    def below(shown: str) -> Any:
        found: Any = ["", tree]
        for name in [] if shown == "the root" else shown.split("/"):
            found = found[1][name]
        return found

    def say(request: Request) -> str:
        prompt = request.messages[0].text.partition("\n\n")[0]  # another strategy may say more below
        shown = prompt.removesuffix("?").removesuffix(":").rpartition(" is " if "How good" in prompt else " from ")[2]
        if prompt.startswith("Ways on"):
            return "\n".join([*below(shown)[1], *extra])
        if prompt.startswith("One way on"):
            names = list(below(shown)[1])
            return names[request.index % len(names)] if names else ""
        if prompt.startswith("Best in"):
            names = prompt.removesuffix("?").rpartition(": ")[2].split(", ")
            worth = ["impossible", "likely", "sure"]
            best = max(names, key=lambda name: worth.index(below(name)[0]))
            return f"The best choice is {names.index(best) + 1}"
        return str(below(shown)[0])

    return question, say
