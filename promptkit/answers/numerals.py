"""Numbers as people write them, exactly: grouped, with either decimal sign, as fractions, powers of ten, words.

"1.234" and "1,234" (three digits behind one sign, one to three before it, not 0) can be 1.234 or 1234:

1. other numbers of the text settle it: 2.75 or 1,234,567 make the dot decimal; 2,75 or 1.234.567 the comma;
2. else, in a text that is plainly English (or Chinese, Japanese, Korean, Hindi), the dot is decimal. An English
   answer phrase proves nothing: prompts dictate it to replies in any language;
3. else, in a text of a language that writes a decimal comma, both stay ambiguous;
4. else "1,234" is 1234, the habit of models, and "1.234" stays ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from promptkit.answers.marks import without_phrases
from promptkit.arithmetic import show

LONGEST = 60  # digits; a longer run is no answer anyone gave
RUN = r"(?:\d{1,3}(?:[ ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'_]\d+)*|\.\d+)"
NUMBER = re.compile(rf"(?<![A-Za-zÀ-ɏЀ-ӿ0-9_.])(?<!\d[:/,'])({RUN})")
RUNS = re.compile(r"(?<!\d)\d++(?:[.,]\d++)+")  # possessive: a page of digits is tried once
GROUPED = re.compile(r"(\d{1,3}(?:[ '_]\d{3})+)(?:[.,](\d+))?")
INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8"}
AFTER = re.compile(
    rf"(?P<vulgar>[ ]?[{''.join(VULGAR)}])"
    r"|[ ]+(?P<above>\d{1,6})[/⁄](?P<below>\d{1,6})(?![\d/⁄])"
    r"|[ ]?[/⁄][ ]?(?P<under>\d{1,20})(?![\d/⁄:.,]\d|\d)"
    r"|[eE](?P<power>[-+]?\d{1,2})(?!\w)"
    r"|[ ]?[×x*·][ ]?10[ ]?\^[ ]?\{?(?P<ten>-?\d{1,2})\}?"
    r"|[ ]?(?P<scale>thousand|million|billion|trillion|Tausend|Million(?:en)?|Milliarden?|mille|millions|milliards?|"
    r"mil|millones|milhões|milhão|milioni|milione|тысяч[аи]?|миллион(?:ов|а)?|万|萬|만|億|亿|억)(?![a-zà-ÿ])"
)
SCALES = {"tho": 3, "tau": 3, "mil": 6, "bil": 9, "tri": 12, "тыс": 3, "мил": 6, "万": 4, "萬": 4, "만": 4}
WORD = re.compile(r"[^\W\d_]+")
ENGLISH = frozenset(
    WORD.findall("the and of each is are has have with she they there from this that it by at therefore which")
)
OTHERS = frozenset(
    WORD.findall(
        "der die das und ist ein eine für mit von pro wir el los las y es un una con por cada le les est et du des une "
        "il lo gli è per che o os é um uma para и в на это по"
    )
)
DOTTED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\u0900-\u097f]")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in a text: one value, or several it may have; none for a date, a version, a time."""

    start: int
    end: int
    values: tuple[Fraction, ...]


def numerals(text: str, decimal: str | None) -> Iterator[Numeral]:
    """The numbers of a plain text in order, read by its `decimal` sign."""
    position = 0
    while match := NUMBER.search(text, position):
        end, values = match.end(), _values(match[1], decimal)
        follows = AFTER.match(text, end)
        if follows:
            end = follows.end()
            values = tuple(changed for value in values if (changed := _changed(value, follows)) is not None)
        if text[end : end + 1] in (":", "/") and text[end + 1 : end + 2].isdecimal():
            values = ()  # a time, a ratio, a date
        if re.match(r"[xyzn](?![A-Za-z])", text[end : end + 2]) or text[end : end + 1] == "^":
            values = ()  # a coefficient, a power
        values = tuple(value for value in values if len(show(value)) < LONGEST)  # 1e60 is no answer anyone gave
        start = _signed(text, match.start())
        yield Numeral(start, end, tuple(-value for value in values) if "-" in text[start : match.start()] else values)
        position = end


def convention(text: str, comma_language: bool) -> str | None:
    """The decimal sign of a text: "." or ","; "?" where "1,234" is 1234 and "1.234" open; None where both are open."""
    signs = {sign for run in RUNS.findall(text) if (sign := _evidence(run))}
    if len(signs) == 1:
        return signs.pop()
    words = {word.lower() for word in WORD.findall(without_phrases(text)[-20_000:])}
    if DOTTED.search(text) or len(words & ENGLISH) > max(2, len(words & OTHERS)):
        return "."
    return None if comma_language or len(words & OTHERS) > 1 else "?"


def _values(run: str, decimal: str | None) -> tuple[Fraction, ...]:
    if len(run) > LONGEST:
        return ()
    if grouped := GROUPED.fullmatch(run):
        return (Fraction(re.sub(r"\D", "", grouped[1]) + "." + (grouped[2] or "0")),)
    if INDIAN.fullmatch(run):
        return (Fraction(run.replace(",", "")),)
    run = run.replace("_", "")
    head, *tail = re.split(r"[.,]", run)
    signs = re.sub(r"[^.,]", "", run)
    if "'" in run:
        return ()
    if not signs:
        return (Fraction(run),)
    if len(signs) == 1:
        as_decimal, as_whole = Fraction(f"{head or 0}.{tail[0]}"), Fraction(head + tail[0])
        if _decimal_only(head, tail[0]) or decimal == signs:
            return (as_decimal,)
        if decimal in (".", ",") or (decimal == "?" and signs == ","):
            return (as_whole,)
        return (as_decimal, as_whole)
    if all(len(group) == 3 for group in tail[:-1]) and len(head) <= 3:
        if len(set(signs)) == 1 and len(tail[-1]) == 3:
            return (Fraction(head + "".join(tail)),)
        if len(set(signs[:-1])) == 1 and signs[-1] != signs[0]:
            return (Fraction(head + "".join(tail[:-1]) + "." + tail[-1]),)
    return ()


def _decimal_only(head: str, places: str) -> bool:
    return len(places) != 3 or not 1 <= len(head) <= 3 or head[0] == "0"


def _evidence(run: str) -> str | None:
    """The decimal sign this number proves."""
    head, *tail = re.split(r"[.,]", run)
    signs = re.sub(r"[^.,]", "", run)
    if len(signs) == 1:
        return signs if _decimal_only(head, tail[0]) else None
    if not _values(run, None):
        return None
    return signs[-1] if signs[-1] != signs[0] else {".": ",", ",": "."}[signs[0]]


def _changed(value: Fraction, follows: re.Match[str]) -> Fraction | None:
    """The value with what is written behind it; None when that makes no number."""
    if vulgar := follows["vulgar"]:
        return value + Fraction(VULGAR[vulgar.strip()])
    if follows["above"]:
        return value + Fraction(int(follows["above"]), int(follows["below"])) if int(follows["below"]) else None
    if follows["under"]:
        return value / int(follows["under"]) if int(follows["under"]) else None
    if power := follows["power"] or follows["ten"]:
        ten: int = 10 ** abs(int(power))  # whole powers keep it a Fraction
        return value / ten if int(power) < 0 else value * ten
    scale = follows["scale"].lower()
    if scale in ("mil", "mille"):
        return value * 1000
    if scale.startswith("milliard"):
        return value * 10**9
    size: int = 10 ** SCALES.get(scale[:3], 8)
    return value * size


def _signed(text: str, start: int) -> int:
    """Where the number begins with its sign; a minus behind a digit, letter or bracket is an operator or a range."""
    before = text[max(0, start - 12) : start]
    sign = re.search(r"-[ ]?[$€£¥₹]?[ ]?$", before)
    if not sign:
        return start
    if re.search(r"[\w)\]]$|\d[ ]+$|[)\]][ ]+$", before[: sign.start()]):
        return start
    return start - len(before) + sign.start()
