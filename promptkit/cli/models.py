"""`promptkit models`: the kinds of model, what a server offers, and what a model can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.kinds import kinds
from promptkit.cli.pull import pull
from promptkit.cli.speak import clean, err, out, out_json, say
from promptkit.cli.tables import columns, prose
from promptkit.cli.usage import Verbs
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from promptkit.runtime.probes import Probe

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="provider:name.", autocompletion=complete.models)]
Options = Annotated[list[str] | None, typer.Option("-o", metavar="KEY=VALUE", help="Provider option; repeatable.")]

ABLE = "native_n batch seed json_schema grammar logprobs raw tools images reasoning context".split()
WORDS = {"native_n": "samples in one call", "batch": "samples made together", "seed": "same seed, same text"}
WORDS |= {"raw": "goes on with a bare text"}
WORDS |= {"json_schema": "JSON schema", "logprobs": "log-probabilities", "context": "context, tokens"}


def add_to(app: typer.Typer) -> None:
    """Add the noun and its verbs; alone it lists the kinds."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(models)
    for name, verb in (("list", list_), ("show", show), ("probe", probe), ("pull", pull)):
        noun.command(name, cls=Verb)(verb)
    app.add_typer(noun, name="models")


def models(context: typer.Context, as_json: Json = False) -> None:
    """List the kinds of model and the default; ask a server what it has; find out what a model can do."""
    if context.invoked_subcommand is None:
        _kinds(as_json)


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="Ask this one's server what it has.", autocompletion=complete.kinds),
    ] = None,
    option: Options = None,
    as_json: Json = False,
) -> None:
    """List the kinds of model, or the models that one kind's server offers: only that touches the network."""
    if kind is None:
        return _kinds(as_json)
    from promptkit import registry, sync
    from promptkit.cli.answer import parse_options

    kind = kind.partition(":")[0]
    if kind not in (known := registry.names("provider")):
        raise UnknownName("provider", kind, known, listing="promptkit models")
    if kind not in ("groq", "ollama", "openai", "openai-compatible"):
        raise BadInput(f"{kind} has no server that could be asked what it offers", hint="promptkit models")
    name = "qwen3:8b" if kind == "ollama" else "MODEL"  # of no matter to the server; in hints it stands for any
    provider = registry.load("provider", kind)(name, parse_options(option or []))

    async def ask() -> list[Any]:
        try:
            found: list[Any] = await provider.cards()
            return found
        finally:
            await provider.aclose()

    cards = sync.run(ask())
    if as_json:
        listed = [{"name": f"{kind}:{card.name}", "context": card.context} for card in cards]
        return out_json({"schema": "promptkit.models-of/1", "provider": kind, "models": listed})
    for card in cards:
        tokens = f"  {card.context:,} tokens" if card.context else ""
        out(clean(f"{kind}:{card.name}{tokens}"))
    if not cards:
        err(f"{kind} offers no model")
    return None


def show(name: Name, option: Options = None, as_json: Json = False) -> None:
    """Show what a model can do as it is used here, and where each of it is known from."""
    from promptkit.cli.answer import parse_options
    from promptkit.runtime import probes
    from promptkit.runtime.open import open_provider, parted
    from promptkit.types import plain

    options = parse_options(option or [])
    provider = open_provider(name, options)
    found = probes.stored(*parted(name), options)
    stale = found if isinstance(provider, probes.Probed) and provider.stale else None
    found = None if stale else found
    able = plain(provider.capabilities)
    origins = {each: _origin(each, options, found) for each in ABLE}
    if as_json:
        body = {"schema": "promptkit.model/1", "model": provider.id, "options": options, "capabilities": able}
        return out_json({**body, "origins": origins, "probe": plain(found) if found else None, "stale": bool(stale)})
    prose(clean(provider.id))
    out("")
    columns(("what", "has", "known from"), [(WORDS.get(each, each), _said(able[each]), origins[each]) for each in ABLE])
    if able["packs"]:
        out(f"\nmade for {', '.join(f'-P {pack}' for pack in able['packs'])} only")
    if found and found.refused:
        out(f"\nit does not take {', '.join(map(clean, found.refused))}")
    if stale:
        told = f"{clean(name)} is another model than the one probed on {_day(stale.at)}: that probe is not in force"
        say(told, [f"promptkit models probe {name}"])
    elif not found:
        say(f"find out by asking it: promptkit models probe {name}")
    return None


def probe(
    name: Name,
    option: Options = None,
    images: Annotated[bool, typer.Option("--images", help="Send it a tiny picture, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Ask again where it was probed before.")] = False,
    as_json: Json = False,
) -> None:
    """Find out what a model can do by a few tiny requests, and remember it."""
    from promptkit import sync
    from promptkit.cli.answer import parse_options
    from promptkit.runtime import probes, probing
    from promptkit.runtime.open import open_provider, parted, split
    from promptkit.types import plain

    options = parse_options(option or [])
    if len(split(name)) > 1:
        raise BadInput("one model at a time", hint=f"promptkit models probe {split(name)[0]}")
    known = None if force else probes.stored(*parted(name), options)
    if known and isinstance(model := open_provider(name, options), probes.Probed) and model.stale:
        err(f"{clean(name)} is another model than the one probed on {_day(known.at)}")
        known = None
    if known is None:
        err(f"{clean(name)} is asked at most {probing.planned(images)} tiny requests")
        known = sync.run(probing.probe(name, options, images=images))
    else:
        err(f"probed on {_day(known.at)}; --force asks again")
    if as_json:
        return out_json({"schema": "promptkit.probe/1", **plain(known)})
    rows = [(WORDS.get(each, each), _said(value), clean(known.told.get(each, ""))) for each, value in _found(known)]
    columns(("what", "has", "it said"), rows)
    if known.refused:
        out(f"\nit does not take {', '.join(map(clean, known.refused))}")
    return None


def _kinds(as_json: bool) -> None:
    from promptkit import registry
    from promptkit.settings import default_model, origin

    found, names = kinds(), registry.names("provider")
    default, where = origin("model")
    kind = str(default).partition(":")[0]
    if as_json:
        chosen = {"model": default, "origin": where, "known": kind in names}
        return out_json({"schema": "promptkit.models/1", "default": chosen, "models": found})
    columns(("-m", "needs", "state"), [(each["form"], each["needs"], each["state"]) for each in found])
    problem = "" if kind in names else f"  there is no provider {kind!r}"
    out("")
    origin_of = "" if where == "default" else f"  ({clean(where)})"
    return prose(f"default: {clean(default_model())}{origin_of}{problem}")


def _found(probe: Probe) -> Iterator[tuple[str, Any]]:
    yield from ((each, probe.found[each]) for each in ABLE if each in probe.found)


def _origin(name: str, options: dict[str, object], found: Probe | None) -> str:
    if name in options or (name == "context" and "num_ctx" in options):
        return "-o"
    return f"probed {_day(found.at)}" if found and found.found.get(name) is not None else "its adapter"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else f"{value:,}"


def _day(at: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(at).strftime("%Y-%m-%d")
