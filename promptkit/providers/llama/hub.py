"""`hf://owner/repo[@revision]/file.gguf`: a file of the Hugging Face hub, from its cache on this machine or fetched.

What is in the cache is used as it is, and the network is not asked whether there is something newer.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import BadInput, KeyMissing, ModelMissing, PromptkitError, Unreachable

SCHEME = "hf://"
FORM = "-m llamacpp:hf://owner/repo/file.gguf"
_PART = re.compile(r"[A-Za-z0-9](?:[\w.-]*\w)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file by its repository, revision and path there."""

    repo: str
    revision: str
    file: str


def named(address: str) -> HubFile:
    """What the address names; BadInput when it is not of that form, or leads out of the repository."""
    owner, _, rest = address.removeprefix(SCHEME).partition("/")
    repo, _, file = rest.partition("/")
    repo, at, revision = repo.partition("@")
    parts = file.split("/")
    sound = all(map(_PART.fullmatch, (owner, repo))) and ".." not in f"{owner}{repo}"
    if not sound or not file or (at and not _PART.fullmatch(revision)):
        raise BadInput(f"{address} names no file of a hub", hint=FORM)
    if any(part in ("", ".", "..") for part in parts) or re.search(r"[\\\0:]", file):
        raise BadInput(f"{address} leads out of its repository", hint=FORM)
    if not file.lower().endswith(".gguf"):
        raise BadInput(f"{address} is not a GGUF file", hint=FORM)
    return HubFile(f"{owner}/{repo}", revision or "main", file)


def located(address: str) -> Path:
    """Where the file is on this machine: in the hub's cache, fetched into it first if it is not there."""
    wanted, hub = named(address), _library()
    found = hub.try_to_load_from_cache(wanted.repo, wanted.file, revision=wanted.revision)
    path = Path(found) if isinstance(found, str) else _fetched(address, wanted, hub)
    cache = Path(hub.constants.HF_HUB_CACHE).resolve()
    if not path.resolve().is_relative_to(cache):  # a link in the cache that somebody bent
        raise BadInput(f"{path} leads out of the cache {cache}", hint=f"remove {path}")
    return path


def _fetched(address: str, wanted: HubFile, hub: Any) -> Path:
    hub.logging.set_verbosity_error()  # what goes wrong is said once, below
    try:
        return Path(
            hub.hf_hub_download(
                wanted.repo,
                wanted.file,
                revision=wanted.revision,
                library_name="promptkit",
                endpoint=os.environ.get("HF_ENDPOINT") or None,
                tqdm_class=_bar(),
            )
        )
    except Exception as error:
        if (failure := _failure(address, wanted, error, hub)) is None:
            raise
        raise failure from None


def _failure(address: str, wanted: HubFile, error: Exception, hub: Any) -> PromptkitError | None:
    """The hub's error as one of ours; None when it is none of the hub's."""
    page = f"see https://huggingface.co/{wanted.repo}"
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in kinds:
        return KeyMissing(f"{wanted.repo} is given to those who asked for it", hint=f"{page}\nthen: hf auth login")
    if kinds & {"RepositoryNotFoundError", "RevisionNotFoundError"}:
        what = "no repository" if "RepositoryNotFoundError" in kinds else f"no revision {wanted.revision!r} of"
        return ModelMissing(f"the hub has {what} {wanted.repo}", hint=f"{page}\nif it is private: hf auth login")
    if kinds & {"RemoteEntryNotFoundError"}:
        return ModelMissing(f"{wanted.repo} has no file {wanted.file}", hint=f"{page}/tree/{wanted.revision}")
    if kinds & {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "TransportError", "HTTPError", "ConnectionError"}:
        off = hub.constants.HF_HUB_OFFLINE
        why = "HF_HUB_OFFLINE is set" if off else "the hub cannot be reached"
        there = "once online: the same command\nor any GGUF file you have: -m llamacpp:path/to/model.gguf"
        hint = f"{'unset HF_HUB_OFFLINE' if off else 'check the network'}; {there}"
        return Unreachable(f"{address} is not in the cache {hub.constants.HF_HUB_CACHE}, and {why}", hint=hint)
    if isinstance(error, OSError):
        reason = error.strerror or error
        return PromptkitError(f"{address} cannot be fetched: {reason}", hint="HF_HOME=/a/folder with room")
    return None


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.constants
    except ImportError as error:
        raise BadInput(f"{SCHEME} needs the library of the hub", hint='pip install "promptkit[hub]"') from error
    return huggingface_hub


def _bar() -> Any:
    """The hub's progress bar, on a terminal alone."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *given: Any, **how: Any) -> None:
            super().__init__(*given, **{**how, "disable": sys.stderr is None or not sys.stderr.isatty()})

    return Bar
