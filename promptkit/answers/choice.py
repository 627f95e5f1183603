"""The `choice` reader: a letter from A to J, the number of a numbered choice, or one of the options it is given.

"A" and "I" are words of English too: before a small word they only count in brackets or with a sign behind.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterator

from promptkit.answers.marks import DOUBTED, LATEST, Mark, corrected, marks, sentences
from promptkit.answers.number import DENIED, HEDGED, REFUSAL
from promptkit.answers.plain import plain
from promptkit.answers.reading import Ambiguous, Read, Reading

LETTERS = "ABCDEFGHIJ"
NAMED = r"(?:options?|choices?|letters?|answers?|opción|opcion|opção|opzione|Option|вариант|选项|選項)"
LEAD = re.compile(
    rf"(?:[\s*_:\"'>=~|$-]|"
    rf"(?:the|is|la|el|l'|clearly|therefore|definitely|probably|actually|likely|most likely|{NAMED})(?![a-zà-ÿ]))*",
    re.I,
)
NEXT = r"(?![A-Za-zÀ-ɏЀ-ӿ0-9_'])(?!-[A-Za-z])"
LETTER = re.compile(
    rf"\(\s?(?P<inside>[A-Ja-j])\s?\)|\[(?P<square>[A-Ja-j])\]|(?P<bare>[A-J]){NEXT}|(?P<small>[a-j])(?=\s*$|[).:])"
)
PROSE = re.compile(r"[ ]+(?!(?:because|since|as|is|and|or|which|due|not|by|for|with|who|y|e|o|und|oder)\b)[a-z]")
ALONE = re.compile(r"\(?(?P<letter>[A-J])(?:[).:](?:\s.*)?|\s*)$|\[(?P<square>[A-J])\]$")
EITHER = re.compile(
    r"\s*(?:[.):]\s*[^,]{0,40})?(?:,|and|or|y|e|o|und|oder|et|ou|和|或|/|&)\s*(?:option\s*)?\(?([A-J])(?![A-Za-z])",
    re.I,
)
CHOSEN = re.compile(
    r"\b(?:(?P<noun>best|correct|right|final|better|my) (?:choice|option)(?: is| would be|:)|"
    r"i(?:'d| would|'ll| will)? (?:choose|pick|select|go with|say)|choice is|choose|elijo|ich wähle|je choisis)\b"
    r"|(?:正确|正確)?(?:选项|選項)(?:是|为|為)|(?:故|应|應|所以)?(?:选择|選擇|选|選)[:]?",
    re.IGNORECASE,
)
IS_RIGHT = re.compile(
    r"(?:\((?P<inside>[A-J])\)|\b(?:option|choice|answer)[ ](?P<named>[A-J])\b|(?:^|(?<=[.!?\n][ ]))(?P<bare>[A-J]))"
    r"[ ](?:is|must be)[ ](?:the[ ])?(?:correct|right|best|answer)",
)
INTEGER = re.compile(r"\(?#?(\d{1,3})\)?(?![\d/:%]|[.,]\d)")
LAST = re.compile(r"\b(?:final|finally)\b", re.IGNORECASE)


def read(text: str, options: tuple[str, ...] = ()) -> Read:
    """The choice a reply makes."""
    text = plain(text)
    asserted: list[tuple[Mark, tuple[str, ...]]] = []
    for mark in _announcements(text):
        if REFUSAL.search(mark.content) or DENIED.match(mark.content):
            asserted.append((mark, ()))
        elif found := _chosen(mark, options):
            asserted.append((mark, found))
    if asserted:
        return _decided(text, asserted)
    if REFUSAL.search(text):
        return None
    found = _lines(text, options)
    return _result(found, "last") if found else None


def _announcements(text: str) -> list[Mark]:
    """The answer marks of a text and the phrases that make a choice, in order."""
    found = marks(text)
    for match in deque(CHOSEN.finditer(text), LATEST):
        if DOUBTED.search(text, max(0, match.start() - 60), match.start()):
            continue
        content, end = next(iter(sentences(text[match.end() : match.end() + 600])), ("", ""))
        if "?" not in end:
            found.append(Mark("choice", match.start(), match.end(), content, match["noun"] == "final", bool(end)))
    for match in deque(IS_RIGHT.finditer(text), LATEST):
        letter = match["inside"] or match["named"] or match["bare"]
        found.append(Mark("choice", match.start(), match.end(), f"({letter})", False, True))
    return sorted(found, key=lambda mark: mark.start)


def _decided(text: str, asserted: list[tuple[Mark, tuple[str, ...]]]) -> Read:
    """The last assertion, when all agree or something says that the last one counts."""
    mark, found = asserted[-1]
    if not found:
        return None
    if undone := corrected(text[mark.end :]):
        after = _lines(text[mark.end + undone :], ())
        return _result(after, "last") if after else None
    earlier = [(other, values) for other, values in asserted[:-1] if values and values != found]
    if earlier and not mark.final:
        between = text[earlier[-1][0].end : mark.start]
        denied = any(not values for _, values in asserted)
        if corrected(between) is None and not denied and not LAST.search(between[-60:]):
            return Ambiguous(tuple(dict.fromkeys((*(v for _, values in earlier for v in values), *found))), mark.layer)
    return _result(found, mark.layer)


def _result(found: tuple[str, ...], layer: str) -> Read:
    return Reading(found[0], found[0], layer) if len(found) == 1 else Ambiguous(found, layer)


def _chosen(mark: Mark, options: tuple[str, ...]) -> tuple[str, ...]:
    """The choice a mark's sentence makes, more than one when it cannot decide; () when it makes none."""
    content = mark.content
    lead = LEAD.match(content)
    at = lead.end() if lead else 0
    if options and (named := _named(content, options)):
        return named
    if letter := _letter(content, at):
        value, end = letter
        other = EITHER.match(content, end)
        if other and other[1].isupper() and other[1] != value:
            return _among((value, other[1]), options)
        return _among((value,), options)
    inside = tuple(dict.fromkeys(found["inside"] for found in LETTER.finditer(content) if found["inside"]))
    if len(inside) == 1 and inside[0].isupper() and not HEDGED.search(content):
        return _among(inside, options)
    if (whole := INTEGER.match(content, at)) and not options and mark.layer == "choice":
        return (whole[1],)
    return ()


def _letter(content: str, at: int) -> tuple[str, int] | None:
    """The letter a sentence begins with, and where it ends."""
    match = LETTER.match(content, at)
    if not match:
        return None
    if match["bare"] and match["bare"] in "AI" and PROSE.match(content, match.end()):
        return None
    return next(letter for letter in match.groups() if letter).upper(), match.end()


def _among(letters: tuple[str, ...], options: tuple[str, ...]) -> tuple[str, ...]:
    """Letters as what they stand for when options were given."""
    if not options:
        return letters
    known = {_key(option): option for option in options}
    places = ((known.get(_key(letter)), LETTERS.index(letter)) for letter in letters)
    meant = (option or (options[place] if place < len(options) else "") for option, place in places)
    return tuple(option for option in meant if option.strip())


def _named(sentence: str, options: tuple[str, ...]) -> tuple[str, ...]:
    """The options a sentence begins with, else those it mentions and does not deny; "dark red" is not "red"."""
    if re.search(r"\b(?:neither|not|nor|n't)\b", sentence, re.IGNORECASE):
        sentence = re.split(r",?\s*\b(?:not|nor|neither)\b", sentence, maxsplit=1, flags=re.IGNORECASE)[0]
    mentioned = tuple(dict.fromkeys(option for _, option in _mentions(sentence, options)))
    lead = LEAD.match(sentence)
    first = next(((start, option) for start, option in _mentions(sentence, options)), None)
    if first and lead and first[0] <= lead.end() and not HEDGED.search(sentence) and not re.search(r"\bor\b", sentence):
        return (first[1],)
    return mentioned


def _mentions(sentence: str, options: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    known = {_key(option): option for option in options if option.strip()}
    names = sorted(known, key=len, reverse=True)
    # A letter of its own is an option only by its place in the sentence: see _letter.
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names if len(name) > 1 or not name.isalpha())
    for match in re.finditer(pattern, _key(sentence)) if pattern else ():
        yield match.start(), known[match.group()]


def _lines(text: str, options: tuple[str, ...]) -> tuple[str, ...]:
    """A choice without a phrase: the only line that is nothing but a letter or an option, the last one or the first."""
    lines = [line.strip(" *_>\"'") for line in text.splitlines() if line.strip(" *_>\"'")]
    if not lines:
        return ()
    if options:
        head = re.split(r"[,.!:;\n—-]", lines[0], maxsplit=1)[0].strip()
        for line in (lines[-1], head):
            exact = [option for option in options if option.strip() and _key(option) == _key(line.strip(" .!()"))]
            if exact:
                return (exact[0],)
    listed = [found["letter"] or found["square"] for line in lines if (found := ALONE.match(line))]
    last = ALONE.match(lines[-1])
    if len(set(listed)) == 1 and (last or ALONE.match(lines[0])):
        return _among((listed[0],), options)
    bare = re.fullmatch(r"\(?([A-J])\)?\.?", lines[-1])
    return _among((bare[1],), options) if bare else ()


def _key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
