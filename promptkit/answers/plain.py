"""A reply as plain text: one kind of digit, minus and space; markdown and light LaTeX gone; boxes kept as brackets."""

from __future__ import annotations

import re
import unicodedata

OPEN, CLOSE = "\ue000", "\ue001"  # where \boxed{ and its } stood
SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
ALIKE = {
    **dict.fromkeys(SPACES, " "),
    **dict.fromkeys("−‒–‐‑﹣", "-"),
    **dict.fromkeys("’‘ʼ", "'"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069\ufeff" + OPEN + CLOSE, ""),
    "∗": "*",
    "٫": ".",
    "٬": ",",
    "،": ",",
}
OTHER = re.compile(r"[^\x00-\x08\x0a-\x7f]")
AGAIN = re.compile(r"\n[ \t*#>]*(?:Question|Q|Problem|Human|User|问题)[ \t]*(?:\d{1,4}[ \t]*)?[:：]", re.IGNORECASE)
BOX = re.compile(r"\\(?:boxed|fbox)\s{0,3}(?=\{)")
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
FRACTION = re.compile(r"\\[dtc]?frac\s?(?:\{([^{}]{1,40})\}\s?\{([^{}]{1,40})\}|(\d)(\d))")
WRAPPED = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf|it|sf)|mbox|operatorname)\s?\{([^{}]{0,200})\}")
SIMPLE = re.compile(r"-?[\d.]+")
LATEX = (
    (re.compile(r"\\(?:left|right|displaystyle|bigl?|bigr?)(?![a-zA-Z])|\\!"), ""),
    (re.compile(r"\\(?:times|ast)(?![a-zA-Z])"), "×"),
    (re.compile(r"\\cdot(?![a-zA-Z])"), "·"),
    (re.compile(r"\\div(?![a-zA-Z])"), "÷"),
    (re.compile(r"\\(?:approx|simeq)(?![a-zA-Z])"), "≈"),
    (re.compile(r"\^\s?\{?\\circ\}?"), "°"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;: ]|\\quad|~"), " "),
    (re.compile(r"\\[\[\]()]|\$\$"), " "),
    (re.compile(r"\\([$%&#])"), r"\1"),
)
MARKDOWN = (
    (re.compile(r"\*\*|__|`"), ""),
    (re.compile(r"^[ ]{0,3}(?:>[ ]?)+", re.MULTILINE), ""),
    (re.compile(r"^[ ]{0,3}(?:#{1,3}|#{5,6})[ ]+", re.MULTILINE), ""),  # four are the answer mark of GSM8K
)


def cut(text: str) -> str:
    """The reply up to the next question the model asked itself; one that restates its question first is left whole."""
    for again in AGAIN.finditer(text):
        before = text[: again.start()].strip()
        if before and not (len(before) < 80 and "\n" not in before and before[-1] in ":!"):
            return text[: again.start()]
    return text


def fold(text: str) -> str:
    """Every script's digits and the full-width forms as ASCII, one kind of minus, quote and space."""
    return OTHER.sub(_alike, unicodedata.normalize("NFC", text.replace("\r\n", "\n")))


def plain(text: str) -> str:
    """Folded text without markdown and LaTeX; boxes become OPEN … CLOSE."""
    text = fold(text)
    closing = _braces(text) if "\\" in text else {}
    turned = list(text)
    for box in BOX.finditer(text):
        if box.end() in closing:
            turned[box.start() : box.end() + 1] = [OPEN, *[""] * (box.end() - box.start())]
            turned[closing[box.end()]] = CLOSE
    text = "".join(turned)
    if "\\" in text or "$$" in text:
        text = delatex(text)
    for pattern, replacement in MARKDOWN:
        text = pattern.sub(replacement, text)
    return text


def delatex(text: str) -> str:
    """Text with the LaTeX that only dresses a value taken off: 3/4 for a fraction of numbers, the text of \\text."""
    for pattern, replacement in LATEX:
        text = pattern.sub(replacement, text)
    return FRACTION.sub(_fraction, WRAPPED.sub(r"\1", text))


def boxes(text: str) -> list[str]:
    """What stands in each \\boxed{} or \\fbox{} whose braces balance, in order."""
    closing = _braces(text)
    return [text[box.end() + 1 : closing[box.end()]] for box in BOX.finditer(text) if box.end() in closing]


def _alike(match: re.Match[str]) -> str:
    char = match.group()
    if char in ALIKE:
        return ALIKE[char]
    if "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def _braces(text: str) -> dict[int, int]:
    """Where each opening brace is closed: one pass, so thousands of open boxes cost no more than one."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for brace in BRACE.finditer(text):
        if brace.group() == "{":
            opened.append(brace.start())
        elif brace.group() == "}" and opened:
            closing[opened.pop()] = brace.start()
    return closing


def _fraction(match: re.Match[str]) -> str:
    above, below = match[1] or match[3], match[2] or match[4]
    if SIMPLE.fullmatch(above.strip()) and SIMPLE.fullmatch(below.strip()):
        return f"{above.strip()}/{below.strip()}"
    return f"({above})/({below})"
