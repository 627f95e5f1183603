"""Where templates lie: the project, then the user's folder, then the package; what one hides is not in force."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from promptkit import places
from promptkit.answers.languages import DEFAULT, MARKERS
from promptkit.errors import BadPrompt, UnknownName
from promptkit.prompts.bounds import OUTPUT_LIMIT
from promptkit.prompts.front import Front, split
from promptkit.prompts.reading import based_on, parsed, read_prompt
from promptkit.prompts.template import MAIN, Prompt, Reference
from promptkit.textfile import text_of

DEFAULT_PACK = "general"
CANDIDATE = "candidate"  # the origin of a template that lies in no file
DEEPEST = 8  # templates that lead to each other
_LISTING = "promptkit prompts list"


def find(pack_name: str, name: str) -> Prompt:
    """A template by pack and name, looked for in project, user folder and package, then in `general`."""
    prompt = _found(pack_name, name, (), {})
    lang, lacking = _spoken(pack_name), "" if prompt.pack == pack_name else str(pack_name)
    return prompt if (prompt.lang, prompt.lacking) == (lang, lacking) else replace(prompt, lang=lang, lacking=lacking)


def load(path: Path, origin: str) -> Prompt:
    """The template in a file, with all it includes and extends; BadPrompt says what is wrong with it."""
    prompt = _whole(read_prompt(path, origin), (), {})
    lang = _beside(path)
    return prompt if prompt.lang == lang else replace(prompt, lang=lang)


def worded(prompt: Prompt, text: str) -> Prompt:
    """The template as it would be with that text in its file; BadPrompt says what is wrong with it."""
    return replace(_whole(parsed(prompt.path, text.encode(), CANDIDATE), (), {}), lang=prompt.lang)


def everything() -> list[Prompt]:
    """Every template in force that can be read; a project's hides a user's hides the packaged one."""
    found = []
    for origin, path in in_force():
        if path.name != "pack.md":
            with suppress(BadPrompt):  # check() says what is wrong with it; the others can still be used
                found.append(load(path, origin))
    return found


def copies(name: str) -> list[tuple[str, Path]]:
    """Every file of `pack/name` with its origin, the one in force first."""
    return [(origin, path) for origin, path in files() if f"{path.parent.name}/{path.stem}" == name]


def files() -> list[tuple[str, Path]]:
    """Every template and pack.md there is with its origin, also those that another hides."""
    return [
        (origin, path)
        for origin, folder in places.search_path("prompts")
        if folder.is_dir()
        for path in sorted(folder.glob("*/*.md"))
    ]


def in_force() -> list[tuple[str, Path]]:
    """The files no other hides, by pack and name."""
    seen: dict[tuple[str, str], tuple[str, Path]] = {}
    for origin, path in files():
        seen.setdefault((path.parent.name, path.stem), (origin, path))
    return [seen[name] for name in sorted(seen)]


def safe(name: str) -> bool:
    """Whether a name names a file in a folder, and no path."""
    return bool(re.fullmatch(r"[A-Za-z0-9][\w.-]*", name))


def lang_of(front: Front) -> str:
    """The language a pack.md says its templates are answered in; BadPrompt when no reader knows its marker."""
    lang = front.typed("lang", str, DEFAULT)
    if lang not in MARKERS:
        unknown = UnknownName("language", lang, MARKERS)
        raise BadPrompt(f"{front.at('lang')}: {unknown.message}", hint=f"one of: {', '.join(sorted(MARKERS))}")
    return str(lang)


def _spoken(pack_name: str) -> str:
    for _, folder in places.search_path("prompts"):
        path = folder / pack_name / "pack.md"
        if safe(pack_name) and path.is_file():
            return _lang(path, path.stat().st_mtime_ns)
    return DEFAULT


@lru_cache(maxsize=64)
def _lang(path: Path, mtime: int) -> str:
    return lang_of(split(path, text_of(path, error=BadPrompt)))


def _beside(path: Path) -> str:
    with suppress(BadPrompt, OSError):  # what is wrong with a pack is told of the pack
        pack = path.with_name("pack.md")
        return _lang(pack, pack.stat().st_mtime_ns)
    return DEFAULT


def _found(pack_name: str, name: str, trail: tuple[Path, ...], done: dict[Path, Prompt]) -> Prompt:
    for where in dict.fromkeys((pack_name, DEFAULT_PACK)):
        for origin, folder in places.search_path("prompts"):
            path = folder / where / f"{name}.md"
            if safe(where) and safe(name) and name != "pack" and path.is_file():
                return _whole(read_prompt(path, origin), trail, done)
    known = {f"{path.parent.name}/{path.stem}" for _, path in in_force() if path.stem != "pack"}
    raise UnknownName("prompt", f"{pack_name}/{name}", known, listing=_LISTING)


def _whole(own: Prompt, trail: tuple[Path, ...], done: dict[Path, Prompt]) -> Prompt:
    """The template with all it leads to in it; `done` are those that were made whole on the way."""
    if not own.references:
        return own
    if own.path in done:
        return done[own.path]
    trail = (*trail, own.path)
    turns, parts, stand, made_of = own.turns, dict(own.parts), dict(own.places), dict(own.files)
    for each in own.references:
        other = _referred(own, each, trail, done)
        if each.extends:
            turns = tuple(
                (role, based_on(own.turns[0][1], f"{each.name}#{at}")) for at, (role, _) in enumerate(other.turns)
            )
            stand |= {f"{MAIN}#{at}": own.places[f"{MAIN}#0"] for at in range(len(turns))}
        elif len(other.turns) > 1 or other.turns[0][0] != "user":
            hint = "what is included is one text; a template with turns can be extended"
            raise BadPrompt(f"{own.path}:{each.line}: {each.name} has turns of its own", hint=hint)
        for at, (_, text) in enumerate(other.turns):
            name = f"{each.name}#{at}" if each.extends else each.name
            parts[name] = text if each.extends else text.rstrip("\r\n")
            stand[name] = other.places[f"{MAIN}#{at}"]
        parts |= dict(other.parts)
        stand |= {name: place for name, place in other.places.items() if not name.startswith(f"{MAIN}#")}
        made_of |= {name: text for name, text in other.files if name not in made_of}
    if sum(map(len, parts.values())) > OUTPUT_LIMIT:
        raise BadPrompt(f"{own.path}:{own.references[0].line}: leads to more than {OUTPUT_LIMIT:,} characters")
    done[own.path] = replace(
        own,
        turns=turns,
        parts=tuple(sorted(parts.items())),
        places=stand,
        files=tuple(made_of.items()),
        digest=_digest(own.digest, made_of),
    )
    return done[own.path]


def _referred(own: Prompt, to: Reference, trail: tuple[Path, ...], done: dict[Path, Prompt]) -> Prompt:
    where = f"{own.path}:{to.line}"
    pack, _, name = to.name.partition("/")
    if len(trail) >= DEEPEST:
        raise BadPrompt(f"{where}: more than {DEEPEST} templates lead to each other")
    try:
        other = _found(pack, name, trail, done) if not _leads_back(pack, name, trail) else None
    except UnknownName as error:
        raise BadPrompt(f"{where}: {error.message}", hint=error.hint) from error
    if other is None:
        raise BadPrompt(f"{where}: {to.name} leads back to itself")
    return other


def _leads_back(pack: str, name: str, trail: tuple[Path, ...]) -> bool:
    for where in dict.fromkeys((pack, DEFAULT_PACK)):
        for _, folder in places.search_path("prompts"):
            path = folder / where / f"{name}.md"
            if path.is_file():
                return path in trail
    return False


def _digest(own: str, made_of: dict[str, str]) -> str:
    others = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in list(made_of.items())[1:]}
    return hashlib.sha256(json.dumps([own, others], sort_keys=True).encode()).hexdigest()
