"""What `promptkit doctor` looks at beyond this process: an Ollama, keys, certificates, and with --online the APIs.

Without --online nothing leaves this machine: an Ollama is asked only where it is on loopback.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from promptkit import keys
from promptkit.cli.checks import Finding
from promptkit.errors import KeyMissing, ModelMissing, PromptkitError, Unreachable

T = TypeVar("T")
Check = Callable[[], Iterator[Finding]]

ASKED = {"groq": "llama-3.3-70b-versatile", "openai": "gpt-4.1-mini"}  # the model's name is of no matter here
LETTERS = 3  # a token has at least so many in English prose, on average: an estimate from above
SHOWN = 4  # letters of a key
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
PEM = "SSL_CERT_FILE=/path/to/your-network's-certificates.pem"


def checks(online: bool) -> list[Check]:
    """The checks; each is named for what it looks at."""

    def ollama() -> Iterator[Finding]:
        yield from _ollama(online)

    def keys() -> Iterator[Finding]:
        yield from _keys(online)

    return [ollama, keys, _tls]


def _ollama(online: bool) -> Iterator[Finding]:
    from promptkit.providers.ollama import open_ollama
    from promptkit.providers.remote.options import is_loopback
    from promptkit.settings import default_model

    try:
        keys.find("ollama")
    except KeyMissing:
        return  # the file of keys is at fault, as is said below, and not an Ollama
    default = default_model()
    wanted = default.startswith("ollama:")
    name = default.removeprefix("ollama:") if wanted else "qwen3:8b"
    where = open_ollama(name, {}).host.removeprefix("http://")
    if not online and not is_loopback(open_ollama(name, {}).host):
        yield Finding("ollama", "none", f"ollama at {where} is not on this machine", "promptkit doctor --online")
        return
    try:
        version = _asked(partial(open_ollama, name, {}), lambda model: model.version())
        cards = _asked(partial(open_ollama, name, {}), lambda model: model.cards())
    except (Unreachable, PromptkitError) as error:
        mend = "ollama serve" if isinstance(error, Unreachable) else "; ".join(error.hint.splitlines())
        yield Finding("ollama", "fail" if wanted else "none", f"no ollama at {where}: {error.message}", mend)
        return
    listed = " ".join(card.name for card in cards[:8]) + (" …" if len(cards) > 8 else "")
    many = f"{len(cards)} model{'' if len(cards) == 1 else 's'}"
    yield Finding("ollama", "ok", f"ollama {version} at {where}, {many}{': ' if cards else ''}{listed}")
    if not cards and not wanted:
        return
    try:
        yield from _context(name if wanted else cards[0].name)
    except ModelMissing as error:
        yield Finding("ollama", "fail", error.message, f"promptkit models pull ollama:{name}")


def _context(name: str) -> Iterator[Finding]:
    """Whether the largest prompt of a pack fits the context that the model is given."""
    from promptkit.providers.ollama import open_ollama

    model = open_ollama(name, {})
    _ = model.identity  # asks what it has of the model
    context, (prompt, tokens) = model.capabilities.context, _largest()
    if context and tokens > context:
        size = 4096
        while size < tokens:
            size *= 2
        told = f"ollama gives {name} a context of {context:,} tokens, and {prompt} may need {tokens:,}"
        yield Finding("ollama", "warn", told, f"-o num_ctx={size}")


def _largest() -> tuple[str, int]:
    """The packaged prompt that may take the most tokens with its reply, and how many."""
    from promptkit import prompts

    sizes = [
        (sum(len(body) for _, body in each.turns) // LETTERS + int(each.defaults.get("max_tokens") or 0), each.id)
        for each in prompts.everything()
    ]
    tokens, name = max(sizes, default=(0, ""))
    return name, tokens


def _keys(online: bool) -> Iterator[Finding]:
    from promptkit.settings import default_model

    default = default_model().partition(":")[0]
    known = keys.known()
    if keys.path().exists():  # otherwise that would have been an error
        yield Finding("keys", "ok", f"{keys.path()}" + (", only you can read it" if os.name == "posix" else ""))
    for provider in sorted({*ASKED, *known}):
        if not (all_of_it := known.get(provider)):
            broken = "fail" if provider == default and _needs_key(provider) else "none"
            yield Finding("keys", broken, f"{provider}: no key", f"promptkit keys set {provider}")  # type: ignore[arg-type]
            continue
        key = all_of_it[0]
        end = f"…{key.value[-SHOWN:]}" if len(key.value) >= 4 * SHOWN else "…"
        said = f"{provider} key from {key.where} ({end})"
        if fault := keys.fault(key.value):
            yield Finding(
                "keys", "fail", f"{provider}: the key in {key.where} {fault}", f"promptkit keys set {provider}"
            )
        elif online and provider in ASKED:
            yield _reached(provider, said)
        else:
            yield Finding("keys", "ok", said + ("" if provider not in ASKED else ", not tried: --online does"))


def _needs_key(provider: str) -> bool:
    from promptkit.providers.remote.options import is_loopback

    return not is_loopback(os.environ.get(f"{provider.upper()}_BASE_URL", ""))


def _reached(provider: str, said: str) -> Finding:
    from promptkit import registry

    began = time.monotonic()
    try:
        cards = _asked(partial(registry.load("provider", provider), ASKED[provider], {}), lambda model: model.cards())
    except KeyMissing as error:
        return Finding("keys", "fail", f"{said}: {error.message}", f"promptkit keys set {provider}")
    except PromptkitError as error:
        certificate = "certificate" in error.message.lower()
        return Finding(
            "keys", "fail", f"{said}: {error.message}", PEM if certificate else error.hint.replace("\n", "; ")
        )
    took = 1000 * (time.monotonic() - began)
    return Finding("keys", "ok", f"{said}, accepted, {took:.0f} ms, {len(cards)} models")


def _tls() -> Iterator[Finding]:
    """Where certificates are trusted from: behind a network that puts its own in, calls fail without them."""
    import ssl

    for name in TRUST:
        if (given := os.environ.get(name)) and not Path(given).exists():
            yield Finding("tls", "fail", f"{name} names {given}, which does not exist", f"unset {name}")
            return
    try:
        count = len(ssl.create_default_context().get_ca_certs())
    except (ssl.SSLError, OSError) as error:
        yield Finding("tls", "fail", f"the certificates cannot be read: {error}", PEM)
        return
    set_by = next((name for name in TRUST if os.environ.get(name)), "")
    where = f"{set_by}={os.environ[set_by]}" if set_by else str(ssl.get_default_verify_paths().openssl_cafile)
    if count or set_by:
        yield Finding("tls", "ok", f"{count} certificates are trusted ({where})")
    else:
        yield Finding("tls", "none", f"certificates come from {where}, as they are needed", f"if calls fail: {PEM}")


def _asked(opening: Callable[[], Any], ask: Callable[[Any], Awaitable[T]]) -> T:
    """What a model's server says, its connections closed again."""
    from promptkit import sync

    async def one() -> T:
        model = opening()
        try:
            return await ask(model)
        finally:
            await model.aclose()

    return sync.run(one())
