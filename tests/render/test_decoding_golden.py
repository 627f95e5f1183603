"""Distributions, tokens and ways of decoding as a terminal shows them, compared literally."""

from __future__ import annotations

import io
from typing import Any

import pytest
from render_scenes import same_as_golden
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from promptkit.algorithms.decoding.distribution import ordered
from promptkit.cli.tables import fitted
from promptkit.decoding.following import Choice
from promptkit.decoding.next_token import NextToken
from promptkit.render import decoded, next_tokens
from promptkit.render.pieces import joined, parts_of, visible
from promptkit.render.safe import Legible

WORDS = {" 東京": 0.4, "\n": 0.3, " the": 0.15, "\udce6": 0.1, "": 0.03, " [red]": 0.02}
BEAM: dict[str, Any] = {
    "ways": [
        {
            "way": "greedy",
            "rules": "the likeliest",
            "text": " 東京 is\nfar",
            "probability": 0.42,
            "entropy_bits": 1.23,
            "ended": False,
            "rest": 0.0,
            "tokens": [
                {"text": " 東京", "id": 7, "p": 0.6, "entropy_bits": 1.3, "kept": 1, "tie": [" 東京", " the"]},
                {"text": " is", "id": 9, "p": 0.7, "entropy_bits": 1.2, "kept": 1, "tie": []},
            ],
        },
        {
            "way": "top-p",
            "rules": "top-p 0.9",
            "text": "",
            "probability": 0.0000123,
            "entropy_bits": 0.0,
            "ended": True,
            "rest": 0.01,
            "tokens": [],
        },
    ],
    "beam": {
        "width": 1,
        "beams": [{"text": " on", "probability": 0.12, "ended": False, "tokens": [{"text": " on", "id": 1}]}],
        "tie": [
            {"text": " on", "probability": 0.12, "ended": False, "tokens": [{"text": " on", "id": 1}]},
            {"text": " off", "probability": 0.12, "ended": True, "tokens": [{"text": " off", "id": 2}]},
        ],
        "exact": False,
    },
}


def shown(lines: list[Text], width: int, encoding: str = "utf-8") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=width, color_system=None, force_terminal=False)
    for line in lines:
        assert line.cell_len <= width
        console.print(Legible(line))
    file.flush()
    text = bytes(file.buffer.getvalue()).decode(encoding)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def distribution(**rules: Any) -> dict[str, Any]:
    told = ordered((Choice(text, place), p) for place, (text, p) in enumerate(WORDS.items()))
    return NextToken(**rules).detail(told)


@pytest.mark.parametrize("width", [40, 80])
def test_a_distribution_under_rules(width: int) -> None:
    told = distribution(top_p=0.8, top=5)
    lines = next_tokens.bars(told, width)
    assert all(line.cell_len <= width for line in lines)
    same_as_golden(f"next_cut-{width}", shown([*lines, *map(Text, next_tokens.summary(told))], max(width, 60)))


def test_a_distribution_as_it_is_where_only_ascii_can_be_written() -> None:
    same_as_golden("next_plain-40-ascii", shown(next_tokens.bars(distribution(), 40), 40, "ascii"))


@pytest.mark.parametrize("width", [40, 80])
def test_ways_side_by_side(width: int) -> None:
    lines = fitted(decoded.HEAD, decoded.rows(BEAM), width)
    same_as_golden(f"decode-{width}", shown(lines, width))
    assert decoded.summary(BEAM) == [
        'a tie at 0.12 where the beam ends: "on" and "off (end)"; the first ones stay',
        "the model does not tell every token: a likelier beam may have been missed",
        "up to 0.01 of a token's mass was not told: nothing was drawn from it",
    ]


def test_every_character_of_a_token_is_seen() -> None:
    assert [visible(token) for token in (" a", "\n\t", "\udce6\udc97", "\x1b[2J", "\u200b", "\u0301", "")] == [
        "␣a",
        "⏎⇥",
        "<0xE6><0x97>",
        "<U+001B>[2J",
        "<U+200B>",
        "◌\u0301",
        "(end)",
    ]
    assert visible("", 7) == "(mark 7)"


@pytest.mark.parametrize(("text", "line"), [("\x1b[31m", "<U+001B>[31m (end)"), (" a\tb\x07", "a⇥b<U+0007> (end)")])
def test_what_steers_a_terminal_is_seen_in_a_text(text: str, line: str) -> None:
    assert decoded.shown({"text": text, "ended": True, "tokens": []}) == line


def test_parts_of_characters_are_told_by_the_character() -> None:
    assert parts_of(["a", "\udce6\udc97", "\udca5", "b"]) == ["", "日", "日", ""]
    assert parts_of(["\udce6", "b"]) == ["", ""]  # no character comes of it
    assert parts_of(["日", "本"]) == ["", ""]


def test_tokens_on_lines_no_wider_than_the_window() -> None:
    lines = joined(["The", " 日本", "語", "\n", " a very long token indeed"], 12)
    assert [line.plain for line in lines] == ["The│␣日本│語", "⏎", "␣a␣very␣lon…"]
    assert all(cell_len(line.plain) <= 12 for line in lines)
