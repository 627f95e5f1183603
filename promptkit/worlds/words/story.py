"""A story in the making: its sentences, the quantity it follows, and the steps that work the quantity out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Level = Literal["easy", "hard"]
Kind = Literal["things", "stock", "money", "progress"]  # owned by a person, by a shop; dollars; miles or pages

LARGEST = {"easy": 300, "hard": 5000}  # of any result
GROUPED = 0.4  # how often two changes are worked out together before they reach the quantity
SWAPPED = 0.3  # how often the second of two gains is added first


class Unfit(Exception):
    """The numbers drawn so far do not allow what was to come."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who a story is about: a name and its pronouns."""

    name: str
    he: str
    his: str


GIRLS = "Anna Mia Lena Sara Emma Julia Nina Rosa".split()
BOYS = "Ben Tom Leo Max Paul Omar Ivan Sam".split()
PEOPLE = [Person(name, "she", "her") for name in GIRLS] + [Person(name, "he", "his") for name in BOYS]
SHOP = Person("the shop", "it", "its")
THINGS = (
    "apples books cards coins cookies eggs flowers balls marbles pens plates shells stamps stickers toys cups".split()
)
HOLDERS = "boxes bags baskets".split()

_GAIN = {
    "things": ("With {n} more, {N} has {eq} {things}.", "That makes {eq} {things}.", "Now {s} has {eq} {things}."),
    "money": ("With {n} more, {N} has {eq} dollars.", "That makes {eq} dollars.", "Now {s} has {eq} dollars."),
    "progress": ("With {n} more, that is {eq} {things}.", "That makes {eq} {things}.", "So far it is {eq} {things}."),
}
_LOSS = {
    "things": (
        "Then {eq} {things} are left.",
        "Without {n} of them, {eq} {things} are left.",
        "{S} keeps {eq} {things}.",
    ),
    "money": ("Then {eq} dollars are left.", "Without {n} dollars, {N} has {eq} dollars.", "{S} keeps {eq} dollars."),
}


@dataclass(frozen=True, slots=True)
class Product:
    """An amount given as so many times so much, and the sentences that may work it out."""

    many: int
    each: int
    phrasings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A gain or a loss of the quantity that is not worked out yet."""

    sign: Literal["+", "-"]
    amount: int
    product: Product | None = None


class Story:
    """A story about one quantity; what is told and what is worked out grow side by side."""

    def __init__(self, rng: random.Random, level: Level) -> None:
        self.rng = rng
        self.level: Level = level
        self.hero, *self.rivals = rng.sample(PEOPLE, 5)
        self.other, self.third, self.stranger, self.spare = self.rivals
        self.things = rng.choice(THINGS)
        self.holder = rng.choice(HOLDERS)
        self.kind: Kind = "things"
        self.verb = ""  # of progress: drives or reads
        self.whole = 0  # of progress: how long the way or the book is
        self.value = 0
        self.expression = ""
        self.told: list[tuple[str, bool]] = []  # with {S} open, and whether a pronoun after it can only mean the hero
        self.steps: list[tuple[str, str]] = []
        self.pending: list[Change] = []
        self.done: set[object] = set()  # what happens once in a story at most
        self.lost = False  # whether the latest change was a loss
        self.shared = False  # whether another person has things of the same kind
        self.asked = ""

    @property
    def hard(self) -> bool:
        """Whether the numbers are large."""
        return self.level == "hard"

    @property
    def count(self) -> int:
        """Steps so far, those still to be worked out included."""
        return len(self.steps) + sum(2 if change.product else 1 for change in self.pending)

    @property
    def question(self) -> str:
        """The story as it is told, with the question at its end."""
        return " ".join([*_named(self.told, self.hero, self.rng), self.asked])

    def number(self, low: int, high: int) -> int:
        """A number between the two, small ones a little more often; Unfit when there is none."""
        if high < low:
            raise Unfit
        drawn = self.rng.randint(low, high)
        return min(drawn, self.rng.randint(low, high)) if high > 99 else drawn

    def factors(self) -> tuple[int, int]:
        """How many and how much each, for a product of the level's size."""
        if self.things == "miles" and self.hard:
            return self.number(3, 14), self.number(21, 89)
        if self.things == "miles":
            return self.number(2, 5), self.number(11, 58)
        if not self.hard:
            return self.number(2, 9), self.number(2, 12)
        if self.rng.random() < 0.6:
            return self.number(3, 9), self.number(12, 99)
        return self.number(11, 28), self.number(6, 36)

    def amount(self) -> int:
        """A lone number of the level's size."""
        return self.number(2, 60) if not self.hard else self.number(12, 480)

    def divisor(self, low: int, high: int, of: int | None = None) -> int:
        """A number that divides the quantity and leaves at least 2; Unfit when there is none."""
        value = self.value if of is None else of
        fitting = [n for n in range(low, high + 1) if value % n == 0 and value // n > 1]
        if not fitting:
            raise Unfit
        return self.rng.choice(fitting)

    def fill(self, phrasings: tuple[str, ...], **values: object) -> str:
        """One of the phrasings with everything filled in but who does it at the beginning of a sentence."""
        fields = {
            "S": "{S}", "s": self.hero.he, "his": self.hero.his, "N": self.hero.name,
            "O": self.other.name, "their": self.other.his, "o": self.other.he,
            "things": self.things, "holder": self.holder, "verb": self.verb,
        }  # fmt: skip
        return self.rng.choice(phrasings).format(**{**fields, **values})

    def say(self, *phrasings: str, **values: object) -> None:
        """Tells one sentence more."""
        text = self.fill(phrasings, **values)
        self.told.append((text, self.clear(text)))

    def clear(self, text: str) -> bool:
        """Whether a pronoun after this sentence can only mean the hero."""
        named = any(person.name in text and person.he == self.hero.he for person in self.rivals)
        return not named and ("{S}" in text or self.hero.name in text)

    def ask(self, *phrasings: str, **values: object) -> None:
        """Ends the story with its question."""
        self.asked = self.fill(phrasings, **values)

    def work(self, left: int, sign: str, right: int, phrasings: tuple[str, ...], **values: object) -> int:
        """The result of one step, which is written down; Unfit when it is no fitting whole number."""
        result = left + right if sign == "+" else left - right if sign == "-" else left * right
        if sign == "/":
            result, rest = divmod(left, right)
            if rest:
                raise Unfit
        if not 2 <= result <= LARGEST[self.level]:
            raise Unfit
        equation = f"{left} {sign} {right} = {result}"
        text = self.fill(phrasings, eq=equation, n=right, **values)
        self.steps.append((_capital(text.replace("{S}", self.hero.name)), equation))
        return result

    def scale(self, sign: str, by: int, phrasings: tuple[str, ...]) -> None:
        """Multiplies or divides all there is, as one step."""
        self.value = self.work(self.value, sign, by, phrasings)
        self.expression = f"({self.expression}){sign}{by}"

    def product(self, product: Product) -> int:
        """The amount of a product, factors in either order."""
        left, right = self.rng.sample((product.many, product.each), 2)
        return self.work(left, "*", right, product.phrasings, k=product.many, m=product.each)

    def change(self, change: Change) -> None:
        """Takes a gain or a loss into the account; how it is worked out is decided when all is known."""
        after = self.running + change.amount if change.sign == "+" else self.running - change.amount
        if not 2 <= after <= LARGEST[self.level]:
            raise Unfit
        self.pending.append(change)
        spelled = f"{change.product.many}*{change.product.each}" if change.product else str(change.amount)
        self.expression = f"({self.expression}{change.sign}{spelled})"
        self.lost = change.sign == "-"

    @property
    def running(self) -> int:
        """The quantity with all changes told so far."""
        return self.value + sum(c.amount if c.sign == "+" else -c.amount for c in self.pending)

    def settle(self) -> int:
        """The quantity after every change so far is worked out, two of them together now and then."""
        changes, self.pending = self.pending, []
        while changes:
            one, rest = changes[0], changes[1:]
            if rest and self.rng.random() < GROUPED and abs(_signed(one) + _signed(rest[0])) > 1:
                one, rest = self._together(one, rest[0]), rest[1:]
            elif rest and one.sign == rest[0].sign == "+" and self.rng.random() < SWAPPED:
                one, rest = rest[0], [one, *rest[1:]]
            if one.product:
                self.product(one.product)
            phrasings = (_GAIN if one.sign == "+" else _LOSS)["things" if self.kind == "stock" else self.kind]
            self.value = self.work(self.value, one.sign, one.amount, phrasings)
            changes = rest
        return self.value

    def _together(self, one: Change, two: Change) -> Change:
        """Two changes as one."""
        for change in (one, two):
            if change.product:
                self.product(change.product)
        if one.sign == two.sign:
            amount = self.work(one.amount, "+", two.amount, _BOTH_GAINS if one.sign == "+" else _BOTH_LOSSES)
            return Change(one.sign, amount)
        more, less = sorted((one, two), key=lambda change: change.amount, reverse=True)
        amount = self.work(more.amount, "-", less.amount, _MORE if more.sign == "+" else _FEWER)
        return Change(more.sign, amount)


_BOTH_GAINS = ("Together {eq} {things} are added.", "The two gains are {eq} {things}.", "In all {eq} {things} come.")
_BOTH_LOSSES = ("Together {eq} {things} go away.", "The two losses are {eq} {things}.", "In all {eq} {things} go.")
_MORE = ("That is {eq} {things} more than before.", "In all {eq} {things} are added.")
_FEWER = ("That is {eq} {things} less than before.", "In all {eq} {things} go away.")


def _signed(change: Change) -> int:
    return change.amount if change.sign == "+" else -change.amount


def _named(told: list[tuple[str, bool]], hero: Person, rng: random.Random) -> list[str]:
    """The sentences with the hero's name, or the pronoun where the sentence before leaves no doubt."""
    sentences, clear = [], False
    for text, leaves_clear in told:
        known = clear and rng.random() < 0.6
        text = text.replace("{S}", hero.he if known else hero.name, 1).replace("{S}", hero.he)
        sentences.append(". ".join(map(_capital, text.split(". "))))
        clear = leaves_clear
    return sentences


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
