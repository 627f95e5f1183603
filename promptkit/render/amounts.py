"""Numbers as a person reads them: 4.1k tokens, 0:07, $0.0039."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from pathlib import PureWindowsPath

from promptkit.render.safe import one_line
from promptkit.types import Usage

# Not the locale's: output is the same everywhere.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OWN = ("builtin", "llamacpp", "scripted", "ollama")
_LISTED = re.compile(r",(?=[a-z][a-z0-9_-]*:|builtin(?:,|$))")  # a file's name may have commas, too


def many(number: int, noun: str) -> str:
    """`1 thought`, `31 thoughts`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(number: int) -> str:
    """`950`, `4.1k`, `61k`, `1.4M`."""
    if number < 1000:
        return str(number)
    if number < 9_950:
        return f"{number / 1000:.1f}k"
    if number < 999_500:
        return f"{number / 1000:.0f}k"
    return f"{number / 1_000_000:.1f}M"


def clock(seconds: float) -> str:
    """`0:07`, `1:02:03`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def lasting(seconds: float) -> str:
    """`0.3 s`, `11.2 s`, `2 min 05 s`."""
    if seconds < 59.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def money(dollars: float | None, model: str = "") -> str:
    """`$0.0039`, `$1.03`; None is unknown, and 0 is `$0 local` when the model is."""
    if dollars is None:
        return "cost unknown"
    if dollars == 0:
        return "$0 local" if local(model) else "$0"
    return f"${dollars:.2f}" if dollars >= 1 else f"${dollars:.4f}" if dollars >= 0.0001 else f"${dollars:.1g}"


def local(model: str) -> bool:
    """Whether a model of that name, or every one of a list, can only run on the user's own machines."""
    parted = [name.partition(":") for name in _LISTED.split(model)]
    return all(provider in _OWN and not name.endswith("cloud") for provider, _, name in parted)


def score(value: float) -> str:
    """`20`, `1.3`, `0.001`: three digits, no noise."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def calls(usage: Usage) -> str:
    """`38 calls (12 cached)`; the cached ones are among the calls."""
    return _with_cached(usage.calls, usage.cached_calls, "call")


def samples(number: int, cached: int) -> str:
    """`92 samples (12 cached)`; a call may bring several."""
    return _with_cached(number, cached, "sample")


def model(name: str) -> str:
    """A model's name, or those of a list, as shown: of a file, its last part: `llamacpp:qwen.gguf,builtin`."""
    return ",".join(map(_shown, _LISTED.split(one_line(name))))


def _shown(name: str) -> str:
    kind, colon, rest = name.partition(":")
    if kind not in ("llamacpp", "scripted"):
        return kind + colon + rest
    return f"{kind}{colon}{PureWindowsPath(rest).name}"  # it reads both kinds of slashes


def _with_cached(number: int, cached: int, noun: str) -> str:
    note = "all cached" if cached >= number else f"{cached:,} cached"
    return f"{many(number, noun)} ({note})" if cached else many(number, noun)


def day_time(epoch: float, zone: tzinfo | None = None) -> str:
    """`21 Nov 06:15` on the reader's clock."""
    when = datetime.fromtimestamp(epoch, zone)
    return f"{when.day} {_MONTHS[when.month - 1]} {when:%H:%M}"


def milliseconds(epoch: float, zone: tzinfo | None = None) -> str:
    """`06:15:02.114` on the reader's clock."""
    when = datetime.fromtimestamp(epoch, zone)
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"
