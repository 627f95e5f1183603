"""API keys: the environment, then a file of the user's that nobody else can read, then the system's keyring.

The file is `keys.json` in the user's folder, a key for each provider. A null in place of a key says that the keyring
has it. Without one the keyring is never asked, nor its library loaded: on a machine without a desktop it may fail, or
wait for somebody to unlock it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from promptkit import places
from promptkit.errors import BadInput, KeyMissing, PromptkitError
from promptkit.redaction import keep_out

PROVIDERS = ("groq", "ollama", "openai", "openai-compatible")  # those of ours that take a key
FILE = "keys.json"
KEYRING = "keyring"
LONGEST = 1000  # characters; a whole file piped in by mistake is no key
PATIENCE = 5.0  # seconds another process may take to write the file
REMEMBERED = 60.0  # seconds a key of the keyring is used before it is asked for again

Held = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A key, and where it is from: a variable's name, a file or "keyring"."""

    value: str = field(repr=False)
    where: str


def path() -> Path:
    """The file of the user's keys; it need not be there."""
    return places.user_data() / FILE


def variable_of(provider: str) -> str:
    """The environment variable of a provider's key: OPENAI_API_KEY for openai."""
    return f"{provider.upper().replace('-', '_')}_API_KEY"


def find(provider: str, variable: str = "") -> Found | None:
    """The key in force, read anew each time; None when there is none, KeyMissing when the file of keys is unsafe."""
    return next(_everywhere(provider, variable or variable_of(provider)), None)


def known(also: Iterable[str] = ()) -> dict[str, tuple[Found, ...]]:
    """Every key there is by provider, the one in force first; `also` names providers beside ours."""
    found = {name: tuple(_everywhere(name, variable_of(name))) for name in sorted({*PROVIDERS, *also, *_held()})}
    return {name: each for name, each in found.items() if each}


def lost(provider: str) -> bool:
    """Whether the keyring should have the provider's key, and gives none."""
    with suppress(KeyMissing):
        held = _held()
        return provider in held and held[provider] is None and find(provider) is None
    return False


def fault(value: str) -> str:
    """What keeps a text from being a key; "" when nothing does."""
    if not value:
        return "is empty"
    if len(value) > LONGEST:
        return "is too long for a key"
    return "" if value.isascii() and value.isprintable() and " " not in value else "holds characters no key has"


def save(provider: str, key: str, *, keyring: bool = False) -> str:
    """Where the key was put: the file, or the keyring; a text that cannot be a key is BadInput and not repeated."""
    key = key.strip()
    if wrong := fault(key):
        raise BadInput(f"the key of {provider} {wrong}", hint=f"copy it again, then: promptkit keys set {provider}")
    keep_out(key)
    if keyring:
        _into_keyring(provider, key)
    else:
        _out_of_keyring(provider)
    _rewrite(lambda held: held.update({provider: None if keyring else key}))
    _from_keyring.cache_clear()
    return KEYRING if keyring else str(path())


def remove(provider: str) -> str | None:
    """Where the stored key was; None when none was stored. A variable of the environment is left alone."""
    held = _held()
    if provider not in held:
        return None
    _out_of_keyring(provider)
    _rewrite(lambda held: held.pop(provider, None))
    _from_keyring.cache_clear()
    return KEYRING if held[provider] is None else str(path())


def _everywhere(provider: str, variable: str) -> Iterator[Found]:
    if value := os.environ.get(variable, "").strip():
        yield _noted(value, variable)
    held = _held()
    if value := (held.get(provider) or "").strip():
        yield _noted(value, str(path()))
    elif provider in held and (value := _from_keyring(provider, int(time.monotonic() / REMEMBERED))):
        yield _noted(value, KEYRING)


def _noted(value: str, where: str) -> Found:
    keep_out(value)
    return Found(value, where)


def _held() -> Held:
    """What the file holds; KeyMissing when others could read it, too, or when it is no file of keys."""
    file = path()
    try:
        told = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise KeyMissing(f"{file}: {error.strerror or error}", hint=f"make it yours: chown $USER {file}") from error
    if os.name == "posix" and told.st_mode & 0o077:
        raise KeyMissing(f"{file} is not yours alone: others may read the keys in it", hint=f"chmod 600 '{file}'")
    return _read(file, told.st_mtime_ns, told.st_size, told.st_ino)


@lru_cache(maxsize=4)
def _read(file: Path, *version: int) -> Held:
    try:
        found = json.loads(file.read_bytes())
        reason = "" if _is_held(found) else "not an object of providers and their keys"
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error)
    if reason:
        raise KeyMissing(f"{file}: {reason}", hint='mend it, e.g. {"groq": "gsk_…"}, or move it aside')
    return dict(found)


def _is_held(found: object) -> bool:
    return isinstance(found, dict) and all(value is None or isinstance(value, str) for value in found.values())


def _rewrite(change: Callable[[Held], object]) -> None:
    """Change the file as a whole: at no moment is it half written, or readable by anybody else."""
    try:
        for folder in reversed([folder for folder in path().parents if not folder.exists()]):
            folder.mkdir(mode=0o700, exist_ok=True)
        file = path().resolve()  # a link stays a link
        fresh = file.with_name(f"{file.name}.new")
        number = _made(fresh)
        try:
            with open(number, "w", encoding="ascii", newline="\n") as target:
                held = dict(_held())
                change(held)
                target.write(json.dumps(held, indent=2, sort_keys=True) + "\n")
                target.flush()
                os.fsync(number)
            os.replace(fresh, file)
        except BaseException:  # only then: once it is replaced, the next one with that name is somebody else's
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        hint = "use another folder: PROMPTKIT_HOME=…"
        raise PromptkitError(f"{path()} cannot be written: {error.strerror or error}", hint=hint) from error


def _made(file: Path) -> int:
    """A new file, open, that only the user can read; while it is there, every other process waits."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            if time.monotonic() > deadline:
                hint = f"if none is, one was stopped in the middle: rm '{file}'"
                raise PromptkitError(f"another promptkit is writing {path()}", hint=hint) from None
            time.sleep(0.02)


@lru_cache(maxsize=64)
def _from_keyring(provider: str, moment: int) -> str:
    """The key the keyring has; "" when it has none or cannot be used here, whatever the reason."""
    with suppress(Exception):  # no library, no desktop session, locked: jaraco/keyring#569, #477
        import keyring

        return (keyring.get_password("promptkit", provider) or "").strip()
    return ""


def _into_keyring(provider: str, key: str) -> None:
    without = f"without it, in a file only you can read: promptkit keys set {provider}"
    try:
        import keyring
    except ImportError:
        raise BadInput("--keyring needs a package", hint=f"pip install 'promptkit[keyring]'\n{without}") from None
    try:
        keyring.set_password("promptkit", provider, key)
        kept = keyring.get_password("promptkit", provider) == key  # a null keyring takes all and keeps nothing
    except Exception as error:
        raise KeyMissing(f"the keyring cannot be used: {type(error).__name__}: {error}", hint=without) from None
    if not kept:
        raise KeyMissing("the keyring did not keep the key", hint=without)


def _out_of_keyring(provider: str) -> None:
    held = _held()
    if provider in held and held[provider] is None:
        with suppress(Exception):  # gone already, or no keyring here: then it is forgotten here
            import keyring

            keyring.delete_password("promptkit", provider)
