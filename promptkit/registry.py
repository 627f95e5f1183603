"""Names to things: the built-in table, then entry points. Nothing is imported before it is used.

A name that is built in stays what it is: a plugin that offers it, too, is passed over with a warning. A name that two
plugins offer is neither's.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, get_type_hints

from promptkit.errors import PluginBroken, UnknownName

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN: dict[str, dict[str, str]] = {
    "provider": {
        "builtin": "promptkit.providers.builtin:open_builtin",
        "groq": "promptkit.providers.groq:open_groq",
        "langchain": "promptkit.providers.langchain:open_langchain",
        "llamacpp": "promptkit.providers.llamacpp:open_llamacpp",
        "ollama": "promptkit.providers.ollama:open_ollama",
        "openai": "promptkit.providers.openai:open_openai",
        "openai-compatible": "promptkit.providers.openai_compatible:open_openai_compatible",
        "scripted": "promptkit.providers.scripted:open_scripted",
    },
    "strategy": {
        "direct": "promptkit.strategies.prompting.direct:Direct",
        "cot": "promptkit.strategies.prompting.cot:ChainOfThought",
        "few-shot": "promptkit.strategies.prompting.few_shot:FewShot",
        "plan-and-solve": "promptkit.strategies.prompting.plan_and_solve:PlanAndSolve",
        "least-to-most": "promptkit.strategies.prompting.least_to_most:LeastToMost",
        "step-back": "promptkit.strategies.prompting.step_back:StepBack",
        "self-ask": "promptkit.strategies.prompting.self_ask:SelfAsk",
        "cove": "promptkit.strategies.prompting.cove:ChainOfVerification",
        "skeleton": "promptkit.strategies.prompting.skeleton:SkeletonOfThought",
        "auto-cot": "promptkit.strategies.prompting.auto_cot:AutoCoT",
        "knowledge": "promptkit.strategies.prompting.knowledge:GeneratedKnowledge",
        "analogical": "promptkit.strategies.prompting.analogical:Analogical",
        "re-read": "promptkit.strategies.prompting.re_read:ReRead",
        "rephrase": "promptkit.strategies.prompting.rephrase:Rephrase",
        "program": "promptkit.strategies.prompting.program:ProgramOfThought",
        "persona": "promptkit.strategies.layers.persona:Persona",
        "pattern": "promptkit.strategies.layers.pattern:Pattern",
        "structured": "promptkit.strategies.layers.structured:Structured",
        "descriptive": "promptkit.strategies.layers.descriptive:Descriptive",
        "flipped": "promptkit.strategies.layers.flipped:Flipped",
        "sc": "promptkit.strategies.voting.sc:SelfConsistency",
        "best-of-n": "promptkit.strategies.voting.best_of_n:BestOfN",
        "deepconf": "promptkit.strategies.voting.deepconf:DeepConf",
        "tot": "promptkit.strategies.search.tot:TreeOfThoughts",
        "beam": "promptkit.strategies.search.beam:Beam",
        "dvts": "promptkit.strategies.search.dvts:DiverseTreeSearch",
        "best-first": "promptkit.strategies.search.best_first:BestFirst",
        "levin": "promptkit.strategies.search.levin:Levin",
        "mcts": "promptkit.strategies.search.mcts:MonteCarlo",
        "ab-mcts": "promptkit.strategies.search.ab_mcts:AdaptiveBranching",
        "self-refine": "promptkit.strategies.reflection.self_refine:SelfRefine",
        "reflexion": "promptkit.strategies.reflection.reflexion:Reflexion",
        "reflect": "promptkit.strategies.reflection.reflect:Reflect",
        "debate": "promptkit.strategies.reflection.debate:Debate",
        "moa": "promptkit.strategies.reflection.moa:MixtureOfAgents",
        "graph-of-thoughts": "promptkit.strategies.reflection.graph_of_thoughts:GraphOfThoughts",
        "plan-search": "promptkit.strategies.reflection.plan_search:PlanSearch",
        "lats": "promptkit.strategies.reflection.lats:LanguageAgentTreeSearch",
        "rstar": "promptkit.strategies.reflection.rstar:RStar",
    },
    "scorer": {},
    "dataset": {},
    "world": {
        "game24": "promptkit.worlds.game24:Game24",
    },
}
# What verbs of their own run: not among the strategies, but resumed and replayed by name like them.
OF_VERBS = {
    "next": "promptkit.decoding.next_token:NextToken",
    "decode": "promptkit.decoding.decode:Decode",
    "draws": "promptkit.decoding.draws:Draws",
    "optimize": "promptkit.optimizing.optimization:Optimization",
}
GROUPS = {
    "provider": "promptkit.providers",
    "strategy": "promptkit.strategies",
    "scorer": "promptkit.scorers",
    "dataset": "promptkit.datasets",
    "world": "promptkit.worlds",
}
LISTINGS = {"strategy": "promptkit strategies", "provider": "promptkit models"}


class PluginHidden(UserWarning):
    """A plugin offers a name that is built in."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A name that an installed package adds."""

    package: str
    version: str
    kind: str  # provider, strategy, scorer, dataset or world
    name: str
    target: str  # module:attribute
    point: EntryPoint

    @property
    def hidden(self) -> str:
        """Why the name is not the plugin's; empty when it is."""
        if self.name in BUILT_IN[self.kind]:
            return f"{self.kind} {self.name!r} is built in; the one of {self.package} is not used"
        others = [each.package for each in _offered(self.kind)[self.name] if each is not self]
        return f"{' and '.join(others)} offers {self.kind} {self.name!r}, too" if others else ""

    def load(self) -> Any:
        """What the name stands for; PluginBroken when it cannot be imported or is no such thing."""
        try:
            found = self.point.load()
            problem = _misfit(self.kind, found)
        except (Exception, SystemExit) as error:
            raise self.broken(f"{type(error).__name__}: {error}") from error
        if problem:
            raise self.broken(problem)
        return found

    def broken(self, problem: str) -> PluginBroken:
        """The error that names the package to mend or remove."""
        what = f"{self.kind} {self.name!r} of {self.package} {self.version} cannot be used"
        hint = f"pip install --upgrade {self.package}\npip uninstall {self.package}"
        return PluginBroken(f"{what}: {problem}", hint=hint)


def plugins() -> list[Plugin]:
    """What installed packages add, also what is passed over; nothing is imported."""
    found = [plugin for kind in GROUPS for same in _offered(kind).values() for plugin in same]
    return sorted(found, key=lambda each: (each.package, each.kind, each.name))


def plugin(kind: str, name: str) -> Plugin | None:
    """The plugin that a name stands for, if it is not built in."""
    offered = () if name in BUILT_IN[kind] else _offered(kind).get(name, ())
    return offered[0] if offered else None


def names(kind: str) -> list[str]:
    """Every name of that kind, built in and plugged in, without importing any."""
    return sorted({*BUILT_IN[kind], *_offered(kind)})


def load(kind: str, name: str) -> Any:
    """The thing itself; UnknownName with the nearest name when there is none, PluginBroken naming the package."""
    offered = _offered(kind).get(name, ())
    if target := _ours(kind).get(name):
        for each in offered:
            warnings.warn(each.hidden, PluginHidden, stacklevel=2)
        module, _, attribute = target.partition(":")
        return getattr(importlib.import_module(module), attribute)
    if not offered:
        raise UnknownName(kind, name, names(kind), listing=LISTINGS.get(kind, ""))
    if len(offered) > 1:
        raise offered[0].broken(offered[0].hidden)
    return offered[0].load()


def name_of(kind: str, thing: object) -> str:
    """The name that a thing's class is registered under; its own `name`, else its class's name, where there is none."""
    of = type(thing)
    target = f"{of.__module__}:{of.__qualname__}"
    for name, known in _ours(kind).items():
        if known == target:
            return name
    for name, offered in _offered(kind).items():
        if len(offered) == 1 and offered[0].target == target:
            return name
    return getattr(thing, "name", of.__name__)


def _ours(kind: str) -> dict[str, str]:
    """All that is in the package, listed or not."""
    return {**OF_VERBS, **BUILT_IN[kind]} if kind == "strategy" else BUILT_IN[kind]


def _offered(kind: str) -> dict[str, tuple[Plugin, ...]]:
    return _everything_offered()[kind]


@cache  # looking through what is installed costs milliseconds: once a process
def _everything_offered() -> dict[str, dict[str, tuple[Plugin, ...]]]:
    found: dict[str, dict[str, tuple[Plugin, ...]]] = {kind: {} for kind in GROUPS}
    if not _mentioned():
        return found
    from importlib.metadata import entry_points

    points = entry_points()
    for kind, group in GROUPS.items():
        for point in points.select(group=group):
            package, version = (point.dist.name, point.dist.version) if point.dist else ("?", "?")
            plugin = Plugin(package, version, kind, point.name, point.value, point)
            found[kind][point.name] = (*found[kind].get(point.name, ()), plugin)
    return found


def _mentioned() -> bool:
    """Whether an installed package may add something; importlib.metadata takes ten times as long to say no."""
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return True
    for folder in sys.path:
        try:
            found = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]
        except NotADirectoryError:  # a zip file, which only importlib can read
            return True
        except OSError:
            continue
        for name in found:
            with suppress(OSError), open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                if b"[promptkit." in file.read():
                    return True
    return False


def _misfit(kind: str, found: Any) -> str:
    """What keeps a plugin's object from being of its kind; empty when nothing does."""
    if kind == "strategy":
        if not isinstance(found, type) or not is_dataclass(found):
            return "a strategy is a dataclass"
        if not callable(getattr(found, "solve", None)):
            return "it has no solve(problem, model)"
        get_type_hints(found)  # its fields become flags; a type that cannot be found raises
        return ""
    if not callable(found):
        return f"a {kind} is called, and this is a {type(found).__name__}"
    if kind == "provider" and not _takes(found, "name", {}):
        return "a provider is called with a name and options"
    return ""


def _takes(found: Callable[..., Any], *arguments: object) -> bool:
    try:
        inspect.signature(found).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # written in C, it does not say
        return True
    return True
