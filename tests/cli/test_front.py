"""The short way into `run` understands a line as the command-line library does, or not at all."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from promptkit.cli import app, run
from promptkit.cli.front import plain_run

PLAIN = [
    "run tot -P game24 '1 4 9 11' -q",
    "run direct 'a question' --model ollama:qwen3:8b --json",
    "run cot - --seed -3 --timeout 1.5 --max-calls 007",
    "run sc --n 5 'q' -o a=1 -o b=2 --fresh --plain --events --dry-run",
    "run tot q --generate sample --b 3 --temperature 1 --reader number --with a.txt --with b.png",
    "run direct",
    "run direct ''",
    "run direct -q q --concurrency 2 --max-tokens 10 --max-cost 0.5",
]
NOT_PLAIN = (
    """
run|run nope q|run --json cot q|run cot q --help|run cot two questions|run cot q --nope|run cot q --seed x
run cot q --seed 1.5|run cot q --seed 1 --seed 2|run cot q --model|run cot q --model=x|run cot q -Pgame24|run cot -- q
run tot q --generate maybe|run cot q --timeout nan|run cot q --model --json|run cot q --js|runs list|--help|resume last
run cot q --seed 1_000|run cot q --seed ١|run cot -q- q|run cot '-5 + 3'|run cot q -m ''
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize("line", PLAIN)
def test_it_understands_what_the_library_understands(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str | None, dict[str, Any]]] = []

    def answer(strategy: str, question: str | None, given: dict[str, Any]) -> int:
        heard.append((strategy, question, given))
        return 0

    monkeypatch.setattr(run, "answer", answer)
    assert app.start(shlex.split(line)) == 0
    ours = plain_run(shlex.split(line))
    if ours is None:
        assert "''" in line  # an empty word is left to the library
        return
    assert ours == heard[0]
    assert [type(value) for value in ours[2].values()] == [type(heard[0][2][key]) for key in ours[2]]


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_what_may_be_a_mistake_is_left_to_the_library(line: str) -> None:
    assert plain_run(shlex.split(line)) is None
