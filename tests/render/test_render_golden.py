"""Rendered text, compared literally. GOLDEN=write rewrites the files; read the diff before you keep it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

import pytest
from render_scenes import START, cot, fed, same_as_golden, sc, shot, text_of, tot, tot_ended
from rich.console import Console, RenderableType
from rich.text import Text

from promptkit.events import BudgetHit, Record
from promptkit.render import runs, stream, summary, tree, votes
from promptkit.render.plain import PlainDisplay
from promptkit.types import Outcome, Usage, plain

USAGE = Usage(calls=38, cached_calls=12, samples=38, input_tokens=6914, output_tokens=1216)
WON = Outcome(
    answer="4 * (9 - (13 - 10))",
    usage=USAGE,
    cost_usd=0.0,
    seconds=11.2,
    run="r2c91",
    strategy="tot",
    model="ollama:qwen3:8b",
    detail={"verified": True, "checked": "uses 4 9 10 13 once each and equals 24"},
)


def row(**changes: Any) -> Mapping[str, Any]:
    return {
        "id": "r2c91",
        "strategy": "tot",
        "params": {"depth": 3},
        "model": "ollama:qwen3:8b",
        "question": "4 9 10 13",
        "pack": "game24",
        "status": "done",
        "started": START,
        "ended": START + 11.2,
        "outcome": plain(WON),
    } | changes


ROWS = [
    row(),
    row(id="r7f3a", strategy="sc", model="groq:llama-3.3-70b-versatile", status="undecided", question="Ducks? " * 20),
    row(id="r0b17", status="running", ended=None, outcome=None, question="[bold red]x[/] \x1b[2J\n漢字"),
]


def now(records: list[Record]) -> float:
    return records[-1].at


def stored(records: list[Record]) -> list[dict[str, Any]]:
    return [record.to_json() for record in records]


def tree_live(width: int) -> list[Text]:
    return tree.live(shot(tot()), now(tot()), width, 23)


def tree_short(width: int) -> list[Text]:
    return tree.live(shot(tot()), now(tot()), width, 11)


def tree_early(width: int) -> list[Text]:
    return tree.live(shot(tot()[:26]), now(tot()[:26]), width, 23)


def tree_final(width: int) -> list[Text]:
    return tree.final(shot(tot_ended()), width, 23)


def tree_unsolved(width: int) -> list[Text]:
    return tree.final(shot(tot()), width, 23)


def votes_live(width: int) -> list[Text]:
    records = sc()[:88]
    return votes.live(shot(records), now(records), width, 23)


def votes_sealed(width: int) -> list[Text]:
    records = sc("A" * 11 + "B", early=True)
    return votes.live(shot(records), now(records), width, 23)


def votes_final(width: int) -> list[Text]:
    return votes.final(shot(sc()), width, 23)


def votes_tied(width: int) -> list[Text]:
    return votes.final(shot(sc("AB" * 4, n=8, unread=2)), width, 23)


def stream_live(width: int) -> list[Text]:
    return stream.live(shot(cot()), now(cot()), width, 23)


def stream_short(width: int) -> list[Text]:
    return stream.live(shot(cot()), now(cot()), width, 5)


def stream_final(width: int) -> list[Text]:
    return stream.final(shot(cot()), width, 23)


def summary_solved(width: int) -> RenderableType:
    return summary.closing(WON, fed(tot_ended()))


def summary_budget(width: int) -> RenderableType:
    state = fed(tot())
    state.feed(Record(999, START + 99, "tot", USAGE, BudgetHit("calls", 38, 38)))
    return summary.closing(Outcome(answer=None, status="budget", usage=USAGE, run="r2c91"), state)


def runs_list(width: int) -> RenderableType:
    return runs.runs_table(ROWS, zone=UTC)


def runs_show(width: int) -> RenderableType:
    return runs.run_view(row(), stored(tot_ended()), zone=UTC)


def runs_show_calls(width: int) -> RenderableType:
    return runs.run_view(row(), stored(tot_ended())[:60], every_call=True, zone=UTC)


def runs_show_sc(width: int) -> RenderableType:
    return runs.run_view(ROWS[1], stored(sc("AB" * 4, n=8)), zone=UTC)


def runs_tree(width: int) -> RenderableType:
    return runs.run_tree(stored(tot_ended()))


SCENES: list[Callable[[int], Any]] = [
    tree_live,
    tree_short,
    tree_early,
    tree_final,
    tree_unsolved,
    votes_live,
    votes_sealed,
    votes_final,
    votes_tied,
    stream_live,
    stream_short,
    stream_final,
    summary_solved,
    summary_budget,
    runs_list,
    runs_show,
    runs_show_calls,
    runs_show_sc,
    runs_tree,
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
@pytest.mark.parametrize(("width", "encoding"), [(80, "utf-8"), (40, "utf-8"), (80, "ascii"), (40, "cp1252")])
def test_looks_as_it_did(scene: Callable[[int], Any], width: int, encoding: str) -> None:
    text = text_of(scene(width), width, encoding)
    suffix = "" if encoding == "utf-8" else f"-{encoding}"
    same_as_golden(f"{scene.__name__}-{width}{suffix}", text)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize(
    ("name", "records"), [("tot", tot_ended()), ("sc", sc("A" * 11 + "B", early=True)), ("cot", cot())]
)
def test_plain_lines(name: str, records: list[Record], encoding: str) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    display = PlainDisplay(Console(file=file, width=40))
    for record in records:
        display(record)
    written = raw.getvalue().decode(encoding)
    assert "\x1b" not in written
    same_as_golden(f"plain_{name}" + ("" if encoding == "utf-8" else f"-{encoding}"), written)
