"""How a story begins: who has how many of what."""

from __future__ import annotations

from collections.abc import Callable

from promptkit.worlds.words.story import SHOP, Story

_PRODUCT = ("That is {eq} {things}.", "{k} times {m} is {eq} {things}.", "First there are {eq} {things}.")
_DONE = ("That is {eq} {things}.", "{k} times {m} is {eq} {things}.", "The beginning is {eq} {things}.")
_EARNED = ("{S} gets {eq} dollars.", "That is {eq} dollars.", "{k} times {m} is {eq} dollars.")


def begin(story: Story) -> None:
    """Tells the first sentences and sets the quantity the story follows."""
    openings, weights = zip(*_OPENINGS.items(), strict=True)
    opening: Callable[[Story], None] = story.rng.choices(openings, weights)[0]
    opening(story)


def _amount(story: Story) -> None:
    story.value = n = story.amount()
    story.expression = str(n)
    story.say(
        "{S} has {n} {things}.",
        "{S} has {n} {things} at home.",
        "{S} has a box with {n} {things}.",
        "There are {n} {things} in {N}'s room.",
        n=n,
    )


def _times(story: Story, *phrasings: str, worked: tuple[str, ...] = _PRODUCT) -> None:
    """So many times so much."""
    many, each = story.factors()
    story.say(*phrasings, k=many, m=each)
    left, right = story.rng.sample((many, each), 2)
    story.value = story.work(left, "*", right, worked, k=many, m=each)
    story.expression = f"{many}*{each}"


def _holders(story: Story) -> None:
    _times(
        story,
        "{S} has {k} {holder} with {m} {things} each.",
        "{S} has {k} {holder}. There are {m} {things} in each of them.",
        "{S} buys {k} {holder} of {things}. Each one holds {m} {things}.",
        "{S} finds {k} {holder} with {m} {things} in each.",
    )


def _rows(story: Story) -> None:
    _times(
        story,
        "{S} puts {k} rows of {m} {things} on a table.",
        "There are {k} rows of {things} on {N}'s table. Each row has {m} {things}.",
        "{S} has {k} rows of {things} with {m} in each row.",
    )


def _colors(story: Story) -> None:
    first, second = story.rng.sample(("red", "blue", "green", "white"), 2)
    a, b = story.amount(), story.amount()
    story.say(
        "{S} has {a} {c} {things} and {b} {d} {things}.",
        "{S} has {a} {c} and {b} {d} {things}.",
        "There are {a} {c} {things} and {b} {d} {things} in {N}'s box.",
        a=a, b=b, c=first, d=second,
    )  # fmt: skip
    left, right = story.rng.sample((a, b), 2)
    story.value = story.work(
        left, "+", right, ("{S} has {eq} {things}.", "That is {eq} {things}.", "Together: {eq} {things}.")
    )
    story.expression = f"({a}+{b})"


def _compared(story: Story) -> None:
    """The other one's amount, and the hero's in terms of it."""
    form = story.rng.choice(("times", "more", "fewer"))
    if form == "times":
        base, n, sign = story.number(2, 30) if not story.hard else story.number(12, 120), story.number(2, 7), "*"
        words = "twice" if n == 2 else f"{n} times"
        said = (f"{{S}} has {words} as many {{things}} as {{O}}.", f"{{S}} has {words} as many.")
        worked = ("{S} has {eq} {things}.", words.capitalize() + " as many is {eq} {things}.")
    else:
        base, sign = story.amount(), "+" if form == "more" else "-"
        n = story.number(2, 40) if not story.hard else story.number(11, 300)
        said = (f"{{S}} has {{n}} {form} {{things}} than {{O}}.", f"{{S}} has {{n}} {form}.")
        worked = (f"{{n}} {form} is {{eq}} {{things}}.", "{S} has {eq} {things}.")
    first = story.fill(("{O} has {a} {things}. ", "{O} has {a} {things} at home. "), a=base)
    story.say(*(first + text for text in said), n=n)
    story.value = story.work(base, sign, n, worked)
    story.expression = f"({base}{sign}{n})"
    if story.rng.random() < 0.5:
        story.say("{O} gives all {their} {things} to {N}.", "Then {S} gets all the {things} of {O}.")
        worked = ("With the {things} of {O}, {N} has {eq} {things}.", "Together they have {eq} {things}.")
        story.value = story.work(story.value, "+", base, worked)
        story.expression = f"({story.expression}+{base})"
    story.shared = True
    story.other = story.spare  # whoever takes part from here on, it is not the one with the first things


def _stock(story: Story) -> None:
    """The same, in a shop."""
    story.kind, story.hero = "stock", SHOP
    if not story.hard and story.rng.random() < 0.5:
        story.value = story.amount()
        story.expression = str(story.value)
        story.say("There are {n} {things} in a shop.", "A shop has {n} {things}.", n=story.value)
        return
    _times(
        story,
        "A shop has {k} {holder} with {m} {things} each.",
        "There are {k} {holder} in a shop. Each of them has {m} {things}.",
        "A shop gets {k} {holder} with {m} {things} in each.",
    )


def _purse(story: Story) -> None:
    story.kind = "money"
    story.value = n = story.amount()
    story.expression = str(n)
    story.say("{S} has ${n}.", "{S} has ${n} in {his} bag.", "{N}'s mother gives {N} ${n}.", n=n)
    story.things = "dollars"


def _pay(story: Story) -> None:
    story.kind, story.things = "money", "dollars"
    if story.rng.random() < 0.4:
        hours, days, pay = (
            story.number(2, 8),
            story.number(2, 6),
            story.number(2, 9) if not story.hard else story.number(8, 29),
        )
        story.say(
            "{S} works {h} hours a day for {d} days and gets ${m} an hour.",
            "{S} gets ${m} an hour and works {h} hours on each of {d} days.",
            "{S} works for {d} days, {h} hours each day. {S} gets ${m} for each hour.",
            h=hours, d=days, m=pay,
        )  # fmt: skip
        if story.rng.random() < 0.5:
            worked = story.work(hours, "*", days, ("{S} works {eq} hours.", "That is {eq} hours."))
            last = (worked, pay)
        else:
            worked = story.work(hours, "*", pay, ("{S} gets {eq} dollars a day.", "One day is {eq} dollars."))
            last = (worked, days)
        story.value = story.work(last[0], "*", last[1], _EARNED, k=last[1], m=last[0])
        story.expression = f"{hours}*{days}*{pay}"
        return
    _times(
        story,
        "{S} works {k} hours for ${m} an hour.",
        "{S} gets ${m} an hour and works {k} hours.",
        "{S} gets ${m} for each hour of work. This week {s} works {k} hours.",
        worked=_EARNED,
    )


def _sales(story: Story) -> None:
    sold = story.things
    story.kind, story.things = "money", "dollars"
    _times(
        story,
        f"{{S}} sells {{k}} {sold} for ${{m}} each.",
        f"{{S}} has {{k}} {sold} and sells them all for ${{m}} each.",
        f"{{S}} sells {{k}} {sold}. The price of each is ${{m}}.",
        worked=_EARNED,
    )


def _progress(story: Story) -> None:
    story.kind = "progress"
    if story.rng.random() < 0.5:
        story.things, story.verb = "miles", "drives"
        _times(
            story,
            "{S} {verb} {m} miles an hour for {k} hours.",
            "{S} {verb} for {k} hours at {m} miles an hour.",
            "{S} {verb} {m} miles every day for {k} days.",
            worked=_DONE,
        )
    else:
        story.things, story.verb = "pages", "reads"
        _times(
            story,
            "{S} reads {m} pages a day for {k} days.",
            "{S} reads a long book. For {k} days {s} reads {m} pages a day.",
            "For {k} days {N} reads {m} pages every day.",
            worked=_DONE,
        )


_OPENINGS: dict[Callable[[Story], None], int] = {
    _amount: 4,
    _holders: 4,
    _rows: 2,
    _colors: 2,
    _compared: 4,
    _stock: 4,
    _purse: 2,
    _pay: 3,
    _sales: 3,
    _progress: 4,
}
