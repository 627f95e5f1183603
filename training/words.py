"""Lessons in word problems: chains, bare answers, and the judging, checking and mending of proposed solutions."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from promptkit.worlds.words import Level, Split, WordProblem, draw
from training.lesson import Lesson

EASY = 0.45  # the share of easy problems
LONGEST_SHOWN = 340  # words of few-shot lessons, questions and replies together

_EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")
_NUMBER = re.compile(r"\d+")


def cot(rng: random.Random, split: Split = "train") -> Lesson:
    """A problem worked step by step."""
    problem = _problem(rng, split)
    return _lesson("cot", solution(problem), question=problem.question)


def direct(rng: random.Random, split: Split = "train") -> Lesson:
    """A problem answered at once."""
    problem = _problem(rng, split)
    return _lesson("solve", f"Answer: {problem.answer}", question=problem.question)


def few_shot(rng: random.Random, split: Split = "train") -> Lesson:
    """A problem after 1 to 4 others that are already answered, with or without their steps."""
    worked = rng.random() < 0.7
    asked = [_problem(rng, split, easy=rng.choice([0.9, 0.2])) for _ in range(rng.randint(2, 5))]
    turns = [(p.question, solution(p) if worked else f"Answer: {p.answer}") for p in asked]
    while len(turns) > 2 and sum(len(text.split()) for turn in turns for text in turn) > LONGEST_SHOWN:
        turns.pop()
    *shots, (question, reply) = turns
    shown: tuple[tuple[Mapping[str, object], str], ...] = tuple(({"question": q}, r) for q, r in shots)
    return Lesson("words", "cot" if worked else "solve", {"question": question}, reply, shown)


def sample(rng: random.Random, split: Split = "train") -> Lesson:
    """The step that follows the first few, or the answer after the last."""
    problem = _problem(rng, split)
    done = rng.randint(0, len(problem.steps))
    reply = problem.steps[done] if done < len(problem.steps) else f"Answer: {problem.answer}"
    return _lesson("sample", reply, question=problem.question, state="\n".join(problem.steps[:done]))


def value(rng: random.Random, split: Split = "train") -> Lesson:
    """The first few steps of a draft, checked, and what they are worth."""
    problem = _problem(rng, split)
    lines = draft_of(rng, problem).split("\n")
    state = "\n".join(lines[: rng.randint(1, len(lines))])
    *checked, verdict = check(state).split("\n")
    worth = "sure" if verdict.endswith("right") else "impossible"
    return _lesson("value", "\n".join([*checked, worth]), question=problem.question, state=state)


def answer(rng: random.Random, split: Split = "train") -> Lesson:
    """The answer that finished steps lead to."""
    problem = _problem(rng, split)
    reply = f"Answer: {problem.answer}"
    state = "\n".join([*problem.steps, reply] if rng.random() < 0.5 else problem.steps)
    return _lesson("answer", reply, question=problem.question, state=state)


def judge(rng: random.Random, split: Split = "train") -> Lesson:
    """A proposed answer, right in half of the lessons, and the verdict after the steps and a comparison.

    The comparison is written as in `choose`: the verdict is then a copy of its last word.
    """
    problem = _problem(rng, split)
    right = rng.random() < 0.5
    proposed = problem.answer if right else wrong_answers(rng, problem, 1)[0]
    reply = "\n".join([*problem.steps, f"1: {_compared(problem.answer, proposed)}", "yes" if right else "no"])
    return _lesson("judge", reply, question=problem.question, answer=str(proposed))


def choose(rng: random.Random, split: Split = "train") -> Lesson:
    """Two to four proposed answers, one of them right, each compared after the steps until it is found."""
    problem = _problem(rng, split)
    proposed = [problem.answer, *wrong_answers(rng, problem, rng.randint(1, 3))]
    rng.shuffle(proposed)
    right = proposed.index(problem.answer) + 1
    compared = [f"{at}: {_compared(problem.answer, each)}" for at, each in enumerate(proposed[:right], start=1)]
    reply = "\n".join([*problem.steps, *compared, f"The best choice is {right}."])
    return _lesson("choose", reply, question=problem.question, candidates=[str(each) for each in proposed])


def critique(rng: random.Random, split: Split = "train") -> Lesson:
    """A draft, right in half of the lessons, and the check of its equations."""
    problem = _problem(rng, split)
    draft = draft_of(rng, problem)
    return _lesson("critique", check(draft), question=problem.question, draft=draft)


def refine(rng: random.Random, split: Split = "train") -> Lesson:
    """A draft with its check, and the solution it should have been."""
    problem = _problem(rng, split)
    draft = draft_of(rng, problem, right=0.4)
    return _lesson("refine", solution(problem), question=problem.question, draft=draft, critique=check(draft))


def solution(problem: WordProblem) -> str:
    """The steps, one a line, and the answer."""
    return "\n".join([*problem.steps, f"Answer: {problem.answer}"])


def check(draft: str) -> str:
    """Every equation of a draft computed again on a line of its own, and the verdict on the whole."""
    lines, sound = [], True
    for match in _EQUATION.finditer(draft):
        result = _result(int(match[1]), match[2], int(match[3]))
        right = result == int(match[4])
        sound &= right
        lines.append(f"{match[1]} {match[2]} {match[3]} = {result}, {match[4]} {'right' if right else 'wrong'}")
    return "\n".join([*lines, f"Verdict: {'right' if sound else 'wrong'}"])


def _compared(answer: int, proposed: int) -> str:
    """The two side by side, digit under digit: what is far apart a small model cannot compare."""
    return f"{answer} or {proposed}: {'yes' if answer == proposed else 'no'}"


def draft_of(rng: random.Random, problem: WordProblem, *, right: float = 0.5) -> str:
    """A solution that is right with that probability; otherwise one equation is false and the rest follows from it."""
    if rng.random() < right:
        return solution(problem)
    for at in rng.sample(range(len(problem.steps)), len(problem.steps)):
        for _ in range(8):
            if steps := _falsified(rng, problem.steps, at):
                last = _EQUATION.findall(steps[-1])[-1][3]
                return "\n".join([*steps, f"Answer: {last}"])
    return solution(problem)


def wrong_answers(rng: random.Random, problem: WordProblem, n: int) -> list[int]:
    """Different wrong answers, as slips in the arithmetic or a step left out would give them."""
    found: list[int] = []
    results = [int(equation.rpartition(" ")[2]) for equation in problem.equations[:-1]]
    while len(found) < n:
        if rng.random() < 0.25 and results:
            wrong = rng.choice(results)
        elif rng.random() < 0.5:
            wrong = int(draft_of(rng, problem, right=0).rpartition(" ")[2])
        else:
            wrong = _slip(rng, problem.answer)
        if wrong != problem.answer and wrong not in found:
            found.append(wrong)
    return found


def _problem(rng: random.Random, split: Split, easy: float = EASY) -> WordProblem:
    level: Level = "easy" if rng.random() < easy else "hard"
    return draw(rng, level=level, split=split)


def _lesson(template: str, reply: str, **inputs: object) -> Lesson:
    return Lesson("words", template, inputs, reply)


def _falsified(rng: random.Random, steps: Sequence[str], at: int) -> list[str] | None:
    """The steps with a false result in one and its consequences in those after it; None when they do not work out."""
    became: dict[str, str] = {}
    changed = list(steps)
    for place in range(at, len(steps)):
        text = steps[place]
        match = _EQUATION.search(text)
        assert match is not None
        before, after = (_replaced(part, became) for part in (text[: match.start()], text[match.end() :]))
        left, right = (int(became.get(match[i], match[i])) for i in (1, 3))
        result = _slip(rng, int(match[4])) if place == at else _result(left, match[2], right)
        if result is None or result < 1:
            return None
        if str(result) != match[4]:
            became[match[4]] = str(result)
        changed[place] = f"{before}{left} {match[2]} {right} = {result}{after}"
    return changed


def _replaced(text: str, became: Mapping[str, str]) -> str:
    return _NUMBER.sub(lambda found: became.get(found[0], found[0]), text)


def _slip(rng: random.Random, result: int) -> int:
    """A number that a slip makes of a result: a digit or a carry is off, or two digits changed places."""
    slips = [result + off for off in (-2, -1, 1, 2, -10, 10) if result + off > 0]
    if result > 100:
        slips += [result - 100, result + 100]
    digits = list(str(result))
    if len(digits) > 1:
        place = rng.randrange(len(digits) - 1)
        digits[place], digits[place + 1] = digits[place + 1], digits[place]
        turned = int("".join(digits))
        if turned != result and digits[0] != "0":
            slips.append(turned)
    return rng.choice(slips)


def _result(left: int, sign: str, right: int) -> int | None:
    """What an equation makes; None when it is no whole number."""
    if sign == "/":
        return left // right if right and left % right == 0 else None
    return left + right if sign == "+" else left - right if sign == "-" else left * right
