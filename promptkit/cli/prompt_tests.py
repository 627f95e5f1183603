"""`promptkit prompts test`: templates put to a model, and their replies held against what is expected."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.speak import clean, err, out, out_json
from promptkit.cli.tables import columns
from promptkit.errors import BadInput, OutputInvalid

if TYPE_CHECKING:
    from promptkit.prompts import Case, Prompt


def try_out(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID…]",
            help="Packs, or pack/template; none: all that have tests.",
            autocompletion=complete.templates,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m", "--model", metavar="MODEL", help="Put every case to this model.", autocompletion=complete.models
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the runs.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Draw new replies.")] = False,
    journal: Annotated[
        str | None, typer.Option("--journal", metavar="PATH", help="Where calls are kept; memory keeps nothing.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Run the tests of templates: NAME.tests.yaml beside each; exit 6 if one fails.

    Each case is a run of its own, recorded in the journal: a second time it costs nothing.
    """
    from promptkit import prompts as shelf

    chosen = _chosen(names or [])
    tests = [(prompt, case) for prompt in chosen for case in shelf.cases_of(prompt)]
    if not tests:
        where = f"{chosen[0].name}.tests.yaml" if len(chosen) == 1 else "NAME.tests.yaml"
        raise BadInput("no tests here", hint=f"write {where} beside the template: docs/prompts.md")
    found = []
    for prompt, case in tests:
        found.append(_tried(prompt, case, model=model, seed=seed, fresh=fresh, journal=journal))
    passed = sum(not each.missed for each in found)
    if as_json:
        body = {"passed": passed, "total": len(found), "cases": [each.as_json() for each in found]}
        out_json({"schema": "promptkit.prompt-tests/1", **body})
    else:
        columns(("", "template", "case", "model", "reply"), [each.row() for each in found])
        for each in found:
            wanted = "expected " if each.read else ""
            for what in each.missed:
                err(clean(f"{each.case.where}: {each.prompt.id} {each.case.name}: {wanted}{what}"))
        out(f"{passed}/{len(found)} pass")
    return Exit.DONE if passed == len(found) else Exit.GATE


@dataclass(frozen=True, slots=True)
class _Tried:
    """A case and what came of it."""

    prompt: Prompt
    case: Case
    model: str
    run: str
    answer: str | None
    missed: list[str] = field(default_factory=list)
    read: bool = True  # whether there was a reply that could be held against what is expected

    def row(self) -> tuple[str, ...]:
        """A line for people."""
        said = "fail" if self.missed else "pass"
        return said, self.prompt.id, self.case.name, self.model, clean(self.answer or "")[:60]

    def as_json(self) -> dict[str, Any]:
        """A case as data."""
        about: dict[str, Any] = {"prompt": self.prompt.id, "digest": self.prompt.digest, "case": self.case.name}
        about |= {"where": self.case.where, "model": self.model, "run": self.run or None, "answer": self.answer}
        return about | {"passed": not self.missed, "missed": self.missed}


def _chosen(names: list[str]) -> list[Prompt]:
    from promptkit import prompts as shelf

    if not names:
        return shelf.everything()
    found: list[Prompt] = []
    for name in names:
        pack, slash, template = name.partition("/")
        own = shelf.pack(pack)
        found += [shelf.find(own.name, template)] if slash else [p for p in shelf.everything() if p.pack == own.name]
    return found


def _tried(
    prompt: Prompt, case: Case, *, model: str | None, seed: int, fresh: bool, journal: str | Path | None
) -> _Tried:
    from promptkit import api
    from promptkit import prompts as shelf
    from promptkit.prompting.trial import READ, Trial, missed, reader_for

    given = dict(case.inputs)
    # A pack with rules takes no other question than one of its own.
    question = str(given.pop("question", "")).strip() or shelf.pack(prompt.pack).example or prompt.id
    read = any(name in case.expect for name in READ)
    plan = api.plan(
        Trial(template=prompt.name, inputs=given, read=read),
        question,
        model=model or _scripted(case) or case.model,
        pack=prompt.pack,
        reader=reader_for(prompt) if read else None,
        seed=seed,
        fresh=fresh,
        journal=journal,
    )
    from promptkit import sync
    from promptkit.runtime.run import execute

    try:
        outcome = sync.run(execute(plan))
    except OutputInvalid as error:
        return _Tried(prompt, case, plan.provider.id, error.run, None, [error.message], read=False)
    if "reason" in outcome.detail:  # the model was not made for such a template, and was asked nothing
        return _Tried(prompt, case, plan.provider.id, outcome.run, None, [str(outcome.detail["reason"])], read=False)
    wrong = missed(prompt, plan.problem, case.expect, outcome)
    return _Tried(prompt, case, plan.provider.id, outcome.run, outcome.answer, wrong)


def _scripted(case: Case) -> Any:
    """A model that says what the case has it say."""
    if not case.replies:
        return None
    import hashlib

    from promptkit.providers.scripted import Scripted

    name = hashlib.sha256("\0".join(case.replies).encode()).hexdigest()[:8]
    return Scripted(lambda request: case.replies[min(request.index, len(case.replies) - 1)], name=name)
