"""What a run is called and how it was set up: of a strategy around others, all of them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from render_scenes import START, fed, text_of
from rich.console import Console

from promptkit.composition import inner, remembered, titled
from promptkit.events import NodeAdded, Record, RunStarted
from promptkit.render import frame, runs, summary
from promptkit.render.plain import PlainDisplay
from promptkit.types import Outcome, Usage


def started(written: str) -> Record:
    """The first event of a run of what is written."""
    strategy: Any = inner(written)
    name = written.partition("(")[0]
    return Record(0, START, name, Usage(), RunStarted("r1", name, "builtin", "Why?", "general", remembered(strategy)))


def header(written: str, width: int = 100) -> str:
    return frame.header(fed([started(written)]).snapshot(), width).plain


def told(written: str, width: int = 80) -> list[str]:
    file = io.StringIO()
    PlainDisplay(Console(file=file, width=width))(started(written))
    return file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("sc(n=3, of=few-shot)", "sc of few-shot"),
        ('persona(who="a cook", of=sc(n=2))', "persona of sc"),
        ('sc(of=persona(who="a pirate", of=few-shot))', "sc of persona of few-shot"),
        ("pattern(use=['recipe'], of=direct)", "pattern of direct"),
        ("sc", "sc"),
    ],
)
def test_all_that_is_inside_is_named(written: str, title: str) -> None:
    assert header(written).startswith(f"{title}  ") or header(written) == title
    assert told(written)[0].startswith(f"0:00  {title}: ")
    event = started(written).event
    assert isinstance(event, RunStarted)
    row = {"id": "r1", "strategy": event.strategy, "params": event.params, "status": "done", "question": "Why?"}
    assert f" {title} " in text_of(runs.runs_table([row]), 120)
    assert f"done · {title}" in text_of(runs.run_view(row, []), 120)


def test_what_is_inside_tells_its_parameters_and_whose_they_are_where_both_have_them() -> None:
    said = " ".join(line.strip() for line in told('persona(who="a cook", of=sc(n=2, of=few-shot(temperature=0.5)))'))
    assert "persona of sc of few-shot: who a cook, n 2, vote majority, " in said
    assert "temperature 0.7, " in said
    assert "few-shot temperature 0.5" in said


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("pattern(use=['recipe'])", "use recipe"),
        ("pattern(use=['recipe', 'fact-check'])", "use recipe + fact-check"),
        ("reflect", 'rubric "correct=3, complete=1, clear=1"'),
        ("graph-of-thoughts", "plan generate(5) score keep(2) aggregate(2) improve keep(1)"),
        ('tot(evaluator="sc(n=3)")', "evaluator sc"),
        ("few-shot(select=diverse)", "variety 0.5"),
    ],
)
def test_a_parameter_is_told(written: str, word: str) -> None:
    assert word in " ".join(line.strip() for line in told(written))


def test_a_long_parameter_is_begun_where_it_does_not_fit() -> None:
    assert "graph-of-thoughts  plan generate(5) score" in header("graph-of-thoughts", 80)


def test_what_has_no_effect_is_not_told() -> None:
    assert "variety" not in " ".join(told("few-shot"))
    assert "variety" not in " ".join(told("sc(of=few-shot)"))


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_of_the_setup_is_cut(width: int) -> None:
    written = f'persona(who="a cook", of=sc(n=2, of="{"tot(b=2, nodes=7)"}"))'
    lines = told(written, width)
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)
    assert "nodes 7" in " ".join(line.strip() for line in lines)
    assert lines[-1].endswith("general")


def test_no_word_of_the_summary_is_alone_on_a_line() -> None:
    record = Record(1, START, "tot", Usage(), NodeAdded((0,), "t", ""))
    usage = Usage(calls=50, samples=50, input_tokens=1200, output_tokens=10_000)
    outcome = Outcome(answer="1", usage=usage, cost_usd=0.0, seconds=111.0, model="builtin")
    lines = text_of(summary.closing(outcome, fed([record])), 60).splitlines()
    assert lines[0].count(" · ") >= 1
    assert lines[1].count(" · ") >= 1


def test_runs_of_plugins_that_are_gone_and_broken_rows_have_a_name() -> None:
    assert titled("gone", {"of": {"strategy": "also-gone"}}) == "gone of also-gone"
    assert titled("x", {"of": "cot"}) == "x"
    endless: dict[str, Any] = {"strategy": "y"}
    endless["params"] = {"of": endless}
    assert titled("x", {"of": endless}).startswith("x of y")
    assert frame.settings("gone", {"n": 3, "of": {"strategy": "also-gone", "params": {"n": 4}}}) == [
        "n 3",
        "also-gone n 4",
    ]
