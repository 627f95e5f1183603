"""How good the model is as a judge: of states of the Game of 24, and of answers to word problems."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from promptkit import prompts
from promptkit.algorithms.stats.paired import auc, auc_interval
from promptkit.bench import words
from promptkit.bench.draws import Verdicts
from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.bench.shares import RIGHT, share
from promptkit.bench.states import State, held_out
from promptkit.decisions import Decision
from promptkit.types import Outcome
from promptkit.worlds.game24_whole import Numbers
from promptkit.worlds.words import Level, WordProblem

VALUES = 3  # verdicts on a state, as the pack's tree search asks for them
TEMPERATURE = 0.7
HOPEFUL = ("sure", "likely")  # what the words say of a state that can still make 24
POOLS = (13, 20)  # highest number of the puzzles the states come from; 20 is the highest in training
LEVELS: tuple[Level, ...] = ("middle", "easy")


async def measure(bench: Bench) -> Section:
    """Whether the `value` verdicts part solvable from dead states; how often `judge` and `choose` are right."""
    valued = await _valued(bench, sampled(bench.items))
    columns = (
        "puzzles of",
        "states",
        "AUC",
        "AUC low",
        "AUC high",
        *RIGHT,
        "right of solvable %",
        "right of dead %",
        "asked again %",
        "unreadable",
    )
    pools = {highest: [each for each in valued if each[0].puzzle[-1] <= highest] for highest in POOLS}
    # A pool that adds no state to the one before has no row.
    rows = [_parted(highest, each) for highest, each in pools.items() if highest == POOLS[0] or each != pools[POOLS[0]]]
    judged = [await _judged(bench, words.problems(level, bench.items), level) for level in LEVELS]
    chosen = [await _chosen(bench, words.problems(level, bench.items), level) for level in LEVELS]
    return Section(
        "verdicts",
        "The model as a judge",
        (
            Table("Game of 24, `value` on states held out from training", columns, tuple(rows)),
            Table(
                "Word problems, on proposed answers",
                ("verdict", "problems", *RIGHT, "chance %", "asked again %", "unreadable"),
                (*judged, *chosen),
            ),
        ),
        (
            "The states: three numbers that one move in whole numbers, up to 300, leaves of four, and that occur "
            "nowhere in training. Half of them can make 24 in whole numbers, half cannot. Puzzles of "
            f"1 to {POOLS[0]} leave few solvable ones, so those that only puzzles of up to {POOLS[1]} leave follow.",
            f"`value` is asked {VALUES} times at T = {TEMPERATURE}, as the tree search does; AUC is that of the summed "
            "scores, its 95 % interval by bootstrap within both kinds. The verdict on a state is the majority of the "
            f"three, where {' and '.join(HOPEFUL)} say solvable; no majority is wrong.",
            "`judge` (half of the proposed answers are right) and `choose` (2 to 4 proposed answers, one of them "
            "right) are greedy; a wrong answer is a result on the way, a slip of 1, 2, 10 or 100, or has two digits "
            "swapped. 95 % Wilson intervals.",
            "A verdict that cannot be read is asked for again, held to its words; then it may be unreadable.",
        ),
    )


# states of the Game of 24 -------------------------------------------------------------------------------------


def sampled(n: int) -> list[State]:
    """Up to n solvable held-out states, those of lower puzzles first, and as many dead ones; always the same."""
    rng, picked, known = random.Random("states"), list[State](), set[Numbers]()
    for highest in POOLS:
        fresh = [each for each in held_out(highest) if each.numbers not in known]
        known.update(each.numbers for each in fresh)
        rng.shuffle(fresh)
        kinds = [[each for each in fresh if each.alive is kind] for kind in (True, False)]
        size = min(n - len(picked) // 2, *map(len, kinds))
        picked += [each for kind in kinds for each in kind[:size]]
    return picked


async def _valued(bench: Bench, states: Sequence[State]) -> list[tuple[State, Sequence[Decision]]]:
    outcomes = await bench.solve(
        Verdicts(template="value", n=VALUES, temperature=TEMPERATURE),
        # The run's question is the puzzle, which the pack's rules ask for; the template shows the state alone.
        [" ".join(map(str, state.puzzle)) for state in states],
        pack="game24",
        seed=bench.seeds[0],
        each=[{"vars": {"state": " ".join(map(str, state.numbers))}} for state in states],
    )
    bench.say(f"verdicts: {VALUES} on each of {len(states)} states")
    return [(state, one.detail["decisions"]) for state, one in zip(states, outcomes, strict=True)]


def _parted(highest: int, valued: Sequence[tuple[State, Sequence[Decision]]]) -> tuple[Cell, ...]:
    """The row of one pool."""
    scores = prompts.find("game24", "value").scores
    summed: dict[bool, list[float]] = {True: [], False: []}
    right: dict[bool, list[float]] = {True: [], False: []}
    for state, decisions in valued:
        summed[state.alive].append(sum(scores[each.verdict] for each in decisions if each.verdict))
        said = Counter(each.verdict in HOPEFUL for each in decisions if each.verdict)
        right[state.alive].append(float(said[state.alive] > said[not state.alive]))
    return (
        f"1 to {highest}",
        len(valued),
        auc(summed[True], summed[False]),
        *auc_interval(summed[True], summed[False]),
        *share([*right[True], *right[False]]),
        *(fmean(right[kind]) if right[kind] else None for kind in (True, False)),
        *_unread([each for _, decisions in valued for each in decisions]),
    )


# answers to word problems -------------------------------------------------------------------------------------


async def _judged(bench: Bench, problems: Sequence[WordProblem], level: Level) -> tuple[Cell, ...]:
    """A proposed answer each, right for every other problem."""
    rng = random.Random(f"judge {level}")
    truth = [at % 2 == 0 for at in range(len(problems))]
    proposed = [
        problem.answer if right else near_misses(rng, problem, 1)[0]
        for problem, right in zip(problems, truth, strict=True)
    ]
    given = [{"vars": {"answer": str(answer)}} for answer in proposed]
    outcomes = await bench.solve(
        Verdicts(template="judge", temperature=0.0), [p.question for p in problems], pack=words.PACK, each=given
    )
    right = [float(o.answer == ("yes" if true else "no")) for o, true in zip(outcomes, truth, strict=True)]
    return _row(bench, f"judge, {level}", right, 1 / 2, outcomes)


async def _chosen(bench: Bench, problems: Sequence[WordProblem], level: Level) -> tuple[Cell, ...]:
    """Two to four proposed answers, one of them right."""
    rng = random.Random(f"choose {level}")
    candidates = [[p.answer, *near_misses(rng, p, 1 + at % 3)] for at, p in enumerate(problems)]
    for each in candidates:
        rng.shuffle(each)
    given = [{"vars": {"candidates": "\n".join(map(str, each))}} for each in candidates]
    outcomes = await bench.solve(
        Verdicts(template="choose", temperature=0.0), [p.question for p in problems], pack=words.PACK, each=given
    )
    truth = [str(each.index(p.answer) + 1) for each, p in zip(candidates, problems, strict=True)]
    right = [float(o.answer == number) for o, number in zip(outcomes, truth, strict=True)]
    return _row(bench, f"choose, {level}", right, fmean(1 / len(each) for each in candidates), outcomes)


def near_misses(rng: random.Random, problem: WordProblem, n: int) -> list[int]:
    """n different wrong answers that somebody who nearly solved it could give."""
    right = problem.answer
    wrong = {right + sign * slip for sign in (1, -1) for slip in (1, 2, 10, 100)}
    wrong |= {int(equation.rpartition(" ")[2]) for equation in problem.equations}
    digits = str(right)
    wrong |= {int(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]) for at in range(len(digits) - 1)}
    return rng.sample(sorted(each for each in wrong if each > 0 and each != right), n)


def _row(
    bench: Bench, name: str, right: Sequence[float], chance: float, outcomes: Sequence[Outcome]
) -> tuple[Cell, ...]:
    bench.say(f"verdicts: {name}, {len(right)} problems: {fmean(right):.0%} right")
    return (
        name,
        len(right),
        *share(right),
        chance,
        *_unread([each for o in outcomes for each in o.detail["decisions"]]),
    )


def _unread(decisions: Sequence[Decision]) -> tuple[float | None, int]:
    """The share of verdicts that the judgement itself did not end in, and how many could not be read at all."""
    if not decisions:
        return None, 0
    return fmean(each.how != "read" for each in decisions), sum(each.verdict is None for each in decisions)
