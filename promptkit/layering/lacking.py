"""What a prompt does not say: a linter that looks for six things in its words.

It looks for words and knows English best, so it can be mistaken both ways: a finding is a question to whoever wrote
the prompt, not an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a prompt does not say."""

    kind: str  # audience, format, length, constraints, examples or context
    what: str  # what is not said
    add: str  # what to add, as an example


_PEOPLE = (
    r"\d+[- ]year[- ]olds?|child(?:ren)?|kids?|teen(?:ager)?s?|adults?|seniors?|beginners?|novices?|experts?|students?|"
    r"pupils|teachers?|engineers?|developers?|programmers?|scientists?|physicists?|doctors?|patients?|lawyers?|managers?|"
    r"executives?|board|investors?|customers?|clients?|users|readers?|visitors?|colleagues?|team|boss|friends?|mother|"
    r"father|grand\w+|lay(?:person|people|men|man)|general public|newcomers?|professionals?|specialists?|tourists?"
)
_WORKS = (
    r"table|list|bullets?|bullet points?|steps|json|csv|xml|yaml|html|markdown|latex|headings?|sections?|columns?|"
    r"paragraphs?|essay|article|e-?mail|letter|memo|report|outline|tweet|post|poem|haiku|sonnet|limerick|dialogue|"
    r"script|function|class|query|regex|command|diagram|checklist|slides?|one word|number only|yes or no|true or false"
)
_SIZES = (
    r"words?|characters?|letters?|sentences?|lines?|paragraphs?|pages?|bullets?|bullet points?|points?|steps|items?|"
    r"examples?|minutes?|tokens?|slides?"
)
_COUNT = r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a single|a few|several)"

_SAID = {
    "audience": rf"\b(?:audience|read(?:er)?ship|explain (?:it )?(?:to|like)|eli5)\b|"
    rf"\b(?:for|to|aimed at|addressed to|written for|suitable for|i am|i'm)\s+(?:an?|the|my|our|your|some)?"
    rf"\s*(?:[\w-]+\s+){{0,2}}(?:{_PEOPLE})\b",
    "format": rf"\b(?:{_WORKS})\b|\b(?:format(?:ted)?|layout|structured? as)\b",
    "length": rf"\b{_COUNT}\s*(?:[\w-]+\s+)?(?:{_SIZES})\b|\b(?:short|brief|briefly|concise|concisely|terse|in detail|"
    r"detailed|at length|comprehensive|long|one-liner|tl;?dr|in a word)\b",
    "constraints": r"\b(?:must|mustn't|only|do not|don't|never|without|avoid|exclude|excluding|except|at least|at most|"
    r"no more than|no longer than|less than|more than|fewer than|within|limit(?:ed)?|require[sd]?|ensure|make sure|"
    r"budget|deadline|under \d|between \d)\b",
    "examples": r"\b(?:for example|for instance|e\.g\.|examples?:|such as|like this|as in|sample (?:input|output))|"
    r"(?s:\binput:.*\boutput:)|->|=>|→",
    "context": r"\b(?:because|since|so that|in order to|background|context|goal|purpose|currently|we have|i have|"
    r"we are|i am|i'm|we're|our|my|i need|we need|i want|given that|the situation|already)\b",
}
_FINDINGS = (
    Finding(
        "audience", "who will read the answer, and what they know", "for customers who have never seen the product"
    ),
    Finding("format", "what form the answer should have", "as a table with the columns city and people"),
    Finding("length", "how long the answer should be", "in at most 120 words"),
    Finding("constraints", "what the answer must have, and what it must not", "name sources; no brand names"),
    Finding("examples", "what a good answer looks like, on an example", 'for example: "Lyon: 0.5 million"'),
    Finding("context", "why it is asked, and what is known already", "we are choosing where to open a second shop"),
)
_PATTERNS = {kind: re.compile(words, re.IGNORECASE) for kind, words in _SAID.items()}
_TOLD = 80  # words: a prompt so long has told what it is about
KINDS = tuple(each.kind for each in _FINDINGS)


def lint(prompt: str) -> tuple[Finding, ...]:
    """What the prompt does not say, what weighs most first; empty when nothing is missed."""
    return tuple(each for each in _FINDINGS if not _says(prompt, each.kind))


def _says(prompt: str, kind: str) -> bool:
    if kind == "context" and len(prompt.split()) >= _TOLD:
        return True
    return bool(_PATTERNS[kind].search(prompt))
