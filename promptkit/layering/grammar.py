"""GBNF for prose that Markdown takes for nothing else: what stands between the fixed parts of a form.

With `room`, a text is at most so many characters long, so that a reply has to end before its tokens do; a character
is at most four tokens, one for each byte of it.
"""

from __future__ import annotations

BYTES = 4  # of a character, at most; no model's tokens are less than a byte
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_BLANK = r" \xa0\u1680\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff"
_OPENS = r"#>*+=_~`<|\\\[\]0-9"  # what may begin a heading, a list, a rule, code, HTML or a reference
_LISTED = ('"- "', '"**"', '[1-9] ". "')  # what prose may begin a line with, though it opens something

RULES = rf"""
word ::= [^{_CONTROL}{_BLANK}{_OPENS}-]
number ::= [0-9]{{1,9}} ([.,] [0-9]{{1,9}})? [ ,:%/]
more ::= [^{_CONTROL}]
cell-word ::= [^{_CONTROL}{_BLANK}|\\]
cell-more ::= [^{_CONTROL}|\\]
"""


def literal(text: str) -> str:
    """The text as a GBNF literal."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


def line(room: int | None = None) -> str:
    """A line of prose."""
    return "number? word more*" if room is None else f"word {_some('more', room)}"


def prose(room: int | None = None) -> str:
    """Lines of prose, list items among them; a single line where there is little room."""
    if room is not None:
        return line(room)
    begun = f"({' | '.join(_LISTED)})? {line()}"
    return rf'{begun} ("\n" "\n"? {begun})*'


def cell(room: int | None = None) -> str:
    """What stands in a cell of a table."""
    return f"cell-word {_some('cell-more', room)}"


def whole(root: str) -> str:
    """The grammar whose sentences are those of `root`."""
    return f"root ::= {root}\n{RULES.strip()}\n"


def _some(rule: str, room: int | None) -> str:
    return f"{rule}*" if room is None else f"{rule}{{0,{max(room, 1) - 1}}}"
