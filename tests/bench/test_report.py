"""Sections as a person and as a program reads them."""

from __future__ import annotations

import json

import pytest

from promptkit.bench import report
from promptkit.bench.section import Bench, Section, Table
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted

TABLE = Table(
    "Solved",
    ("strategy", "right %", "low %", "high %", "calls", "tokens out"),
    (("cot", 0.744, 0.691, 0.788, 1, 66.25), ("sc | tot", None, 0.0, 1.0, 2.875, 12345.6)),
)
SECTION = Section("puzzles", "Puzzles", (TABLE,), ("How: once.",))


@pytest.fixture
def bench(journal: Journal) -> Bench:
    return Bench(Scripted(lambda request: "", name="mute"), journal, items=3, seeds=range(2))


def test_shares_are_per_cent_and_their_bounds_one_column() -> None:
    head, rows = report.cells(TABLE)
    assert head == ["strategy", "right", "interval", "calls", "tokens out"]
    assert rows == [["cot", "74 %", "69–79", "1", "66.2"], ["sc | tot", "–", "0–100", "2.88", "12,346"]]


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0"), (1, "100"), (0.004, "0.4"), (0.996, "99.6"), (1e-17, "0"), (1 - 1e-17, "100"), (0.5, "50")],
)
def test_a_share_near_an_end_does_not_read_as_the_end(share: float, said: str) -> None:
    assert report.percent(share) == said


def test_markdown_is_a_table_for_anyone() -> None:
    lines = report.markdown(SECTION).splitlines()
    assert "## Puzzles" in lines
    assert "| --- | --: | --- | --: | --: |" in lines
    assert r"| sc \| tot | – | 0–100 | 2.88 | 12,346 |" in lines
    assert lines[-1] == "- How: once."


def test_json_has_the_numbers_and_no_date(bench: Bench) -> None:
    body = report.as_json(bench, [SECTION])
    assert json.loads(json.dumps(body)) == body
    assert (body["schema"], body["model"], body["items"], body["seeds"]) == (
        "promptkit.bench/1",
        "scripted:mute",
        3,
        [0, 1],
    )
    assert len(body["identity"]) == 64
    assert body["sections"][0]["tables"][0]["rows"][0] == ["cot", 0.744, 0.691, 0.788, 1, 66.25]
