"""`promptkit runs export-samples`: what a vote or a judge accepted, as lines to train on; from the journal alone.

`sft` is a conversation a line, `{"messages": […]}`; `dpo` a pair, `{"prompt": […], "chosen": […], "rejected": […]}`.
Nothing is in them but samples that the answer stands on, and, as rejected ones, readable samples that lost to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from promptkit.cli import complete
from promptkit.cli.calls import calls_of
from promptkit.cli.speak import err, out
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.journal import Journal, RunRow

Turn = dict[str, str]
Sample = tuple[list[Turn], str]  # what was asked, and what was said

_CHAIN = re.compile(r"[^/]+/samples-\d+/(\d+)")
_OF = re.compile(r"[^/]+/samples-(\d+)/~(\d+)")


def export_samples(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN…", help="Run ids, unique beginnings of them, or last.", autocompletion=complete.runs
        ),
    ],
    format: Annotated[
        str, typer.Option("--format", metavar="sft|dpo", help="Conversations, or preferred pairs.")
    ] = "sft",
    file: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to; - is stdout.")] = "-",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write the accepted samples of runs as JSON lines to train on."""
    from promptkit.api import find_run, open_journal

    if format not in ("sft", "dpo"):
        raise BadInput(f"no format {format!r}", hint="--format sft or --format dpo")
    journal = open_journal()
    rows = [find_run(run, journal) for run in runs]
    lines = list(
        dict.fromkeys(line for row in rows for line in _lines(journal, row, "dpo" if format == "dpo" else "sft"))
    )
    if not lines:
        what = "accepted samples" if format == "sft" else "pairs of accepted and rejected samples of one prompt"
        raise BadInput(f"no {what} in {', '.join(row.id for row in rows)}", hint="a decided run of sc or best-of-n has")
    if file == "-":
        return out("\n".join(lines))
    try:
        with Path(file).open("w" if force else "x", encoding="utf-8", newline="\n") as target:
            target.write("\n".join(lines) + "\n")
    except FileExistsError as error:
        raise BadInput(f"there is a {file} already", hint="another -o, or --force to overwrite it") from error
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}", hint="another -o") from error
    return err(f"{len(lines)} lines in {file}")


def _lines(journal: Journal, row: RunRow, format: Literal["sft", "dpo"]) -> Iterator[str]:
    """A run's lines; none where it did not decide."""
    outcome = row.outcome or {}
    detail = outcome.get("detail") or {}
    if outcome.get("status") != "done" or "accepted" not in detail:
        return
    said = _samples(journal, row, {*detail["accepted"], *detail.get("rejected", ())})
    good = [said[index] for index in detail["accepted"] if index in said]
    if format == "sft":
        for asked, text in good:
            yield json.dumps({"messages": [*asked, {"role": "assistant", "content": text}]}, ensure_ascii=False)
        return
    bad = [said[index] for index in detail.get("rejected", ()) if index in said]
    for at, (asked, lost) in enumerate(bad):
        same = [text for other, text in good if other == asked]  # a pair is two replies to one prompt
        if same and same[at % len(same)] != lost:
            chosen, rejected = same[at % len(same)], lost
            pair = {"chosen": [_reply(chosen)], "rejected": [_reply(rejected)]}
            yield json.dumps({"prompt": asked, **pair}, ensure_ascii=False)


def _samples(journal: Journal, row: RunRow, wanted: set[int]) -> dict[int, Sample]:
    """The wanted samples by number: chains as they were asked, and answers of a strategy to the bare question."""
    found: dict[int, Sample] = {}
    for call in calls_of(journal, row):
        match = _CHAIN.fullmatch(call["span"])
        if match and int(match[1]) in wanted and call["key"] and call["text"] is not None:
            request = journal.request(call["key"])
            if request:
                found[int(match[1])] = ([_turn(turn) for turn in request["messages"]], call["text"])
    asked = _Asked(journal, row)
    for event in journal.events(row.id):
        match = _OF.fullmatch(event["span"])
        if match and event["type"] == "Best" and event["answer"] is not None:
            index = int(match[1]) + int(match[2])
            if index in wanted:  # the last one it told is its outcome
                found[index] = (asked.turns(index), event["text"])
    return found


class _Asked:
    """What a strategy inside was asked for a sample: the run's conversation and its bare question."""

    def __init__(self, journal: Journal, row: RunRow) -> None:
        from promptkit.balloting.options import ByShuffle, questions
        from promptkit.balloting.votes import voting
        from promptkit.recorded import problem_from

        self._problem = replace(problem_from(row.options["problem"], journal), seed=row.seed)
        vote = row.params.get("vote")
        shuffles = isinstance(vote, str) and isinstance(voting(vote), ByShuffle)
        self._questions = questions(self._problem, row.params["n"]) if shuffles else ()

    def turns(self, index: int) -> list[Turn]:
        """The turns, the question with its options as that sample had them."""
        from promptkit.balloting.sampled import asked
        from promptkit.types import plain

        problem = replace(self._problem, text=self._questions[index]) if self._questions else self._problem
        return [_turn(plain(turn)) for turn in asked(problem)]


def _turn(turn: dict[str, Any]) -> Turn:
    if any("text" not in part for part in turn["content"]):
        raise BadInput("a sample was asked about an image or a file, which a line of text cannot hold")
    return {"role": turn["role"], "content": "".join(part["text"] for part in turn["content"])}


def _reply(text: str) -> Turn:
    return {"role": "assistant", "content": text}
