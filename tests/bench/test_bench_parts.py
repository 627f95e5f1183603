"""Each part of a benchmark on a model whose skill is known: the figures are that skill."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

import promptkit as pk
from promptkit.bench import adaptive, equal, ladder, parts, patterns, reflection, speed, verdicts, words
from promptkit.bench.ladder import Rung
from promptkit.bench.section import Bench, Section, Table
from promptkit.bench.states import alive
from promptkit.journal import Journal
from promptkit.providers.builtin import open_builtin
from promptkit.types import Request
from promptkit.worlds.game24 import Game24, moves, show, solvable

Measure = Callable[[Bench], Awaitable[Section]]
ITEMS = 6
COT = Rung("cot", "cot")


def measure(
    part: Measure,
    script: Callable[[Request], str],
    journal: Journal,
    *,
    seeds: tuple[int, ...] = (0,),
    items: int = ITEMS,
    partly: Callable[[Table, int], None] = lambda table, rows: None,
) -> Section:
    """The section of a part, asked of a scripted model."""
    bench = Bench(pk.Scripted(script, name="known"), journal, items, seeds, partly=partly)
    return asyncio.run(_measured(part, bench))


async def _measured(part: Measure, bench: Bench) -> Section:
    return await part(bench)


def column(table: Table, name: str) -> dict[str, object]:
    """The cells of a column, by what their rows begin with."""
    return {str(row[0]): row[table.columns.index(name)] for row in table.rows}


def note(section: Section, beginning: str) -> str:
    """The one note that begins so."""
    (found,) = [text for text in section.notes if text.startswith(beginning)]
    return found


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of equal tokens are sought among few: what a vote of hundreds gets is not in question here."""
    monkeypatch.setattr(equal, "MOST", 24)
    monkeypatch.setattr(ladder, "CURVE", (1, 5))
    monkeypatch.setattr(words, "RUNGS", (Rung("direct", "direct"), COT))
    monkeypatch.setattr(words, "BUDGET", COT)


# words --------------------------------------------------------------------------------------------------------

TRUTH = {p.question: p.answer for level in words.LEVELS for p in words.problems(level, ITEMS)}
TRUTH |= {p.question: p.answer for p in words.problems("middle", ITEMS, "validation")}


def reasoner(request: Request) -> str:
    """Right when it may think; above temperature 0 in three draws of five."""
    asked = request.messages[-1].text
    answer = TRUTH[asked.split("\n")[0]]
    if "step by step" not in asked:
        return "Answer: 1"
    slips = bool(request.temperature) and request.index % 5 > 2
    return f"So it is {answer}.\nAnswer: {answer + request.index if slips else answer}"


def test_words_tells_what_reasoning_and_voting_are_worth(journal: Journal) -> None:
    section = measure(words.measure, reasoner, journal, seeds=(0, 1))
    plain = {"direct": 0.0, "cot": 1.0, "cot at T = 0.7, one sample": pytest.approx(0.6), "sc n=10": 1.0}
    easy, middle, hard = (column(table, "right %") for table in section.tables[:3])
    assert easy == hard == plain
    assert middle == plain | {f"few-shot chains, {n} shown": 1.0 for n in (1, 2, 4)}
    assert column(section.tables[3], "right %") == {"direct": 0.0, "cot": 1.0}
    assert str(section.tables[3].rows[0][-1]).startswith("-100.0 (")
    assert "+100.0 points" in note(section, "Hard, cot − direct")
    assert "+40.0 points" in note(section, "Easy, sc n=10 − one sampled chain")
    assert "+0.0 points" in note(section, "Middle, few-shot chains, 4 shown")
    assert f"on {ITEMS} validation problems" in note(section, "Ladder")


@pytest.mark.parametrize(("items", "warned"), [(9, True), (10, False)])
def test_few_questions_are_said_to_tell_little(items: int, warned: bool, journal: Journal) -> None:
    section = measure(partial(parts.measure, "patterns"), lambda _: "?", journal, items=items)
    assert section.notes[0].startswith("9 questions, fewer than 10: intervals are wide") is warned


@pytest.mark.parametrize("part", [words, adaptive, patterns], ids=lambda part: part.__name__)
def test_rows_are_told_as_they_are_measured(part: Any, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptive, "ALL", 12)
    told: dict[str, list[int]] = {}

    def take(table: Table, rows: int) -> None:
        told.setdefault(f"{table.title} of {rows}", []).append(len(table.rows))

    section = measure(part.measure, lambda _: "Answer: 1", journal, items=1, partly=take)
    whole = {f"{table.title} of {len(table.rows)}": len(table.rows) for table in section.tables}
    assert told
    assert all(grown == list(range(1, whole[title] + 1)) for title, grown in told.items())


# patterns -----------------------------------------------------------------------------------------------------


def test_patterns_tells_what_each_example_is_worth(journal: Journal) -> None:
    answers = {pattern.question: pattern.answer for pattern in patterns.patterns(ITEMS)}

    def learner(request: Request) -> str:
        question = request.messages[-1].text.split("\n")[0].removeprefix("Input: ")
        return answers[question] if len(request.messages) >= 2 * 4 + 1 else "?"

    section = measure(patterns.measure, learner, journal)
    assert list(column(section.tables[0], "right %").values()) == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert sum(row[1] for row in section.tables[1].rows if isinstance(row[1], int)) == ITEMS
    assert set(column(section.tables[1], "8 shown %").values()) == {1.0}
    assert "+100.0 points" in note(section, "8 examples − 0")
    assert section.notes[-1] == "No step is significantly down."


def test_a_choice_of_examples_is_set_against_chance(journal: Journal) -> None:
    """A model that is right where half of the shown examples are of the question's own rule."""
    drawn = {pattern.question: pattern for pattern in patterns.patterns(ITEMS)}

    def reader(request: Request) -> str:
        *shown, question = (turn.text.split("\n")[0].removeprefix("Input: ") for turn in request.messages[::2])
        own = [asked for asked, _ in drawn[question].examples]
        return drawn[question].answer if sum(each in own for each in shown) * 2 >= len(shown) > 0 else "?"

    section = measure(patterns.measure, reader, journal)
    table = section.tables[2]
    right = column(table, "right %")
    assert list(right) == list(patterns.CHOICES)
    assert isinstance(best := right["similar"], float)
    assert isinstance(chance := right["random"], float)
    assert best > chance
    assert f"{100 * (best - chance):+.1f} points" in note(section, "similar − random")


def test_a_step_that_takes_away_is_named(journal: Journal) -> None:
    answers = {pattern.question: pattern.answer for pattern in patterns.patterns(ITEMS)}

    def crowded(request: Request) -> str:
        question = request.messages[-1].text.split("\n")[0].removeprefix("Input: ")
        return answers[question] if len(request.messages) == 3 else "?"

    section = measure(patterns.measure, crowded, journal)
    assert section.notes[-1] == "Significantly down: 2 examples − 1."


# verdicts -----------------------------------------------------------------------------------------------------


def judge(request: Request) -> str:
    """Right about every state and every choice; says yes to all answers."""
    asked = request.messages[-1].text
    if found := re.search(r"can reach 24.*\nInput: (.*)", asked):
        return "sure" if alive(tuple(map(int, found[1].split()))) else "impossible"
    question, *candidates = asked.split("\n")
    if "Proposed answer" in asked:
        return "yes"
    (number,) = [line.split(":")[0] for line in candidates if line.endswith(f": {TRUTH[question]}")]
    return f"The best choice is {number}."


def test_verdicts_parts_the_states_and_counts_what_is_right(journal: Journal) -> None:
    states, answers = measure(verdicts.measure, judge, journal).tables
    for name in ("AUC", "right %", "right of solvable %", "right of dead %"):
        assert set(column(states, name).values()) == {1.0}
    assert list(column(answers, "right %").values()) == [0.5, 0.5, 1.0, 1.0]
    assert column(answers, "chance %")["choose, easy"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert set(column(answers, "unreadable").values()) == {0}


def test_verdicts_that_cannot_be_read_are_counted_and_wrong(journal: Journal) -> None:
    states, answers = measure(verdicts.measure, lambda _: "I would not know.", journal).tables
    assert column(states, "unreadable")["1 to 13"] == 3 * 2 * ITEMS
    assert column(states, "AUC")["1 to 13"] == 0.5
    assert {*column(states, "right %").values(), *column(answers, "right %").values()} == {0.0}
    assert set(column(answers, "asked again %").values()) == {1.0}


# reflection ---------------------------------------------------------------------------------------------------


def solved(puzzle: str) -> str:
    """A chain for the puzzle that ends in a right expression."""
    world = Game24()
    state = world.start(puzzle)
    while not world.goal(state):
        state = next(
            after
            for move in moves(tuple(sorted(map(Fraction, world.show(state).split()))))
            if (after := world.step(state, f"{show(move.left)} {move.sign} {show(move.right)} = {show(move.result)}"))
            and solvable(tuple(sorted(map(Fraction, world.show(after).split()))))
        )
    return f"Steps:\nAnswer: {world.assemble(state)} = 24"


def thinker(mends: bool) -> Callable[[Request], str]:
    """Chains right in every other draw, the last wrong; critiques always right; mends all drafts, or spoils all."""

    def script(request: Request) -> str:
        asked = request.messages[-1].text
        found = re.search(r"Input: (.*)", asked)
        assert found
        right, wrong = solved(found[1]), f"Steps:\nAnswer: {' - '.join(found[1].split())} = 24"
        if "step by step" in asked:
            return right if request.index % 2 == 0 else wrong
        if "Correct the steps" in asked:
            return right if mends else "I give up"
        return f"Verdict: {'right' if right in asked else 'wrong'}"

    return script


def test_reflection_counts_repairs(journal: Journal) -> None:
    section = measure(reflection.measure, thinker(mends=True), journal)
    fate, critique = section.tables
    assert column(fate, "repaired") == {"critique, then refine": ITEMS, "another chain instead": 0}
    assert column(fate, "broken") == {"critique, then refine": 0, "another chain instead": ITEMS}
    assert set(column(critique, "right %").values()) == {1.0}
    assert "6 − 0 = +6 of 12 drafts" in note(section, "Critique, then refine")
    assert "p = 0.031" in note(section, "Critique, then refine")


def test_reflection_counts_breaks(journal: Journal) -> None:
    fate, _ = measure(reflection.measure, thinker(mends=False), journal).tables
    assert column(fate, "broken %")["critique, then refine"] == 1.0
    assert column(fate, "no answer")["critique, then refine"] == 2 * ITEMS


# speed --------------------------------------------------------------------------------------------------------


def test_speed_says_when_texts_do_not_come_again(journal: Journal) -> None:
    said = iter(range(10_000))
    section = measure(speed.measure, lambda _: str(next(said)), journal)
    assert column(section.tables[1], "equal") == {"in this process, backwards": "no"}
    assert list(column(section.tables[0], "median")) == ["a tot b=5 answer, seconds"]


@pytest.mark.parametrize("part", [words, patterns, verdicts, reflection, speed], ids=lambda part: part.__name__)
def test_every_part_can_be_measured_on_the_model_in_the_package(
    part: object, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "LOADS", 1)
    monkeypatch.setattr(speed, "SEARCHES", 1)
    monkeypatch.setattr(speed, "OF_EACH", 2)  # one greedy, one sampled; in the fresh process as well
    monkeypatch.setattr(speed, "_TEXTS", f"import promptkit.bench.speed as speed\nspeed.OF_EACH = 2\n{speed._TEXTS}")
    monkeypatch.setattr(reflection, "AT_A_TIME", 4)

    async def measured() -> Section:
        model = open_builtin("", {})
        try:
            return await part.measure(Bench(model, journal, 2))  # type: ignore[attr-defined, no-any-return]
        finally:
            await model.aclose()

    section = asyncio.run(measured())
    for table in section.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    if part is speed:
        assert set(column(section.tables[1], "equal").values()) == {"yes"}
