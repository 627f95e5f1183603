"""Program of thoughts: the model writes a Python program, and running it gives the answer
(PoT, arXiv:2211.12588; PAL, arXiv:2211.10435).

Calculating is left to what cannot miscalculate. The program runs in the sandbox (docs/sandbox.md), never in this
process, and not at all where no sandbox holds, unless `unsafe_host` was typed. The answer is what `solution()` returns
(PAL), what `ans` holds (PoT), or what was printed last. A program that fails, or says nothing, is shown to the model
once with its error. What held while it ran is in the outcome's detail, and with it in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from promptkit import prompts
from promptkit.announced import About, Forecast
from promptkit.errors import BadInput
from promptkit.events import Best, Stopped, emit
from promptkit.exchange import WHOLE, Answer, put, read, reader_of, stated, verified, world_of
from promptkit.executing import execute, sandboxed
from promptkit.outputs import Form
from promptkit.prompting.programs import program_in, with_answer
from promptkit.sampling import ask
from promptkit.sandbox import Limits, Ran
from promptkit.types import Completion, Model, Outcome, Problem, message, plain

SHOWN = 2_000  # characters of an error that the model is shown: its end says what happened


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramOfThought:
    """Write a program that works out the answer, run it in the sandbox, and answer what it returns or prints."""

    about: ClassVar[About] = About(
        calls="1, or 2 where the first program gives no answer",
        helps="arithmetic, finance, dates, counting, tables: the paper finds it ahead of chain of thought on "
        "all its data sets (arXiv:2211.12588)",
        fails="questions of common sense or of reading, where there is nothing to calculate; wrong programs run well",
    )

    seconds: float = 10.0  # the longest a program may run
    unsafe_host: bool = False  # run programs on this machine as it is, without a sandbox
    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise BadInput(f"--seconds must be above 0, not {self.seconds:g}", hint="e.g. --seconds 10")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer that the program gives; undecided when two programs give none."""
        await sandboxed(unsafe_host=self.unsafe_host)  # or refused before anything is paid for
        pack = prompts.pack(problem.pack)
        template = pack.template("program")
        reader, world = reader_of(problem, pack, template), world_of(pack, problem)
        decoding = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        request = put(problem, template, {"schema": problem.output_schema or ""}, **decoding)
        detail: dict[str, Any] = {}
        for attempt in range(2):
            got = await ask(model, request, where="program-again" if attempt else "program")
            program, ran = program_in(got), None
            if program is not None:
                ran = await self._run(program)
            answer, fault = _heard(got, ran, reader, attempt)
            detail = {"attempts": attempt + 1, "program": program, "fault": fault, **_certified(ran)}
            if answer is not None:
                right = verified(world, problem, answer.shown)
                emit(Best(answer.shown, text=got.text, verified=bool(right)))
                return Outcome(answer=answer.shown, text=got.text, detail={**detail, "verified": right})
            emit(Stopped(f"the program gave no answer: {fault.rpartition(chr(10))[2]}"))
            turns = (message("assistant", got.text.strip() or "…"), *pack.template("program-mend").render(fault=fault))
            request = replace(request, messages=request.messages + turns)
        return Outcome(answer=None, text=got.text, status="undecided", detail=detail)

    async def _run(self, program: str) -> Ran:
        """What became of the program, in a folder of its own that is gone afterwards."""
        limits, env = Limits(seconds=self.seconds), {"PYTHONHASHSEED": "0"}  # sets come in the same order every time
        words = ["python", "-s", "-B", "-X", "utf8", "program.py"]
        files = {"program.py": with_answer(program)}
        return await execute(words, files=files, limits=limits, env=env, unsafe_host=self.unsafe_host)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return Forecast(1, None, 2)


def _heard(got: Completion, ran: Ran | None, reader: str, attempt: int) -> tuple[Answer | None, str]:
    """The answer that a program gave, or why there is none, as the model is told it."""
    if ran is None:
        return None, "the reply was cut off" if got.finish == "length" else "the reply has no block of Python code"
    if not ran.ok:
        error = ran.stderr.strip()[-SHOWN:]
        return None, error if ran.ended == "exit" and error else f"it was ended ({ran.ended}, status {ran.status})"
    lines = ran.stdout.strip().splitlines()
    if not lines:
        return None, "it returned nothing and printed nothing"
    output = "\n".join(lines) if isinstance(reader, Form) or reader == WHOLE else lines[-1].strip()
    answer = read(reader, replace(got, text=stated(reader, output), reasoning=None), attempt)
    shown = output if len(output) <= SHOWN else f"{output[:SHOWN]}…"
    return answer, "" if answer else f"no answer can be read from its output: {shown}"


def _certified(ran: Ran | None) -> dict[str, Any]:
    """What held while it ran; nothing ran where there was no program."""
    return {"sandbox": str(ran.certificate), "certificate": plain(ran.certificate)} if ran else {"sandbox": None}
