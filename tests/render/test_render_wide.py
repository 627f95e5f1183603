"""Characters two cells wide, in a tree on a narrow terminal: no line is wider than the terminal."""

from __future__ import annotations

import pytest
from render_scenes import START, Script
from rich.cells import cell_len

from promptkit import events as e
from promptkit.render import tree
from promptkit.render.state import RunState

PUZZLE = "鶏と兎が合わせて三十五匹、足は九十四本。それぞれ何匹いるか"


def puzzle() -> list[e.Record]:
    """A search over a puzzle in Japanese."""
    s = Script()
    s.say("tot", e.SpanStarted(), e.RunStarted("r1", "tot", "ollama:qwen3:8b", PUZZLE, "general", {"depth": 2, "b": 2}))
    s.say("tot", e.NodeAdded((), "", PUZZLE))
    for at, thought in enumerate(
        ("全部が鶏なら足は七十本で、二十四本足りない", "兎を一匹増やすと足は二本増える", "📐 答えは十二匹")
    ):
        s.say("tot", e.NodeAdded((at,), thought, f"{thought}。" * 3), e.NodeValued((at,), 20.0 - at, ("確か", None)))
        s.say("tot", e.NodeSelected((at,), at) if at < 2 else e.NodePruned((at,), "score"))
    s.say("tot", e.LevelDone(1, 2, 2, 3, 0), e.Best("鶏二十三羽、兎十二匹", 20.0))
    return s.records


@pytest.mark.parametrize("width", [40, 20, 80])
def test_no_line_of_a_tree_is_wider_than_the_terminal(width: int) -> None:
    state = RunState()
    for record in puzzle():
        state.feed(record)
        shown = state.snapshot()
        views = [tree.live(shown, START, width, 12), tree.final(shown, width, 12), tree.whole(shown, width)]
        assert all(cell_len(line.plain) <= width for lines in views for line in lines)
    assert any(word in line.plain for line in tree.final(state.snapshot(), width, 12) for word in ("鶏", "兎", "答"))


def test_a_narrow_tree_still_says_what_was_thought() -> None:
    state = RunState()
    for record in puzzle():
        state.feed(record)
    text = "\n".join(line.plain for line in tree.live(state.snapshot(), START, 40, 12))
    assert "全部が鶏なら" in text
    assert "兎を一匹増やす" in text
