"""What the numbers among a strategy's parameters may be, and what is said of one that may not."""

from __future__ import annotations

from promptkit.errors import BadInput


def at_least(least: int, like: object, /, **given: int | None) -> None:
    """BadInput when one of these parameters is given and smaller; the hint shows its flag with a value like this."""
    for name, value in given.items():
        if value is not None and value < least:
            flag = _flag(name)
            raise BadInput(f"{flag} must be at least {least}, not {value}", hint=f"e.g. {flag} {like}")


def fraction(like: object, /, **given: float) -> None:
    """BadInput when one of these parameters is not from 0 to 1; the hint shows its flag with a value like this."""
    for name, value in given.items():
        if not 0 <= value <= 1:
            flag = _flag(name)
            raise BadInput(f"{flag} must be between 0 and 1, not {value:g}", hint=f"e.g. {flag} {like}")


def warm(temperature: float, what: str, /, hint: str = "e.g. --temperature 0.7") -> None:
    """BadInput at temperature 0, where all of what is drawn would be the same; the hint is what to type instead."""
    if temperature <= 0:
        raise BadInput(f"at temperature {temperature:g} all {what} would be the same", hint=hint)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
