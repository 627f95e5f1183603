"""`promptkit keys`: the API keys of this user. A key is typed or piped in, never a word of a command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.speak import err, out, out_json, say
from promptkit.cli.tables import columns
from promptkit.cli.usage import Verbs
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, UnknownName

Provider = Annotated[
    str, typer.Argument(metavar="PROVIDER", help="Whose key, e.g. groq.", autocompletion=complete.keyed)
]
Words = Annotated[list[str] | None, typer.Argument(hidden=True, metavar="")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
SHOWN = 4  # last characters of a key
LONG = 16  # characters; of a shorter key nothing is shown


def add_to(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(keys)
    strict = {"ignore_unknown_options": True}  # what looks like an option may be a key: it is not repeated
    noun.command("set", cls=Verb, context_settings=strict)(set_)
    noun.command("list", cls=Verb)(list_)
    noun.command("rm", cls=Verb)(rm)
    app.add_typer(noun, name="keys")


def keys(context: typer.Context) -> None:
    """Store, list and remove API keys."""
    if context.invoked_subcommand is None:
        out(context.get_help())


def set_(
    provider: Provider,
    words: Words = None,
    keyring: Annotated[bool, typer.Option("--keyring", help="Into the system's keyring, not into a file.")] = False,
) -> None:
    """Store a key: it is asked for, or read from stdin, as in: promptkit keys set groq < key.txt

    It goes into a file that only you can read. A variable of the environment comes before it.
    """
    from promptkit import keys

    if words or provider.startswith("-") or (len(provider) >= LONG and provider not in complete.keyed("")):
        hint = f"{_how(provider)}\nif it was a real one, get another: shells keep what is typed"
        raise BadInput("a key is no word of a command: it can be seen by others there", hint=hint)
    _check(provider)
    key = _read(provider)
    where = keys.save(provider, key, keyring=keyring)
    say(f"the key of {provider} is in {'your keyring' if keyring else where}")
    if (found := keys.find(provider)) and found.where != where:
        err(f"  {found.where} is set, too, and comes before it")


def list_(as_json: Json = False) -> None:
    """List whose keys there are, by their last characters, and where each is from."""
    from promptkit import keys

    found = [
        {"provider": provider, "ends": _end(each.value), "from": each.where, "used": place == 0}
        for provider, places in keys.known(complete.keyed("")).items()
        for place, each in enumerate(places)
    ]
    if as_json:
        return out_json({"schema": "promptkit.keys/1", "keys": found})
    if not found:
        return say("no keys yet", ["promptkit keys set groq", "or try without a key: -m builtin"])
    rows = [(each["provider"], each["ends"], each["from"], "" if each["used"] else "not used") for each in found]
    return columns(("provider", "key", "from", ""), [tuple(map(str, row)) for row in rows])


def rm(provider: Provider) -> int | None:
    """Remove a stored key."""
    from promptkit import keys

    where = keys.remove(provider)
    if where is None:
        _check(provider)
        variable = keys.variable_of(provider)
        inherited = f"unset {variable}" if keys.find(provider) else "list them: promptkit keys list"
        raise BadInput(f"no key of {provider} is stored", hint=inherited)
    say(f"the key of {provider} is removed from {'your keyring' if where == keys.KEYRING else where}")
    if left := keys.find(provider):
        err(f"  {left.where} is still set")
    return Exit.DONE


def _read(provider: str) -> str:
    """The key: typed unseen on a terminal, else what stdin holds."""
    from promptkit.cli.answer import read_stdin
    from promptkit.keys import LONGEST

    if sys.stdin is not None and sys.stdin.isatty():
        import getpass

        try:
            return getpass.getpass(f"key of {provider} (it is not shown): ", stream=sys.stderr)
        except EOFError:
            return ""
    return read_stdin("the key")[: 4 * LONGEST].decode("utf-8-sig", "replace")


def _check(provider: str) -> None:
    """BadInput for who takes no key, UnknownName for a slip; a word that may be a key is not repeated."""
    from promptkit import registry

    if provider in (known := complete.keyed("")):
        return
    if provider in registry.BUILT_IN["provider"]:
        raise BadInput(f"{provider} takes no key", hint=f"these may: {', '.join(known)}")
    raise UnknownName("provider", provider if len(provider) < LONG else "…", known, listing="promptkit models")


def _how(provider: str) -> str:
    name = provider if provider in complete.keyed("") else "groq"
    return f"type it unseen: promptkit keys set {name}\nor from a file: promptkit keys set {name} < key.txt"


def _end(key: str) -> str:
    return f"…{key[-SHOWN:]}" if len(key) >= LONG else "…"
