"""`promptkit new`: a strategy, provider, scorer or prompt as a file that works, and its test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.new_prompt import prompt
from promptkit.cli.speak import out, say
from promptkit.cli.steps import checkout, quoted, tell, tested, tested_in_house
from promptkit.cli.usage import Verbs
from promptkit.cli.written import filled, named, words, write
from promptkit.errors import BadInput

PLURAL = {"strategy": "strategies", "provider": "providers", "scorer": "scorers"}
CONTRACTS = {"strategy": "Strategies do not know each other", "provider": "Providers do not know each other"}
Name = Annotated[str, typer.Argument(help="Its name, as it is typed.")]
Into = Annotated[Path | None, typer.Option("--into", metavar="DIR", help="The folder; none: here.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the verb and its nouns."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(new)
    for verb in (strategy, provider, scorer, prompt):
        noun.command(verb.__name__)(verb)
    app.add_typer(noun, name="new")


def new(context: typer.Context) -> None:
    """Write a strategy, provider, scorer or prompt, and its test."""
    if context.invoked_subcommand is None:
        out(context.get_help())


def strategy(name: Name, into: Into = None) -> None:
    """Write a strategy: a frozen dataclass with solve()."""
    _code("strategy", name, into, use=f'promptkit run {name} "your question"')


def provider(name: Name, into: Into = None) -> None:
    """Write a provider: where models of a kind are called."""
    _code("provider", name, into, use=f'promptkit run direct "your question" -m {name}:MODEL')


def scorer(name: Name, into: Into = None) -> None:
    """Write a scorer: how right an answer is."""
    _code("scorer", name, into, use="promptkit plugins")


def _code(kind: str, name: str, into: Path | None, *, use: str) -> None:
    from promptkit import registry

    known = registry.names(kind)
    if named(kind, name) in known:
        raise BadInput(f"there is a {kind} {name!r} already", hint=f"another name than {', '.join(known)}")
    here = into.expanduser().absolute() if into else Path.cwd()
    if ours := checkout(here, exact=into is not None):
        _in_the_house(kind, name, ours, use)
    else:
        _as_a_plugin(kind, name, here, use)


def _in_the_house(kind: str, name: str, root: Path, use: str) -> None:
    """promptkit/KIND/NAME.py, its test, and the line in the registry."""
    plural, snake = PLURAL[kind], name.replace("-", "_")
    values = words(kind, name, f"promptkit.{plural}.{snake}")
    folder, tests = root / "promptkit" / plural, root / "tests"
    if (folder / snake).exists():
        raise BadInput(f"{folder / snake} exists", hint="another name")
    same = any(path.parent.name != plural for path in tests.glob(f"*/test_{snake}.py"))  # pytest wants them unlike
    test = tests / plural / (f"test_{snake}_{kind}.py" if same else f"test_{snake}.py")
    files = {
        folder / f"{snake}.py": filled(kind, values, ours="promptkit"),
        test: filled(f"{kind}_test", values, ours="promptkit"),
    }
    if not (folder / "__init__.py").exists():
        files[folder / "__init__.py"] = ""
    registry = root / "promptkit" / "registry.py"
    table, line = registry.read_text("utf-8"), f'        "{name}": "{values["MODULE"]}:{_attribute(kind, values)}",\n'
    write(files)
    registry.write_text(_entered(table, kind, line), "utf-8", newline="\n")
    tell([*files, registry])
    steps = [*tested_in_house(root, test), use]
    if kind in CONTRACTS:
        entry = f'"{values["MODULE"]}",'
        steps.insert(0, f"in pyproject.toml, add to the modules under {CONTRACTS[kind]!r}: {entry}")
    say("next:", steps)


def _as_a_plugin(kind: str, name: str, folder: Path, use: str) -> None:
    """NAME.py, its test, and what a package says to offer it: a pyproject.toml, or what to add to the one there is."""
    import importlib.util
    import sys

    snake = name.replace("-", "_")
    values = words(kind, name, snake)
    path, test, project = folder / f"{snake}.py", folder / "tests" / f"test_{snake}.py", folder / "pyproject.toml"
    foreign = snake in sys.stdlib_module_names or (not path.exists() and importlib.util.find_spec(snake) is not None)
    if foreign:
        raise BadInput(f"{snake} is a module of Python or of an installed package", hint=f"e.g. my-{name}")
    files = {path: filled(kind, values), test: filled(f"{kind}_test", values, ours=snake)}
    table = f'[project.entry-points."promptkit.{PLURAL[kind]}"]'
    entry = f'{name} = "{snake}:{_attribute(kind, values)}"'
    begun = not project.exists()
    if begun:
        files[project] = filled("pyproject", {"NAME": name, "KIND": kind, "ENTRY": f"{table}\n{entry}"})
    write(files)
    tell(files)
    steps = [f"pip install -e {quoted(folder) if folder != Path.cwd() else '.'} pytest", tested(test), use]
    if begun:
        return say("next:", steps)
    if table in project.read_text("utf-8", "replace"):
        say(f"add to your pyproject.toml, under {table}:", [entry])
    else:
        say("add to your pyproject.toml:", [table, entry])
    return say("then:", steps)


def _entered(table: str, kind: str, line: str) -> str:
    """The registry with one line more in the table of a kind."""
    empty = f'    "{kind}": {{}},\n'
    if empty in table:
        return table.replace(empty, f'    "{kind}": {{\n{line}    }},\n')
    end = table.index("    },\n", table.index(f'    "{kind}": {{\n'))
    return table[:end] + line + table[end:]


def _attribute(kind: str, values: dict[str, str]) -> str:
    return {"strategy": values["CLASS"], "provider": f"open_{values['SNAKE']}", "scorer": values["SNAKE"]}[kind]
