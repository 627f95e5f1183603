"""The draws of one prompt in a recorded run, from the journal alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from promptkit.cli.calls import calls_of
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.decoding.diversity import Drawn
    from promptkit.journal import Journal, RunRow


def draws_of(journal: Journal, row: RunRow) -> tuple[list[Drawn], int]:
    """The draws of the prompt that was asked most often, and how many other calls the run made."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for call in calls_of(journal, row):
        if call["key"] is None or call["text"] is None:
            continue
        asked = journal.request(call["key"]) or {"prompt": call["prompt"]}
        same = {name: value for name, value in asked.items() if name not in ("draw", "seed")}
        prompt = json.dumps(same, sort_keys=True)
        groups.setdefault(prompt, []).append((call["text"], call["finish"]))
    most = max(groups.values(), key=len, default=[])  # the first of several that are as large
    if len(most) < 2:
        hint = f"promptkit diversity {json.dumps(row.question, ensure_ascii=False)} --n 20"
        raise BadInput(f"run {row.id} asked no prompt twice: there is nothing to compare", hint=hint)
    others = sum(map(len, groups.values())) - len(most)
    return _read(journal, row, most), others


def _read(journal: Journal, row: RunRow, replies: list[tuple[str, str]]) -> list[Drawn]:
    """The replies with their answers, read as the run's problem is."""
    from promptkit import prompts
    from promptkit.decoding.diversity import Drawn
    from promptkit.exchange import read, reader_of
    from promptkit.recorded import problem_from
    from promptkit.types import Completion

    problem = problem_from(row.options["problem"], journal)
    pack = prompts.pack(problem.pack)
    reader = reader_of(problem, pack, pack.template(str(row.params.get("template", "cot"))))
    found = []
    for text, finish in replies:
        completion = Completion(text=text, model=row.model, finish="length" if finish == "length" else "stop")
        answer = read(reader, completion)
        found.append(Drawn(text, answer.key if answer else None, answer.shown if answer else None))
    return found
