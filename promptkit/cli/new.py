"""`promptkit new`: a strategy, provider, scorer or prompt as a file that works, and its test."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.speak import out, say
from promptkit.cli.usage import Verbs
from promptkit.cli.written import filled, named, words, write
from promptkit.errors import BadInput

PLURAL = {"strategy": "strategies", "provider": "providers", "scorer": "scorers"}
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


def prompt(
    name: Annotated[str, typer.Argument(metavar="PACK/NAME", help="The pack and the template's name in it.")],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="The project; none: this one.", show_default=False)
    ] = None,
    project: Annotated[bool, typer.Option("--project", help="Make the folder a project if it is none.")] = False,
) -> None:
    """Write a prompt template into the project's prompts/ folder."""
    from promptkit import places, prompts

    pack, slash, rest = name.partition("/")
    if not slash:
        raise BadInput(f"{name!r} names no pack", hint=f"PACK/NAME, e.g. promptkit new prompt mine/{name}")
    for part in (named("pack", pack), named("prompt", rest)):
        if part == "pack":
            raise BadInput("pack.md describes a pack; it is no template", hint="another name, e.g. mine/solve")
    here = into.expanduser().absolute() if into else Path.cwd()
    ours = checkout(here, exact=into is not None)
    root = ours or (here if into else places.project())
    files: dict[Path, str] = {}
    if root is None or not (ours or (root / places.PROJECT_FILE).is_file()):
        if not project:
            why = f"{root or here} is no project: a prompts/ folder counts only beside a {places.PROJECT_FILE}"
            raise BadInput(why, hint="add --project to make it one")
        root = root or here
        files[root / places.PROJECT_FILE] = ""
    shelves = [root / "prompts", *(folder for _, folder in places.search_path("prompts"))]
    mine, theirs = shelves[0], [shelf for shelf in shelves[1:] if shelf != shelves[0]]
    if hidden := next((shelf for shelf in theirs if (shelf / pack / f"{rest}.md").is_file()), None):
        # One that strategies rely on would be hidden by an empty frame.
        copy = f"promptkit prompts show {name} > {shlex.quote(str(mine / pack / rest))}.md"
        raise BadInput(f"there is a prompt {name!r} already, in {hidden}", hint=f"a copy to change: {copy}")
    values = {"PACK": pack, "NAME": rest}
    if not any((shelf / pack / "pack.md").is_file() for shelf in shelves):
        files[mine / pack / "pack.md"] = filled("pack", values)
    path, slug = mine / pack / f"{rest}.md", f"{pack}_{rest}".replace("-", "_")
    test = root / "tests" / "prompts" / f"test_{slug}.py"
    files |= {path: filled("prompt", values), test: filled("prompt_test", values, ours="promptkit" if ours else "")}
    write(files)
    _tell(files)
    if problems := prompts.check(path):
        raise problems[0]
    say("it can be used; to look at it:", [f"promptkit prompts render {name} -v question=…", _tested(test)])


def checkout(folder: Path, *, exact: bool) -> Path | None:
    """The checkout of promptkit that a folder is in (or, exactly, that it is); a plugin inside it is none."""
    nearest = next((each for each in (folder, *folder.parents) if (each / "pyproject.toml").is_file()), None)
    if nearest is None or not (nearest / "promptkit" / "registry.py").is_file():
        return None
    return nearest if nearest == folder or not exact else None


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
    _tell([*files, registry])
    say("next:", [f"{values['MODULE']} in the contract of its siblings in pyproject.toml", _tested(test), use])


def _as_a_plugin(kind: str, name: str, folder: Path, use: str) -> None:
    """NAME.py and its test, and what a package says to offer it."""
    import importlib.util
    import sys

    snake = name.replace("-", "_")
    values = words(kind, name, snake)
    path, test = folder / f"{snake}.py", folder / f"test_{snake}.py"
    foreign = snake in sys.stdlib_module_names or (not path.exists() and importlib.util.find_spec(snake) is not None)
    if foreign:
        raise BadInput(f"{snake} is a module of Python or of an installed package", hint=f"e.g. my-{name}")
    write({path: filled(kind, values), test: filled(f"{kind}_test", values, ours=snake)})
    _tell([path, test])
    lines = [f'[project.entry-points."promptkit.{PLURAL[kind]}"]', f'{name} = "{snake}:{_attribute(kind, values)}"']
    say("add to your pyproject.toml:", lines)
    say("then:", ["pip install -e .", _tested(test), use])


def _entered(table: str, kind: str, line: str) -> str:
    """The registry with one line more in the table of a kind."""
    empty = f'    "{kind}": {{}},\n'
    if empty in table:
        return table.replace(empty, f'    "{kind}": {{\n{line}    }},\n')
    end = table.index("    },\n", table.index(f'    "{kind}": {{\n'))
    return table[:end] + line + table[end:]


def _attribute(kind: str, values: dict[str, str]) -> str:
    return {"strategy": values["CLASS"], "provider": f"open_{values['SNAKE']}", "scorer": values["SNAKE"]}[kind]


def _tested(test: Path) -> str:
    return f"python -m pytest {shlex.quote(_near(test))}"


def _tell(paths: Iterable[Path]) -> None:
    for path in paths:
        out(_near(path))


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
