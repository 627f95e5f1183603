"""Draws docs/tree.svg: a real search on the built-in model, as the terminal shows it. `python docs/draw_tree.py`"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

import promptkit as pk
from promptkit.events import LevelDone
from promptkit.render import tree
from promptkit.render.state import RunState
from promptkit.render.summary import closing

WIDTH, ROWS = 92, 26


def main() -> None:
    """Run the search, draw it as it stood after two levels and as it ended."""
    state, console = RunState(), Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print('$ promptkit run tot -P game24 "1 4 9 11"\n', highlight=False)

    def sink(record: pk.Record) -> None:
        state.feed(record)
        if isinstance(record.event, LevelDone) and record.event.level == 2:
            for line in tree.live(state.snapshot(), record.at, WIDTH, ROWS):
                console.print(line)

    outcome = pk.run("tot", "1 4 9 11", pack="game24", model="builtin", journal="memory", sinks=[sink])
    for line in tree.final(state.snapshot(), WIDTH, ROWS)[1:]:
        console.print(line)
    console.print(closing(outcome, state))
    console.print(outcome.answer, highlight=False)
    svg = console.export_svg(title="promptkit")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no font is fetched to look at the picture
    lines = [line.rstrip() for line in svg.splitlines()]
    Path(__file__).with_name("tree.svg").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
