"""Tree of Thoughts against the log its authors released: GPT-4 on 100 puzzles, every candidate, value and selection.

The search replays the log without a model. The same log, played by a scripted model through the whole engine, tells
how many rounds a puzzle takes and how many value queries the journal answers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import promptkit as pk
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.nodes import Evaluate, Expand, Level, Node, Thought
from promptkit.algorithms.search.select import greedy
from promptkit.events import CallEnded, SpanStarted

LOG = Path(__file__).parents[3] / "shared" / "data" / "tot" / "game24_tot_b5_gpt4.json"
Puzzle = dict[str, Any]

VALUES = (0.0, 0.001, 0.002, 0.003, 1.001, 1.002, 2.0, 2.001, 3.0, 20.002, 21.001, 22.0, 40.001, 41.0, 60.0)

PACK = "---\ntitle: the log\nreader: final\n---\n"
PROPOSE = """---
version: 1
inputs: [question, state]
defaults: {max_tokens: 4096}
---
PROPOSE {{ question }}
{{ state }}
"""
SCORES = ", ".join(f"v{value}: {value}" for value in VALUES)
VALUE = f"---\nversion: 1\ninputs: [question, state]\nscores: {{{SCORES}}}\ndefaults: {{max_tokens: 64}}\n---\n" + (
    """{% set last = state.split("\n")[-1] %}VALUE {% if "answer" in last.lower() %}{{ question }}: {{ last }}
{%- else %}{{ last.split("left: ")[-1] }}{{ " at the end" if state.split("\n") | length == 4 else "" }}{% endif %}
"""
)


@pytest.fixture(scope="module")
def log() -> list[Puzzle]:
    if not LOG.is_file():
        pytest.skip("the released log is not here (shared/data/tot/game24_tot_b5_gpt4.json)")
    puzzles: list[Puzzle] = json.loads(LOG.read_text("utf-8"))
    return puzzles


def test_the_search_reproduces_every_selection_of_the_log(log: list[Puzzle]) -> None:
    any_of_five = top_one = 0
    for puzzle in log:
        steps = puzzle["steps"]
        search = bfs(Thought("", "", "root"), depth=len(steps), b=5, select=greedy)
        reply: Any = None
        kept: tuple[Node, ...] = ()
        rounds = 0
        try:
            while True:
                step = search.send(reply)
                assert isinstance(step, Expand | Evaluate | Level)
                logged = steps[step.level - 1]
                match step:
                    case Expand():
                        rounds += 1
                        reply = offspring(step, logged["new_ys"])
                    case Evaluate():
                        rounds += 1
                        reply = logged["values"]
                    case Level():
                        reply = None
                        assert [node.thought.state for node in step.kept] == logged["select_new_ys"]
        except StopIteration as done:
            kept = done.value
        assert rounds <= 8
        right = {y: info["r"] for y, info in zip(puzzle["ys"], puzzle["infos"], strict=True)}
        assert [node.thought.state for node in kept] == puzzle["ys"]
        any_of_five += any(right[node.thought.state] for node in kept)
        top_one += right[kept[0].thought.state]
    print(f"any of 5 right: {any_of_five}; ranked first and right: {top_one}, of {len(log)}")
    assert (any_of_five, top_one) == (69, 62)


def test_through_the_engine_the_log_takes_eight_rounds_and_the_journal_answers_most_values(
    log: list[Puzzle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / "prompts" / "log"
    pack.mkdir(parents=True)
    (tmp_path / "promptkit.toml").touch()
    for name, text in {"pack": PACK, "propose": PROPOSE, "value": VALUE}.items():
        (pack / f"{name}.md").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    replies = {prompt: reply for puzzle in log for prompt, reply in said(puzzle)}
    model = pk.Scripted(lambda request: replies.get(request.messages[0].text, "Answer: none"))
    queries: Counter[bool] = Counter()
    for puzzle in log:
        seen: list[pk.Record] = []
        pk.run(
            "tot",
            puzzle["steps"][0]["x"],
            pack="log",
            model=model,
            journal="memory",
            sinks=[seen.append],
            depth=4,
            n_evaluate=1,
            concurrency=100,
        )
        rounds = {r.span for r in seen if isinstance(r.event, SpanStarted) and is_round(r.span)}
        assert len(rounds) <= 8
        queries.update(r.event.cached for r in seen if isinstance(r.event, CallEnded) and "/value" in r.span)
    share = queries[True] / queries.total()
    print(f"value queries answered by the journal: {queries[True]} of {queries.total()} ({share:.1%})")
    assert share >= 0.60


def is_round(span: str) -> bool:
    """Whether a span is one round of calls, as in tot/level-1/value."""
    return span.count("/") == 2 and span.split("/")[1].startswith("level-")


def offspring(step: Expand, new_ys: list[str]) -> list[list[Thought]]:
    """The log's candidates given to their parents, in its order; duplicates stay apart, as they did in the log."""
    waiting = list(enumerate(new_ys))
    given: list[list[Thought]] = []
    for node in step.nodes:
        mine: list[Thought] = []
        while waiting and waiting[0][1].startswith(node.thought.state):
            i, y = waiting.pop(0)
            mine.append(Thought(y, y, f"{step.level}.{i}"))
        given.append(mine)
    assert not waiting
    return given


def said(puzzle: Puzzle) -> Iterator[tuple[str, str]]:
    """What the logged model said, by our prompts: (prompt, reply)."""
    question = puzzle["steps"][0]["x"]
    for step in puzzle["steps"]:
        for y in step["ys"]:
            lines = [new.removeprefix(y).strip() for new in step["new_ys"] if new.startswith(y)]
            yield f"PROPOSE {question}\n{y.strip()}".strip(), "\n".join(lines)
        seen: set[str] = set()
        for y, value in zip(step["new_ys"], step["values"], strict=True):
            last = y.strip().split("\n")[-1]
            end = " at the end" if y.strip().count("\n") == 3 else ""
            number = f"{question}: {last}" if "answer" in last.lower() else last.split("left: ")[-1] + end
            if y not in seen:  # the log values a repeated candidate 0; here it is merged into the first
                yield f"VALUE {number}", f"v{float(value)}"
            seen.add(y)
