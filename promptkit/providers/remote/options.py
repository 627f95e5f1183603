"""The options of a model behind a server, checked, and what an address says."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from promptkit.errors import BadInput

TIMEOUT = 600.0  # seconds of silence: a reasoning model may think for minutes before its first word

Reader = Callable[[object], Any]  # raises ValueError saying what is wanted


def checked(id: str, options: Mapping[str, object], readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The options, read; BadInput when one is unknown or cannot be used."""
    for name in options:
        if "key" in name.lower():  # its value is not repeated
            hint = f"promptkit keys set {id.partition(':')[0]}"
            raise BadInput(f"{id}: a key is not an option: options are written to the journal", hint=hint)
        if name not in readers:
            raise BadInput(f"{id}: no option {name!r}", hint=f"there are: {', '.join(readers)}")
    read = {}
    for name, value in options.items():
        try:
            read[name] = readers[name](value)
        except ValueError as error:
            raise BadInput(f"{id}: {name} cannot be used", hint=str(error)) from None
    return read


def url(value: object) -> str:
    """An http address without a trailing slash. One that carries a password is refused: it would be stored."""
    text = str(value).strip().rstrip("/")
    parts = urlsplit(text)
    try:
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not set(text) & set(" \t\n")
        )
    except ValueError:  # its own words would repeat what stands in the port's place
        usable = False
    if not usable:
        raise ValueError("an address such as http://127.0.0.1:8080/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address without user, password, ? and #: it is written to the journal")
    return text


def base_url_in(variable: str) -> dict[str, object]:
    """The address that an environment variable names, as the option it stands for; nothing where it is not set."""
    address = os.environ.get(variable, "").strip()
    return {"base_url": address} if address else {}


def seconds(value: object) -> float:
    """A time above 0."""
    with suppress(TypeError, ValueError):
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
        if math.isfinite(number) and number > 0:
            return number
    raise ValueError("seconds above 0")


def whole(low: int, high: int) -> Reader:
    """A reader of whole numbers in a range."""

    def read(value: object) -> int:
        number = int(value) if isinstance(value, str) and value.isdigit() else value
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise ValueError(f"a whole number between {low} and {high}")
        return number

    return read


def is_loopback(address: str) -> bool:
    """Whether the address is on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
