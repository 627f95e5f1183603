"""What happens in the middle of a story: gains, losses, multiples and parts, and sentences that do not matter."""

from __future__ import annotations

from collections.abc import Callable

from promptkit.worlds.words.story import THINGS, Change, Product, Story

DISTRACTED = 0.6  # the share of hard problems with a sentence that does not matter

_AMOUNT = ("That is {eq} {things}.", "{k} times {m} is {eq} {things}.", "{k} with {m} each are {eq} {things}.")
_COST = ("That is {eq} dollars.", "{k} times {m} is {eq} dollars.", "That takes {eq} dollars.")

_GAINS = {
    "things": (
        "{S} buys {n} more {things}.",
        "Then {S} finds {n} {things}.",
        "{S} gets {n} {things} from {his} mother.",
        "The next day {S} gets {n} more {things}.",
        "{O} gives {N} {n} {things}.",
    ),
    "stock": (
        "{S} buys {n} more {things}.",
        "Then {n} more {things} come.",
        "The next day {S} gets {n} more {things}.",
    ),
    "money": (
        "{S} finds ${n}.",
        "Then {S} gets ${n} from {his} mother.",
        "{O} gives {N} ${n}.",
        "The next day {S} gets ${n} more.",
        "{S} sells {his} old bike for ${n}.",
    ),
    "progress": (
        "Then {S} {verb} {n} more {things}.",
        "The next day {S} {verb} {n} {things}.",
        "After that {S} {verb} another {n} {things}.",
    ),
}
_LOSSES = {
    "things": (
        "{S} gives {n} {things} to {O}.",
        "{S} loses {n} of the {things}.",
        "Then {S} gives away {n} {things}.",
        "{S} sells {n} {things}.",
        "{S} takes {n} of the {things} to school.",
    ),
    "stock": (
        "{S} sells {n} {things}.",
        "The next day {S} sells {n} of the {things}.",
        "Then {n} {things} are sold.",
        "{S} gives {n} {things} to a school.",
    ),
    "money": (
        "{S} spends ${n}.",
        "{S} pays ${n} for a game.",
        "Then {S} buys a toy for ${n}.",
        "{S} gives ${n} to {O}.",
        "The next day {S} spends ${n}.",
    ),
}


def turn(story: Story, room: int) -> None:
    """Tells one more thing that happens, of at most `room` steps."""
    fitting = [
        (act, weight)
        for act, steps, weight, kinds in _TURNS
        if steps <= room and story.kind in kinds and act not in story.done
    ]
    acts, weights = zip(*fitting, strict=True)
    act: Callable[[Story], None] = story.rng.choices(acts, weights)[0]
    act(story)
    if act not in (_gain, _lose, _gain_product, _lose_product):
        story.done.add(act)


def _gain(story: Story) -> None:
    n = story.amount()
    story.change(Change("+", n))
    story.say(*_GAINS[story.kind], n=n)


def _lose(story: Story) -> None:
    n = story.number(2 if not story.hard else 11, min(story.running - 2, 60 if not story.hard else 900))
    story.change(Change("-", n))
    story.say(*_LOSSES[story.kind], n=n)


def _gain_product(story: Story) -> None:
    many, each = story.factors()
    story.change(Change("+", many * each, Product(many, each, _AMOUNT)))
    if story.kind == "money":
        said: tuple[str, ...] = (
            "Then {S} works {k} hours for ${m} an hour.",
            f"{{S}} sells {{k}} {story.rng.choice(THINGS)} for ${{m}} each.",
            "After that {S} gets ${m} a week for {k} weeks.",
        )
    elif story.things == "miles":
        said = (
            "Then {S} {verb} {k} more hours at {m} miles an hour.",
            "After that {S} {verb} {m} miles a day for {k} days.",
        )
    elif story.things == "pages":
        said = (
            "Then {S} reads {m} pages a day for {k} more days.",
            "After that {S} reads {k} stories of {m} pages each.",
        )
    else:
        said = (
            "{S} buys {k} {holder} with {m} {things} each.",
            "Then {S} gets {k} more {holder} with {m} {things} in each.",
            "{S} gets {m} {things} a day for {k} days.",
        )
    story.say(*said, k=many, m=each)


def _lose_product(story: Story) -> None:
    many, each = story.factors()
    worked = _COST if story.kind == "money" else _AMOUNT
    story.change(Change("-", many * each, Product(many, each, worked)))
    said = {
        "things": (
            "{S} gives {m} {things} to each of {k} friends.",
            "Each of {k} friends gets {m} {things} from {N}.",
            "Then {S} loses {m} {things} a day for {k} days.",
        ),
        "stock": (
            "{S} sells {m} {things} a day for {k} days.",
            "Then each of {k} people buys {m} {things}.",
            "On each of the next {k} days {S} sells {m} {things}.",
        ),
        "money": (
            f"{{S}} buys {{k}} {story.rng.choice(THINGS)} for ${{m}} each.",
            f"Then {{S}} buys {{k}} {story.rng.choice(THINGS)}. Each costs ${{m}}.",
            "{S} gives ${m} to each of {k} friends.",
        ),
    }
    story.say(*said[story.kind], k=many, m=each)


def _multiply(story: Story) -> None:
    story.settle()
    n = story.rng.choice((2, 2, 3, 3, 4, 5))
    words = "twice" if n == 2 else f"{n} times"
    worked = (
        words.capitalize() + (" as much" if story.kind == "money" else " as many") + " is {eq} {things}.",
        "Then {s} has {eq} {things}.",
        "That makes {eq} {things}.",
    )
    story.scale("*", n, worked)
    many = "much money" if story.kind == "money" else f"many {story.things}"
    story.say(
        f"A month later {{S}} has {words} as {many}.",
        f"After a year {{S}} has {words} as {many} as before.",
        f"Then {{S}} works hard until {{s}} has {words} as {many}."
        if story.kind == "money"
        else f"{{S}} buys more until {{s}} has {words} as {many}.",
    )


def _half(story: Story) -> None:
    story.settle()
    worked = ("Half of them are {eq} {things}.", "Then {eq} {things} are left.", "{S} keeps {eq} {things}.")
    if story.kind == "money":
        worked = ("Half of it is {eq} dollars.", "Then {eq} dollars are left.", "{S} keeps {eq} dollars.")
    story.scale("/", 2, worked)
    story.lost = True
    said = {
        "things": (
            "{S} gives half of the {things} to {O}.",
            "{S} sells half of {his} {things}.",
            "Then {S} loses half of the {things}.",
        ),
        "stock": ("{S} sells half of the {things}.", "Then half of the {things} are sold."),
        "money": (
            "{S} spends half of {his} money.",
            "{S} gives half of the money to {O}.",
            "Then {S} pays half of the money for a bike.",
        ),
    }
    story.say(*said[story.kind])


def _part(story: Story) -> None:
    """A third, a quarter or a fifth goes; the parts that stay can be counted instead."""
    story.settle()
    n, word = story.rng.choice(((3, "third"), (4, "quarter"), (5, "fifth")))
    part = story.work(
        story.value, "/", n, ("One " + word + " is {eq} {things}.", "A " + word + " of {v} is {eq}."), v=story.value
    )
    if story.rng.random() < 0.5:
        story.value = story.work(story.value, "-", part, ("Then {eq} {things} are left.", "{S} keeps {eq} {things}."))
    else:
        kept = (f"{n - 1} of the {n} parts stay: {{eq}} {{things}}.", f"{n - 1} parts are left, {{eq}} {{things}}.")
        story.value = story.work(part, "*", n - 1, kept)
    story.expression = f"({story.expression})*{n - 1}/{n}"
    story.lost = True
    said = {
        "things": (
            f"{{S}} gives a {word} of the {{things}} to {{O}}.",
            f"Then {{S}} loses a {word} of {{his}} {{things}}.",
        ),
        "stock": (f"{{S}} sells a {word} of the {{things}}.", f"Then a {word} of the {{things}} are sold."),
        "money": (f"{{S}} spends a {word} of {{his}} money.", f"{{S}} gives a {word} of the money to {{O}}."),
    }
    story.say(*said[story.kind])


def _packed(story: Story) -> None:
    """Packed equally, and some of the packs go."""
    story.settle()
    packs = story.divisor(3, 9 if not story.hard else 24)
    gone = story.number(1 if packs == 3 else 2, packs - 2)
    each = story.work(
        story.value, "/", packs, ("Each of the {holder} has {eq} {things}.", "There are {eq} {things} in each.")
    )
    if story.rng.random() < 0.5 or gone == 1:
        kept = story.work(packs, "-", gone, ("{eq} {holder} are left.", "{S} keeps {eq} {holder}."))
        story.value = story.work(each, "*", kept, ("Those hold {eq} {things}.", "That is {eq} {things}."))
    else:
        lost = story.work(each, "*", gone, ("{eq} {things} go away.", "The {n} {holder} hold {eq} {things}."))
        story.value = story.work(story.value, "-", lost, ("Then {eq} {things} are left.", "{S} keeps {eq} {things}."))
    story.expression = f"({story.expression})/{packs}*({packs}-{gone})"
    story.lost = True
    story.say(
        "{S} puts all the {things} equally into {k} {holder} and sells {g} of the {holder}.",
        "Then {S} packs all {things} equally into {k} {holder}. {S} gives away {g} of the {holder}.",
        "{S} fills {k} {holder} with all the {things}, the same number in each, and sells {g} of them.",
        k=packs, g=gone if gone > 1 else "1",
    )  # fmt: skip


def _sell_all(story: Story) -> None:
    """From things to the money they bring."""
    story.settle()
    price = story.number(2, 5 if not story.hard else 12)
    worked = ("{S} gets {eq} dollars for them.", "That is {eq} dollars.", "They bring {eq} dollars.")
    story.scale("*", price, worked)
    story.say(
        "{S} sells all the {things} for ${p} each.",
        "Then {S} sells all {his} {things} for ${p} each.",
        "{S} sells all of the {things}. The price of each is ${p}.",
        p=price,
    )
    story.kind, story.things, story.lost = "money", "dollars", False


_OWNED = ("things", "stock", "money")
_TURNS: tuple[tuple[Callable[[Story], None], int, int, tuple[str, ...]], ...] = (  # steps, weight, kinds
    (_gain, 1, 5, (*_OWNED, "progress")),
    (_lose, 1, 6, _OWNED),
    (_gain_product, 2, 5, (*_OWNED, "progress")),
    (_lose_product, 2, 5, _OWNED),
    (_multiply, 1, 2, _OWNED),
    (_half, 1, 4, _OWNED),
    (_part, 2, 4, _OWNED),
    (_packed, 3, 5, ("things", "stock")),
    (_sell_all, 1, 2, ("things",)),
)


def distract(story: Story) -> None:
    """Puts in a sentence whose number nothing depends on."""
    thing, stranger = story.rng.choice([thing for thing in THINGS if thing != story.things]), story.stranger.name
    phrasings = [f"{stranger} has {{n}} {thing}.", f"{stranger} buys {{n}} {thing}.", f"{{S}} also has {{n}} {thing}."]
    if story.kind == "money":
        phrasings.append(f"{stranger} has ${{n}}.")
    elif story.kind == "things":
        phrasings.append(f"{stranger} has {{n}} {{things}} at home.")
    text = story.fill(tuple(phrasings), n=story.amount())
    story.shared = story.shared or stranger in text
    story.told.insert(story.rng.randint(1, len(story.told)), (text, False))
