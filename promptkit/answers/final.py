"""The `final` reader: a free-text answer, compared without case, markup and spacing."""

from __future__ import annotations

import re
import unicodedata

from promptkit.answers.marks import in_comma_language, marks
from promptkit.answers.number import DENIED, whole
from promptkit.answers.numerals import convention
from promptkit.answers.plain import CLOSE, OPEN, plain
from promptkit.answers.reading import Read, Reading

LABEL = re.compile(
    r"[ \t>#*_]*(?:the[ ])?(?:final[ ]|correct[ ])?(?:answer|respuesta(?:[ ]final)?|antwort|réponse|resposta|risposta|"
    r"ответ|відповідь|antwoord|svar|odpowiedź|odpověď|cevap|jawaban|答案|答え|答|정답|답변?|उत्तर|الجواب|الإجابة)"
    r"[ \t*_]*[:：][ \t]*(?P<rest>.*)",
    re.IGNORECASE,
)
PAIRS = (("**", "**"), ("*", "*"), ("`", "`"), ('"', '"'), ("“", "”"), ("«", "»"), ("'", "'"), ("$", "$"))
DRESS = " \t\n*_`:>\"'«»“”$"
FULL_STOP = re.compile(r"(?<![.…])(?<![A-Z]\.[A-Z])[.。।]$")


def read(text: str, options: tuple[str, ...] = ()) -> Read:
    """What follows the last answer mark, else the last paragraph; nothing when the reply or its mark is empty."""
    folded = plain(text)
    decimal = convention(folded, in_comma_language(folded))
    labelled = _labelled(text)
    if labelled and not DENIED.match(labelled):
        return whole(labelled, decimal, "phrase") or _reading(labelled, "phrase")
    if labelled == "":
        return None
    for mark in reversed(marks(folded)):
        shown = _undressed(mark.content)
        if shown and not DENIED.match(mark.content):
            return whole(shown, decimal, mark.layer) or _reading(shown, mark.layer)
    paragraphs = [
        found
        for part in re.split(r"\n[ ]*\n", folded.replace(OPEN, "").replace(CLOSE, ""))
        if (found := _undressed(part))
    ]
    if not paragraphs:
        return None
    return whole(paragraphs[-1], decimal, "last") or _reading(paragraphs[-1], "last")


def _labelled(text: str) -> str | None:
    """What stands behind the last line that begins "Answer:", as written; "" when all are empty, None without one.

    It is taken from the reply itself: an answer may be code, a tag or a price, which plain text would take apart.
    """
    lines = text.splitlines()
    found: str | None = None
    for at in range(len(lines) - 1, -1, -1):
        if label := LABEL.fullmatch(lines[at]):
            below = next((line for line in lines[at + 1 :] if line.strip()), "")
            content = _unwrapped(label["rest"]) or _unwrapped(below)
            if content and not LABEL.fullmatch(content):
                # LaTeX, a box or a heading still has to be read as such.
                return content if "\\" not in content else None
            found = ""
    return found


def _unwrapped(text: str) -> str:
    """The text without the pair of marks around it and without its full stop."""
    text = text.strip()
    if text.startswith(("** ", "* ", "__ ", "_ ")):  # what is left of a bold label
        text = text.lstrip("*_ ")
    stopped = FULL_STOP.sub("", text)
    for left, right in PAIRS:
        inner = stopped[len(left) : -len(right)] if stopped.startswith(left) and stopped.endswith(right) else ""
        if inner.strip() and left not in inner and right not in inner:
            return FULL_STOP.sub("", inner.strip())
    return stopped if stopped.strip("*_`~- ") else ""


def _undressed(text: str) -> str:
    return FULL_STOP.sub("", text.strip(DRESS)).strip(DRESS)


def _reading(shown: str, layer: str) -> Read:
    answer = " ".join(unicodedata.normalize("NFKC", shown).casefold().split())
    return Reading(answer, shown, layer) if answer else None
