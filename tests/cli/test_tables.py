"""Tables fitted to a terminal: no name is cut, texts break at words."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from promptkit.cli.tables import fitted

HEAD = ("-m", "needs", "state")
ROWS = [("openai:MODEL", "a key: export OPENAI_API_KEY=…, or a server", "no key"), ("builtin", "nothing", "ready")]


@pytest.mark.parametrize("width", [100, 80, 60, 40, 24])
def test_everything_is_there_at_any_width(width: int) -> None:
    lines = [line.plain for line in fitted(HEAD, ROWS, width)]
    assert max(map(cell_len, lines)) <= width
    said = " ".join(" ".join(lines).split())
    for word in " ".join(" ".join(row) for row in ROWS).split():
        assert word in said, "words are not broken"


def test_a_long_column_goes_below_its_line() -> None:
    lines = [line.plain for line in fitted(HEAD, ROWS, 50)]
    assert lines[0].split() == ["-m", "state"]
    assert lines[2].startswith("    needs: a key")
