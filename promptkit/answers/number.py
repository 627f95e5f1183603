"""The `number` reader: `answer` is the exact value ("18", "0.75", "7/3"); a percent sign and units are left out."""

from __future__ import annotations

import re
from enum import Enum
from fractions import Fraction

from promptkit.answers.marks import confirmed, corrected, in_comma_language, marks, sentences
from promptkit.answers.numerals import Numeral, convention, numerals
from promptkit.answers.plain import CLOSE, OPEN, plain
from promptkit.answers.reading import Ambiguous, Read, Reading
from promptkit.answers.spelled import spelled
from promptkit.arithmetic import show


class Verdict(Enum):
    """Why a sentence gives no number."""

    SILENT = 0  # it has none to give
    REFUSED = 1  # it denies, hedges, asks


Found = tuple[tuple[Fraction, ...], str] | Verdict  # the values it may be, and how it is written

REFUSAL = re.compile(
    r"\b(?:i(?:'m| am)?|we(?:'re| are)?) (?:can't|cannot|can not|could not|couldn't|am unable|unable|"
    r"do not know|don't know|"
    r"have no idea|not sure|not able)|not enough (?:information|data|detail)|insufficient|(?:cannot|can't|"
    r"can not|could not|"
    r"impossible to) (?:be )?(?:determine|know|say|tell|answer|calculate|solve|compute)|depends on|it depends|"
    r"(?:is|are|remains?) (?:unknown|unclear|undefined|undetermined|missing)|need(?:s|ed)? (?:more|"
    r"further) information|"
    r"need to know|would need|no way to|(?:does not|doesn't|do not|don't) (?:say|state|specify|mention|tell|give)|"
    r"not (?:given|stated|specified|provided|mentioned)|nobody knows|who knows|no puedo|no se puede|"
    r"no sé\b|faltan|kann (?:das |es |ich )?(?:nicht|keine)|weiß nicht|"
    r"lässt sich nicht|je ne (?:peux|sais)|on ne peut|impossible de|não (?:posso|sei|é possível)|"
    r"non (?:posso|so\b|è possibile)|"
    r"не (?:могу|знаю)|невозможно|недостаточно|无法|無法|不知道|"
    r"不能确定|不确定|わかりません|分かりません|できません|알 수 없|모르|"
    r"لا يمكن|لا أعرف|لا أستطيع|पता नहीं|नहीं कह",
    re.IGNORECASE,
)
HEDGED = re.compile(
    r"\b(?:between|either|neither|somewhere|more than|less than|fewer than|greater than|depends|depending|"
    r"how many|how much|mentioned|suppose|maybe|perhaps|"
    r"might be|could be|entre|zwischen|tra|между)\b|n't (?:think|believe)|\bnot (?:think|believe|sure)|\bdoubt|"
    r"介于|之间|"
    r"\d[ ]?(?:-|~|至|到)[ ]?\d|"
    r"\d\s+(?:to|or|bis|oder|ou|o|или)\s+\d",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"[\s*_:,]*(?:(?:definitely|certainly|surely|probably|clearly) )?(?:not\b|no longer|nicht\b|pas\b|не\b|不是)", re.I
)
INSTEAD = re.compile(r",?\s*(?:but|sondern|sino|mais|ma|а|而是)\b(?: rather)?", re.IGNORECASE)
PLANNED = re.compile(
    r"^(?:if|to (?:find|solve|get|answer)|i will|i'll|let's|let us|let me|first|we (?:need|know|have to|must)|given)\b",
    re.I,
)
LEAD = re.compile(
    r"(?:[\s*_:\"'+(\[{$€£¥₹≈~=→>«|]|(?:approximately|about|around|roughly|approx\.?|therefore|thus|then|"
    r"simply|just|exactly|"
    r"actually|indeed|only|now|equal to|equals|is|are|be|est|es|ist|è|é|donc|also|entonces|a total of|"
    r"the number|USD|EUR|"
    r"US|Rs\.?|circa|etwa|environ|约|大约|हैं?|هو)(?![a-zà-ÿ])|[A-Za-z]\s?=(?!=)|-(?![\d$€£¥₹. ]))*",
    re.IGNORECASE,
)
OPERATOR = re.compile(r"\s*(?:[+*×÷^/·]|[xX](?=\s*[\d(])|-)\s*[$€£¥₹]?\(?\s*-?[\d.(]")
LISTED = re.compile(
    r"\s*,\s*\d|\s*[^\W\d]*\s*(?:\band\b|&|\bor\b|\bund\b|\boder\b|\by\b|\bet\b|\bou\b|\be\b|\bи\b|"
    r"\bили\b|和|或)\s*[$€£]?\d"
)
RANGED = re.compile(r"\s*(?:-|~|至|到|(?:to|bis|through)\b)\s*[$€£]?\d")
GOVERNED = re.compile(
    r"\b(?:from|out of|of|for|in|at|by|per|after|within|during|than|among|on|over|to|every|each|with|step|"
    r"day|week|year|page)\s+"
    r"(?:(?:the|her|his|their|its|these|those|all|each|first|last)\s+){0,2}[$€£]?$",
    re.IGNORECASE,
)
PROMOTED = re.compile(
    r"\b(?:total|sum|cost|value|average|result|amount|profit|price|length|area|distance) of\s+[$€£]?$", re.I
)
ASIDE = re.compile(r"\([^()]*\)")
ITEM = re.compile(r"^\s*(?:[-*•+]\s+|\(?\d{1,3}[.)]\s+|step \d+\s*[:.]\s*)", re.IGNORECASE)
CUE = re.compile(
    r"\b(?:so|thus|therefore|hence|consequently|total|altogether|in all|its|it's|result is|leaves|"
    r"left with|equals|makes|gets|"
    r"gives|insgesamt|zusammen|also|somit|entonces|en total|au total|donc|portanto|quindi|in totale|итого|всего)\b|"
    r"所以|因此|一共|总共|總共|したがって|全部で|따라서|모두|إذن|कुल|इसलिए",
    re.IGNORECASE,
)
STATES = re.compile(  # a verb whose object is the number that follows
    r"\b(?:(?<!there )(?:is|are|was|were)|costs?|pays?|paid|earns?|earned|spends?|spent|takes?|took|"
    r"(?<!we )(?<!you )(?<!i )ha(?:s|ve|d)|"
    r"gets?|got|receives?|received|makes?|made|needs?|keeps?|kept|saves?|saved|collects?|collected|sells?|"
    r"sold|buys?|bought|"
    r"eats?|ate|weighs?|measures?|equals?|contains?|travels?|walks?|reads?|uses?|becomes?|remains?|remaining|left)\b"
    r"(?:\s+[^\W\d]+){0,3}\s*[$€£¥₹]?$",
    re.IGNORECASE,
)
WORKING = re.compile(
    r"\b(?:multiply|multiplied|add|subtract|divide|divided|plus|minus|times|by|split|among)\b|\b(?:the|of|and|with|to|into|for|from|a)$",
    re.IGNORECASE,
)
PARTING = re.compile(
    r"\b(?:hope|let me know|feel free|happy to|glad|cheers|good luck|thanks|thank you|enjoy|regards|have a)\b|"
    r"[\U0001f300-\U0001faff✅✓]",
    re.IGNORECASE,
)


def read(text: str, options: tuple[str, ...] = ()) -> Read:
    """The number a reply gives."""
    text = plain(text)
    decimal = convention(text, in_comma_language(text))
    denied_at: int | None = None
    for mark in reversed(marks(text)):
        found = announced(mark.content, decimal, mark.ended or mark.layer != "phrase")
        if found is Verdict.SILENT:
            continue
        rest = text[mark.end :].lstrip(".!?。")
        if isinstance(found, Verdict):
            denied_at = len(text) - len(rest)
            break
        undone = corrected(rest)
        if undone is None:
            return _reading(found, mark.layer)
        after = concluded(rest[undone:], decimal)
        if not isinstance(after, Verdict):
            return _reading(after, "last")
        return _reading(found, mark.layer) if confirmed(rest[undone:]) else None
    last = concluded(text if denied_at is None else text[denied_at:], decimal)
    return None if isinstance(last, Verdict) else _reading(last, "last")


def whole(text: str, decimal: str | None, layer: str) -> Read:
    """The number a text wholly is, but for currency, brackets, a percent sign and a full stop; None when it is more."""
    numeral = next(numerals(text, decimal), None)
    if (
        not numeral
        or not numeral.values
        or text[: numeral.start].strip(" $€£¥₹*+")
        or text[numeral.end :].strip(" $€£¥₹%*.")
    ):
        return None
    return _reading((numeral.values, text.strip()), layer)


def announced(content: str, decimal: str | None, ended: bool) -> Found:
    """The number a mark's sentence gives: the one it begins with, else the one it states."""
    if REFUSAL.search(content):
        return Verdict.REFUSED
    denied = DENIED.match(content)
    if denied:
        instead = INSTEAD.search(content, denied.end())
        return announced(content[instead.end() :], decimal, ended) if instead else Verdict.REFUSED
    lead = LEAD.match(content)
    at = lead.end() if lead else 0
    numeral = next(numerals(content, decimal), None)
    if numeral and numeral.start <= at <= numeral.end:
        if OPERATOR.match(content, numeral.end):
            return _equated(content, decimal) if "=" in content else Verdict.REFUSED
        if RANGED.match(content, numeral.end) or LISTED.match(content, numeral.end) or not numeral.values:
            return Verdict.REFUSED
        return numeral.values, content[_money(content, numeral.start) : numeral.end]
    word = spelled(content[at:])
    if word:
        return (word[0],), word[1]
    return stated(content, decimal, ended, first=True)


def stated(sentence: str, decimal: str | None, ended: bool, *, first: bool = False) -> Found:
    """The number a whole sentence states: behind its last "=", else the last (or first) that no preposition governs."""
    if PLANNED.search(sentence) or REFUSAL.search(sentence):
        return Verdict.REFUSED
    item = ITEM.match(sentence)
    body = sentence[item.end() :] if item else sentence
    body = body.replace(OPEN, " ").replace(CLOSE, " ")
    outside = ASIDE.sub(" ", body)
    body = outside if any(True for _ in numerals(outside, decimal)) else body
    if "=" in body:
        return _equated(body, decimal)
    if HEDGED.search(body):
        return Verdict.REFUSED
    numbers = list(numerals(body, decimal))
    if not numbers:
        return Verdict.SILENT
    free = [number for number in numbers if _free(body, number)] or numbers
    chosen = free[0] if first else free[-1]
    if not chosen.values or OPERATOR.match(body, chosen.end):
        return Verdict.REFUSED
    bare = len(body[chosen.end :].split()) <= 3
    if not ended and not (
        bare and not WORKING.search(body.rstrip()) and (CUE.search(body) or not body[: chosen.start].strip(" $€£*~-"))
    ):
        return Verdict.REFUSED
    before = body[max(0, chosen.start - 80) : chosen.start]
    alone = not before.strip(" $€£*~-") and len(body[chosen.end :].split()) <= 3
    if not first and not CUE.search(body) and (item or not (alone or (_free(body, chosen) and STATES.search(before)))):
        return Verdict.REFUSED  # it mentions a number, or takes a step of the working; it states no result
    return chosen.values, body[_money(body, chosen.start) : chosen.end]


def concluded(text: str, decimal: str | None) -> Found:
    """The number in which a text ends: its last sentence with one must state it, and nothing may deny it or ask."""
    said = sentences(text[-4000:])
    if any(REFUSAL.search(sentence) and not PARTING.search(sentence) for sentence, _ in said):
        return Verdict.REFUSED
    for sentence, end in reversed(said):
        if any(True for _ in numerals(sentence, decimal)) and (not ITEM.fullmatch(sentence + " ")):
            if "?" in end or "؟" in end or "？" in end:
                return Verdict.REFUSED
            found = stated(sentence[-2000:], decimal, bool(end))
            if found is not Verdict.SILENT:
                return found
        if not end and len(sentence.split()) > 2 and not PARTING.search(sentence):
            return Verdict.REFUSED  # it breaks off
    return Verdict.SILENT


def _equated(body: str, decimal: str | None) -> Found:
    """The value behind the last "="; none where a sum is still to be worked out."""
    side = body.rpartition("=")[2]
    lead = LEAD.match(side)
    numeral = next(numerals(side, decimal), None)
    if not numeral or not numeral.values or not numeral.start <= (lead.end() if lead else 0) <= numeral.end:
        return Verdict.REFUSED
    if OPERATOR.match(side, numeral.end):
        return Verdict.REFUSED
    return numeral.values, side[_money(side, numeral.start) : numeral.end]


def _free(body: str, number: Numeral) -> bool:
    before = body[max(0, number.start - 40) : number.start]
    return bool(PROMOTED.search(before)) or not GOVERNED.search(before)


def _money(text: str, start: int) -> int:
    return start - 1 if start and text[start - 1] in "$€£¥₹" else start


def _reading(found: tuple[tuple[Fraction, ...], str], layer: str) -> Read:
    values, shown = found
    answers = tuple(show(value) for value in values)
    return Reading(answers[0], shown.strip(), layer) if len(answers) == 1 else Ambiguous(answers, layer)
