"""A recipe made ready to run: everything is named, opened and checked, and nothing has been asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from promptkit import announced, api, composition, exchange, prompts, sync
from promptkit.errors import BadInput, CapabilityMissing, UsageError
from promptkit.journal import Journal
from promptkit.optimizing import origin
from promptkit.optimizing.optimization import TRIES, Optimization
from promptkit.optimizing.questions import parts
from promptkit.optimizing.recipe import Recipe, find, read
from promptkit.optimizing.rewording import with_examples
from promptkit.runtime.fallback import Chain
from promptkit.runtime.plan import Plan
from promptkit.runtime.run import execute
from promptkit.settings import default_model
from promptkit.types import Outcome, Problem, Provider


def plan(recipe: Recipe, *, kept: bool = True, **how: Any) -> Plan:
    """The optimisation as a run, in a journal that is `kept` or not; BadInput says where the recipe cannot be meant."""
    model = how.pop("model", None) or recipe.model
    what = optimization(recipe, model, how.get("journal"))
    how |= {} if kept else {"journal": "memory"}
    question = f"optimize {recipe.prompt}, as {composition.spelled(cast(Any, what.of))} asks with it"
    made = api.plan(what, question, model=model, seed=recipe.seed, **how)
    _refuse_misfit(recipe, made.provider)
    _refuse_poor(recipe, what, made.problem)
    return replace(made, name="optimize")


def optimization(recipe: Recipe, model: Any = None, journal: str | Path | Journal | None = None) -> Optimization:
    """What the recipe asks for, its questions drawn and its template read.

    Where this recipe has written the template in force, that is the one which the template was made from.
    """
    pack, _, name = recipe.prompt.partition("/")
    own, of = None, None
    try:
        own = prompts.pack(pack).template(name)
        of = composition.inner(recipe.strategy)
    except UsageError as error:
        raise recipe.wrong("strategy" if own else "prompt", error.message, error.hint) from error
    worked = TRIES * recipe.shown * recipe.sets
    data = recipe.data
    seed = recipe.seed if data.seed is None else data.seed
    try:
        found = parts(data.use, data.split, data.level, seed, (worked, recipe.train, recipe.held_out))
    except BadInput as error:
        raise recipe.wrong("data", error.message, error.hint) from error
    if recipe.shown and found.train[0].examples:
        raise recipe.wrong("candidates", f"{data.use} brings examples of its own to each question", "examples: 0")
    what = Optimization(
        pack=pack,
        prompt=name,
        text=own.files[0][1],
        of=of,
        instructions=recipe.instructions,
        propose=recipe.propose,
        shown=recipe.shown,
        sets=recipe.sets,
        worked=found.worked,
        train=found.train,
        held_out=found.held_out,
        calls=recipe.calls,
        tokens=recipe.tokens,
    )
    asks = model or recipe.model or default_model()
    named = origin.identity(what, seed=recipe.seed, model=str(getattr(asks, "id", asks)))
    parent = origin.parent_of(own, named, lambda: api.open_journal(journal))
    what = replace(what, recipe=named, text=what.text if parent is None else parent)
    try:
        base, made = what.candidates()
        if all(each.digest == base.digest for each in made) and not recipe.propose and not recipe.shown:
            raise BadInput("every instruction is the template's own", hint="another text, or examples: 2")
        if recipe.shown:
            with_examples(base, [("a question", "a reply")])
        exchange.check(Problem(text=found.train[0].question, pack=pack))
        what.each(Problem(text=found.train[0].question))
    except UsageError as error:
        raise recipe.wrong("candidates", error.message, error.hint) from error
    return what


def _refuse_misfit(recipe: Recipe, provider: Provider) -> None:
    """What this model cannot be asked."""
    if isinstance(provider, Chain):
        raise BadInput("a prompt is optimised for one model, not for a list of them", hint="-m builtin")
    packs = provider.capabilities.packs
    pack = recipe.prompt.partition("/")[0]
    if packs is not None and pack not in packs:
        known = ", ".join(packs)
        raise CapabilityMissing(f"{provider.id} is a tiny model that only knows {known}", hint="-m ollama:qwen3:8b")
    if packs is not None and recipe.propose:
        told = f"{provider.id} is a tiny model that writes no instructions"
        raise CapabilityMissing(told, hint="instructions: [a text, …], or another model: -m ollama:qwen3:8b")


def _refuse_poor(recipe: Recipe, what: Optimization, problem: Problem) -> None:
    """BadInput where the budget could not even pay for the first look and the held-out questions."""
    needed = what.needed(problem)
    if what.calls is not None and what.calls < needed:
        about = announced.forecast(replace(what, calls=None), problem).expected or needed
        told = f"a budget of {what.calls} calls is too small: a first look and the held-out questions take {needed:.0f}"
        raise recipe.wrong("budget", told, f"calls: {max(about, needed):.0f}")


def optimize(recipe: str | Path, **how: Any) -> Outcome:
    """What came of a recipe, a file or a name; `detail` is the report. Nothing is written but the journal."""
    return sync.run(execute(plan(read(find(str(recipe))), **how)))
