"""What a model writes cannot reach the terminal as anything but text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_scenes import NASTY
from rich.cells import cell_len
from rich.console import Console

from promptkit.render.safe import clean, clip, downgrade, flow, one_line, parts, text, wrap


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain [bold]text[/bold]", "plain [bold]text[/bold]"),
        ("\x1b[2Jcleared\x1b[31;1m", "cleared"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ends, so it is not hidden", "0;never ends, so it is not hidden"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x1bc reset", " reset"),
        ("bell\x07 nul\x00 del\x7f c1\x86", "bell␇ nul␀ del␡ c1\ufffd"),
        ("trojan \u202esource\u2066", "trojan source"),
        ("zero\u200bwidth\ufeff \u00adsoft", "zerowidth soft"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("e" + "\u0301" * 40, "e" + "\u0301" * 3),
        ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
        ("tab\tstop", "tab stop"),
    ],
)
def test_clean(written: str, shown: str) -> None:
    assert clean(written) == shown


@given(st.text(st.characters(codec=None), max_size=80))
def test_nothing_a_terminal_acts_on_is_left(written: str) -> None:
    shown = clean(written)
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cs") for char in shown)
    for encoding in ("utf-8", "cp1252", "ascii"):
        downgrade(shown, encoding).encode(encoding)
    assert cell_len(clip(one_line(written), 9)) <= 9
    assert all(cell_len(row) <= 7 for row in wrap(written, 7))


@given(st.text(max_size=40))
def test_downgrading_keeps_the_width(written: str) -> None:
    shown = "".join(char for char in clean(written) if unicodedata.category(char) not in ("Mn", "Me", "Mc", "Lo"))
    assert cell_len(downgrade(shown, "ascii")) == sum(cell_len(char) for char in shown)


def test_wide_characters_are_counted_in_cells() -> None:
    assert clip("漢字かな", 8) == "漢字かな"
    assert clip("漢字かな", 7) == "漢字か…"
    assert clip("漢字かな", 6) == "漢字…"
    assert clip("漢字", 1) == "…"
    assert wrap("漢字 かな", 5) == ["漢字", "かな"]
    assert not "".join(wrap("漢字かな", 1))


def test_markup_is_never_read() -> None:
    console = Console(width=80, color_system="truecolor", force_terminal=True, _environ={})
    with console.capture() as captured:
        console.print(text(NASTY))
    assert "[bold red]4 * 6[/bold red]" in captured.get()
    assert "\x1b" not in captured.get()


def test_parts_and_flow() -> None:
    assert parts(["one", "two", "three"], 10) == "one · two"
    assert parts(["a long first part"], 6) == "a lon…"
    assert flow("one · two · three", 10) == ["one · two", "three"]


def test_ascii_has_a_twin_for_every_sign() -> None:
    assert downgrade("├─ ● kept │ └─ ★ · ▰▱ █ ▸ …", "ascii") == "|- o kept | `- * | #. # > ~"
    assert downgrade("é · 漢", "cp1252") == "é · ??"
