"""What tells whether an attempt failed, as declared: tests, a judge, the pack's rules, or a gold answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from promptkit import prompts
from promptkit.decisions import decide_all
from promptkit.exchange import put, verified, world_of
from promptkit.executing import execute
from promptkit.fenced import blocks
from promptkit.reflecting.grades import YES_OR_NO
from promptkit.reflecting.votes import key_of
from promptkit.sampling import LOSING
from promptkit.searching.hearing import Hearing
from promptkit.types import Model, Outcome, Problem

Name = Literal["tests", "judge", "world", "oracle"]

TOLD = 2000  # last characters of what the tests wrote that a reflection is shown
# A program that leaves before its tests are through has not passed them; unittest.main() leaves after them.
_RUNNER = """
import os, runpy, sys, traceback
sys.path.insert(0, os.getcwd())
try:
    import solution
except SystemExit:
    raise SystemExit("solution.py ends the program when it is imported") from None
try:
    runpy.run_path("tests.py", run_name="__main__")
except SystemExit as left:
    if left.code:
        raise
    if any(frame.filename.endswith("solution.py") for frame in traceback.extract_tb(left.__traceback__)):
        raise SystemExit("solution.py ends the program in the middle of the tests") from None
print("\\n{done}")
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether an attempt passed, None where nothing could tell, and what may be said about it."""

    passed: bool | None
    told: str = ""


def code_of(text: str) -> str:
    """The last fenced block of a reply; all of it where there is none."""
    found = blocks(text)
    return (found[-1].text if found else text).strip("\n")


async def tested(code: str, tests: str) -> Judged:
    """Whether Python tests came to their end on `solution.py`, in the sandbox; SandboxMissing where there is none."""
    done = hashlib.sha256(f"{tests}\0{code}".encode("utf-8", "surrogatepass")).hexdigest()
    ran = await execute(_RUNNER.format(done=done), files={"solution.py": code, "tests.py": tests})
    said, _, end = ran.stdout.rstrip("\n").rpartition("\n")
    if ran.ok and end == done:
        return Judged(True)
    how = f"the tests ended by {ran.ended}" if ran.ended != "exit" else "the tests failed"
    said = f"{said if end == done else ran.stdout}\n{ran.stderr}".strip()[-TOLD:]
    return Judged(False, f"{how}:\n{said}" if said else how)


async def judged(
    problem: Problem, model: Model, attempts: Sequence[Outcome], hearing: Hearing, *, where: str
) -> list[Judged]:
    """The model's own verdicts by the pack's template `judge`, in one round; unreadable, or the call lost: None."""
    template = prompts.pack(problem.pack).template("judge")
    asked = [{"answer": each.answer, "reply": each.text.strip()} for each in attempts]
    requests = [put(problem, template, inputs).at(index) for index, inputs in enumerate(asked)]
    scores = dict(template.scores) or YES_OR_NO
    try:
        decisions = await decide_all(model, requests, tuple(scores), where=where, pack=problem.pack)
    except LOSING as error:
        hearing.failed += len(attempts)
        return [Judged(None, str(error))] * len(attempts)
    for each in decisions:
        hearing.decided(each)
    return [
        Judged(
            scores[each.verdict] == max(scores.values()) if each.verdict else None,
            f"A reviewer judged it wrong:\n{each.judgement.strip()}",
        )
        for each in decisions
    ]


def ruled(attempt: Outcome) -> Judged:
    """What the pack's rules said when the answer was read."""
    return Judged(attempt.verified, "A program that knows the rules found the answer wrong.")


def matched(problem: Problem, attempt: Outcome, gold: str) -> Judged:
    """Whether the answer is the gold one, or right by the pack's rules; a reflection is told no more than that."""
    right = verified(world_of(prompts.pack(problem.pack), problem), problem, attempt.answer)
    same = attempt.answer is not None and key_of(problem, attempt.answer) == key_of(problem, gold)
    return Judged(same if right is None else right, "The answer was wrong.")
