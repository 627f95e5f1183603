"""The table of `promptkit compare`, compared literally on two widths. GOLDEN=write rewrites the files."""

from __future__ import annotations

import pytest
from render_scenes import same_as_golden, text_of

from promptkit.cli.compare import HEAD, row
from promptkit.cli.tables import fitted
from promptkit.types import Outcome, Usage

ROWS = [
    (
        "cot",
        Outcome(
            answer="5 * 11 - (5 + 9)",
            usage=Usage(calls=1, samples=1, input_tokens=33, output_tokens=77),
            cost_usd=0.0,
            seconds=0.9,
            run="r6ec22c92",
            model="builtin",
            detail={"verified": False},
        ),
    ),
    (
        'sc(n=20, of=persona(who="a cook"))',
        Outcome(
            answer="(4 - 1) * 11 - 9",
            usage=Usage(calls=20, cached_calls=8, samples=20, input_tokens=660, output_tokens=1480),
            cost_usd=0.0123,
            seconds=75,
            run="rd5566fad",
            model="openai:gpt-4.1-mini",
            detail={"verified": True, "votes": [["(4 - 1) * 11 - 9", 12], ["24", 7]]},
        ),
    ),
    ("tot", Outcome(answer=None, status="error", run="rf3ba3da2", detail={"error": "the server\x1b[2J has gone"})),
    ("direct", Outcome(answer=None, status="undecided", run="r05a9c9b9", model="builtin", cost_usd=0.0)),
]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_table_fits_and_no_name_is_cut(width: int) -> None:
    lines = fitted(HEAD, [row(spec, outcome) for spec, outcome in ROWS], width)
    assert all(line.cell_len <= width for line in lines)
    text = text_of(lines, width)
    assert "\x1b" not in text
    for spec, outcome in ROWS:
        assert spec in text
        assert outcome.run in text
    same_as_golden(f"compare-{width}", text)
