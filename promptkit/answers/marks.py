"""Where a plain text marks its answer: `####`, a box, "the answer is" in many languages; and what takes a mark back."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from promptkit.answers.plain import CLOSE, OPEN

LONGEST = 600  # characters of a mark's content
LATEST = 100  # marks of a kind that are looked at, from the end of the text


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that announces an answer, and the sentence that follows."""

    layer: str  # hash, boxed, phrase
    start: int
    end: int  # behind its content
    content: str
    final: bool  # it calls itself final, or its form does
    ended: bool  # the sentence has an end


GAP = r"[^.\n:?!=。]{0,60}?"
DOT = (  # languages that write a decimal point
    rf"\b(?P<final>final[ ]|overall[ ])?(?:answer|end[ ]result|final[ ]result)s?\b{GAP}"
    r"(?:\b(?:is|are|equals?|becomes|(?:would|should|must|will)[ ]be|comes[ ](?:out[ ])?to)\b|[:=→])",
    r"^[ ]*(?:the[ ])?(?:final[ ]|correct[ ])?answer[ ]*$",
    r"^[ ]*(?:A|Ans)[ ]?:|\bAns[.][ ]",
    r"答案[^。\n:?]{0,12}?(?:应该是|是|为|為|等于|[:=选])[:]?",
    r"(?:^|(?<=[\n。]))答[ ]?[:]",
    r"(?:答え|正解|回答)(?:は|[:=])",
    r"(?:정답|답변?)(?:은|[ ]?[:=])",
    r"(?:उत्तर|जवाब)(?:[ ]?[:=]|[ ]है)?",
)
COMMA = (  # languages that write a decimal comma
    rf"\brespuesta\b{GAP}(?:\b(?:es|son|sería)\b|[:=])",
    rf"\bantwort\b{GAP}(?:\b(?:ist|sind|lautet|wäre|beträgt)\b|[:=])",
    rf"\bréponse\b{GAP}(?:\b(?:est|sont|serait)\b|[:=])",
    rf"\bresposta\b{GAP}(?:\b(?:é|são|seria)\b|[:=])",
    rf"\brisposta\b{GAP}(?:(?<=[ ])(?:è|sono|sarebbe)\b|[:=])",
    rf"\b(?:ответ|відповідь)\b{GAP}(?:\b(?:равен|это|будет)\b|[:=—-])",
    r"(?:الجواب|الإجابة|الاجابة|الناتج)[^.\n:]{0,30}?(?:\bهو\b|\bهي\b|[:=])",
    r"\b(?:antwoord|svar|svaret|odpowiedź|odpověď|cevap|jawaban|đáp[ ]án|απάντηση|răspuns)\b[ ]?"
    r"(?:\b(?:is|är|jest|je|adalah|là|είναι)\b|[:=])",
)
PHRASE = re.compile(
    "|".join((f"(?P<dot>{'|'.join(DOT)})", f"(?P<comma>{'|'.join(COMMA)})")), re.IGNORECASE | re.MULTILINE
)
HASH = re.compile(r"(?<!#)####(?!#)[ ]?")
BOXED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
SENTENCE = re.compile(r"[.!?؟।]+(?=[\s\"')\]*»]|$)|[。！？]+|\n")
SHORT = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|St|Prof|approx|ca|vs|Rs|e\.g|i\.e|[A-Z]\.[ ]?[A-Z])\.$")
EMPTY = re.compile(r"[\s*_$:\[\]>\"'-]*")
DOUBTED = re.compile(
    r"(?:\b(?:if|whether|unless|suppose|assuming|doubt|unlikely|si|ob|wenn|если)\b|如果|是否|"
    r"(?:n't|\bnot) (?:think|believe|say|know|mean|sure)\b)[^.,!?\n]{0,40}$",
    re.IGNORECASE,
)
CORRECTED = re.compile(
    r"\b(?:wait|hold on|correction|scratch that|my mistake|i made (?:a|an) (?:mistake|error)|"
    r"on second thought|on reflection|"
    r"let me (?:re-?check|correct|redo|re-?do|fix)|sorry|actually,? (?:it|that|this|the (?:answer|result|total))"
    r"(?:'s| is| should| would)|(?:that|this)(?:'s| is) (?:not right|wrong|incorrect|not correct))\b|"
    r"等等|不对|更正|ошиб",
    re.IGNORECASE,
)
CONFIRMED = re.compile(
    r"\b(?<!not )(?<!n't )(?:yes|correct|right|confirmed|matches|checks out|consistent|verified)\b|没错|正确",
    re.IGNORECASE,
)


def marks(text: str) -> list[Mark]:
    """Every mark of a plain text in order, whether or not an answer follows it."""
    found = [
        Mark("boxed", box.start(), box.end(), box[1].strip(), True, True)
        for box in BOXED.finditer(text)
        if box[1].strip()
    ]
    for layer, pattern in (("hash", HASH), ("phrase", PHRASE)):
        for match in deque(pattern.finditer(text), LATEST):
            if layer == "phrase" and DOUBTED.search(text, max(0, match.start() - 60), match.start()):
                continue
            end, content, ended = _content(text, match.end())
            final = layer == "hash" or bool(match["final"])
            if not (layer == "phrase" and text[end : end + 1] == "?"):
                found.append(Mark(layer, match.start(), end, content, final, ended))
    return sorted(found, key=lambda mark: mark.start)


def in_comma_language(text: str) -> bool:
    """Whether an answer phrase of the text is in a language that writes 3,5."""
    return any(match["comma"] for match in PHRASE.finditer(text))


def without_phrases(text: str) -> str:
    """The text without its answer phrases, whose language says nothing about the text's."""
    return PHRASE.sub(" ", text)


def corrected(text: str) -> int | None:
    """Where the last words end that take back what stands before them; None when there are none."""
    return max((match.end() for match in CORRECTED.finditer(text)), default=None)


def confirmed(text: str) -> bool:
    """Whether a text says that what was said before is right."""
    return bool(CONFIRMED.search(text))


def sentences(text: str) -> list[tuple[str, str]]:
    """The sentences of a text, each with the mark that ends it: "" where it only breaks off or a line ends."""
    found: list[tuple[str, str]] = []
    at = 0
    for end in _ends(text, 0, len(text)):
        if sentence := text[at : end.start()].strip():
            found.append((sentence, end.group().strip()))
        at = end.end()
    if rest := text[at:].strip():
        found.append((rest, ""))
    return found


def _content(text: str, start: int) -> tuple[int, str, bool]:
    """What follows a mark up to the end of its sentence: on its line or, if empty, the next one with words."""
    blank = EMPTY.match(text, start, start + LONGEST)
    opened = blank.end() if blank else start
    lead = max(start, text.rfind("\n", start, opened) + 1)
    stop = min(len(text), opened + LONGEST)
    end = next((end.start() for end in _ends(text, opened, stop)), stop)
    return end, text[lead:end].replace(OPEN, " ").replace(CLOSE, " ").strip(), text[end : end + 1] not in ("", "\n")


def _ends(text: str, start: int, stop: int) -> Iterator[re.Match[str]]:
    """Where sentences end; the dot of an abbreviation ends none."""
    for end in SENTENCE.finditer(text, start, stop):
        if end.group() != "." or not SHORT.search(text, max(start, end.end() - 8), end.end()):
            yield end
