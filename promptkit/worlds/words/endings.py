"""How a story ends: what is asked, and the last steps to it."""

from __future__ import annotations

from collections.abc import Callable

from promptkit.worlds.words.story import THINGS, Story, Unfit


def end(story: Story, room: int) -> None:
    """Asks a question that takes exactly `room` steps more; Unfit when there is no such question."""
    story.settle()
    fitting = [(act, weight) for act, steps, weight, kinds in _ENDINGS if steps == room and story.kind in kinds]
    if not fitting:
        raise Unfit
    acts, weights = zip(*fitting, strict=True)
    act: Callable[[Story], None] = story.rng.choices(acts, weights)[0]
    act(story)


def _plain(story: Story) -> None:
    if story.kind == "progress":
        story.ask("How many {things} is that in all?", "How many {things} is that together?")
        return
    asked = ["How many {things} does {N} have now?", "How many {things} does {N} have in the end?"]
    if story.kind == "money":
        asked.append("How much money does {N} have now?")
    elif story.lost:
        asked.append("How many {things} does {N} have left?")
    if not story.shared:
        asked.append("How many {things} are left?" if story.lost else "How many {things} does {N} have?")
    story.ask(*asked)


def _shared(story: Story) -> None:
    """Packed into so many, or shared among so many."""
    people = story.rng.random() < 0.4 and story.kind != "stock"
    n = story.divisor(2, 9 if not story.hard else 24)
    if story.kind == "money" or people:
        what = "the money" if story.kind == "money" else "the {things}"
        story.say(
            "{S} shares " + what + " equally among {n} friends.",
            "Then {S} gives all "
            + what
            + " to {n} friends, the same "
            + ("to each." if story.kind == "money" else "number to each."),
            n=n,
        )
        story.ask("How many {things} does each friend get?", "How many {things} does each of them get?")
        worked: tuple[str, ...] = ("Each friend gets {eq} {things}.", "That is {eq} {things} for each friend.")
    else:
        story.say(
            "{S} puts all the {things} equally into {n} {holder}.",
            "Then {S} packs the {things} into {n} {holder}, the same number in each.",
            n=n,
        )
        story.ask("How many {things} are in each of the {holder}?", "How many {things} does each one hold?")
        worked = (
            "Each holds {eq} {things}.",
            "There are {eq} {things} in each.",
            "{eq} {things} are in each of the {holder}.",
        )
    story.scale("/", n, worked)


def _packs(story: Story) -> None:
    """Into packs of so many: how many packs?"""
    each = story.divisor(2, 12 if not story.hard else 36)
    story.say(
        "{S} packs all the {things} into {holder} of {n}.",
        "{S} puts the {things} into {holder} with {n} in each.",
        n=each,
    )
    story.ask("How many {holder} does {N} need?", "How many {holder} does {N} fill?", "How many {holder} is that?")
    story.scale("/", each, ("{S} needs {eq} {holder}.", "That fills {eq} {holder}.", "That is {eq} {holder}."))


def _bought(story: Story) -> None:
    """All the money for things of one price."""
    price = story.divisor(2, 9 if not story.hard else 24)
    thing = story.rng.choice(THINGS)
    story.say(
        f"{{S}} spends all the money on {thing}. Each costs ${{n}}.",
        f"With all the money {{S}} buys {thing} for ${{n}} each.",
        n=price,
    )
    story.ask(f"How many {thing} does {{N}} buy?", f"How many {thing} is that?", f"How many {thing} does {{s}} get?")
    story.scale("/", price, (f"That buys {{eq}} {thing}.", f"{{S}} gets {{eq}} {thing}."))


def _takings(story: Story) -> None:
    """What all of them bring."""
    price = story.number(2, 5 if not story.hard else 19)
    story.say(
        "{S} sells all the {things} for ${n} each.",
        "{S} sells all of the {things}. The price of each is ${n}.",
        n=price,
    )
    story.ask("How many dollars does {N} get?", "How much money does {N} get for them?", "How many dollars is that?")
    worked = ("{S} gets {eq} dollars.", "They bring {eq} dollars.", "That is {eq} dollars.")
    story.scale("*", price, worked)


def _wanted(story: Story) -> None:
    """How much is missing to an aim."""
    more = story.amount()
    aim = story.value + more
    if story.kind == "money":
        story.say(
            "{S} wants a bike that costs ${n}.",
            "A new bike costs ${n}.",
            "{S} saves for a game that costs ${n}.",
            n=aim,
        )
        story.ask("How many more dollars does {N} need?", "How much money does {N} still need?")
    else:
        story.say("{S} wants to have {n} {things}.", "{S} needs {n} {things} in all.", n=aim)
        story.ask("How many more {things} does {N} need?", "How many {things} does {N} still need?")
    story.value = story.work(
        aim,
        "-",
        story.value,
        ("{S} needs {eq} more {things}.", "There are {eq} {things} missing.", "Still needed: {eq} {things}."),
    )
    story.expression = f"({aim}-({story.expression}))"


def _difference(story: Story) -> None:
    """How much more or less than another person."""
    has = story.amount() if story.rng.random() < 0.5 else story.number(2, story.value - 2)
    if abs(has - story.value) < 2:
        raise Unfit
    other = story.third.name
    money = story.kind == "money"
    story.say(other + (" has ${n}." if money else " has {n} {things}."), n=has)
    fewer = f"How many {'dollars less' if money else 'fewer ' + story.things} does {{N}} have than {{O}}?"
    if has > story.value:
        story.ask(
            "How many more {things} does " + other + " have than {N}?",
            fewer.format(N=story.hero.name, O=other),
        )
        left, right, who = has, story.value, other
    else:
        story.ask(
            "How many more {things} does {N} have than " + other + "?",
            fewer.format(N=other, O=story.hero.name),
        )
        left, right, who = story.value, has, story.hero.name
    story.expression = f"({story.expression}-{has})" if left != has else f"({has}-({story.expression}))"
    story.value = story.work(left, "-", right, (who + " has {eq} {things} more.", "The difference is {eq} {things}."))


def _remaining(story: Story) -> None:
    """What is left of a way or a book."""
    _whole(story)
    story.ask(f"How many {{things}} are left to {story.verb[:-1]}?", "How many {things} are left?")


def _rest_a_day(story: Story) -> None:
    """What is left of it, on each of so many days."""
    _whole(story)
    days = story.divisor(2, 9 if not story.hard else 20)
    story.value = story.work(story.value, "/", days, ("That is {eq} {things} a day.", "Each day it is {eq} {things}."))
    story.expression = f"{story.expression}/{days}"
    story.say(
        "{S} {verb} the rest in {n} days, the same number each day.",
        "The rest takes {N} {n} days, with the same number of {things} each day.",
        n=days,
    )
    story.ask("How many {things} is that a day?", "How many {things} a day is that?")


def _whole(story: Story) -> None:
    whole = story.value + story.amount()
    what = "The whole way is {n} miles." if story.things == "miles" else "The book has {n} pages."
    story.say(what, n=whole)
    story.value = story.work(whole, "-", story.value, ("Then {eq} {things} are left.", "The rest is {eq} {things}."))
    story.expression = f"({whole}-({story.expression}))"


def _pair(story: Story) -> None:
    """Another person has more, fewer or a multiple; both together are asked for."""
    other = story.third.name
    names = story.rng.choice((f"{story.hero.name} and {other}", f"{other} and {story.hero.name}"))
    together = (
        names + " have {eq} {things}.",
        "Together they have {eq} {things}.",
        "Both together have {eq} {things}.",
    )
    if story.rng.random() < 0.35:
        _multiple(story, other, together)
    else:
        _moved(story, other, together)
    asked = [f"How many {{things}} do {names} have together?", f"How many {{things}} do {names} have in all?"]
    if not any(person.name in text for person in story.rivals if person.name != other for text, _ in story.told):
        asked.append("How many {things} do they have together?")
    story.ask(*asked)


def _multiple(story: Story, other: str, together: tuple[str, ...]) -> None:
    """The other one has n times as much: a product and a sum, or n + 1 equal parts."""
    mine, n = story.value, story.number(2, 6)
    words = "twice" if n == 2 else f"{n} times"
    many = "much money" if story.kind == "money" else "many {things}"
    story.say(f"{other} has {words} as {many} as {{N}}.")
    if story.rng.random() < 0.5:
        theirs = story.work(mine, "*", n, (other + " has {eq} {things}.",))
        story.value = story.work(mine, "+", theirs, together)
    else:
        worked = ("Together they have {eq} parts.", "{N} has 1 part, so both have {eq} parts.")
        story.value = story.work(mine, "*", story.work(n, "+", 1, worked), together)
    story.expression = f"({story.expression}+({story.expression})*{n})"


def _moved(story: Story, other: str, together: tuple[str, ...]) -> None:
    """The other one has n more or fewer: that first, or twice the same first."""
    mine, n = story.value, story.number(2, 40) if not story.hard else story.number(11, 300)
    sign, money = story.rng.choice("+-"), story.kind == "money"
    form = "more" if sign == "+" else "less" if money else "fewer"
    if sign == "-" and mine <= n + 1:
        raise Unfit
    story.say(
        f"{other} has ${{n}} {form} than {{N}}." if money else f"{other} has {{n}} {form} {{things}} than {{N}}.", n=n
    )
    if story.rng.random() < 0.6:
        worked = (other + " has {eq} {things}.", f"{{n}} {form} is {{eq}} {{things}} for {other}.")
        theirs = story.work(mine, sign, n, worked)
        left, right = story.rng.sample((mine, theirs), 2)
        story.value = story.work(left, "+", right, together)
    else:
        double = story.work(mine, "*", 2, ("Twice {v} is {eq}.", "If both had {v}, that would be {eq}."), v=mine)
        story.value = story.work(double, sign, n, together)
    story.expression = f"({story.expression}+({story.expression}{sign}{n}))"


_OWNED = ("things", "money")
_ENDINGS: tuple[tuple[Callable[[Story], None], int, int, tuple[str, ...]], ...] = (  # steps, weight, kinds
    (_plain, 0, 1, (*_OWNED, "stock", "progress")),
    (_shared, 1, 3, (*_OWNED, "stock")),
    (_packs, 1, 2, ("things", "stock")),
    (_bought, 1, 2, ("money",)),
    (_takings, 1, 2, ("things", "stock")),
    (_wanted, 1, 2, _OWNED),
    (_difference, 1, 2, _OWNED),
    (_remaining, 1, 3, ("progress",)),
    (_rest_a_day, 2, 2, ("progress",)),
    (_pair, 2, 1, _OWNED),
)
