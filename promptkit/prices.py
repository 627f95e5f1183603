"""What a model costs: the user's prices.toml, then the genai-prices package, then what the model says of itself.

["openai:gpt-4.1-mini"]   # the model's name, as after -m
input = 0.40              # USD per million tokens
output = 1.60

The project's file lies beside its promptkit.toml and comes before the user's. A price nobody knows is None, never 0.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput
from promptkit.types import Capabilities

FILE = "prices.toml"
PACKAGE = "genai-prices"
EXAMPLE = '["openai:gpt-4.1-mini"]\ninput = 0.40\noutput = 1.60'
UNLISTED = ("builtin", *places.FILE_MODELS)  # no vendor serves them
OTHERWISE = ("requests_kcount",)  # what is charged for every call, whatever its tokens


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens, and who says so; reasoning is output."""

    input: float
    output: float
    where: str  # a file, "genai-prices", "the model" or "local"
    dearer: tuple[tuple[int, float, float], ...] = ()  # (input tokens of a call, input, output) for more than these

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """USD of one call; input that the vendor had cached counts in full, so it is never too little."""
        rates = (self.input, self.output)
        for above, *dear in self.dearer:
            if input_tokens > above:
                rates = (dear[0], dear[1])
        return (input_tokens * rates[0] + output_tokens * rates[1]) / 1e6


def price_of(model: str, capabilities: Capabilities, identity: str = "") -> Price | None:
    """The price of a model by its name; None when nobody knows. `identity` tells the address it is served at."""
    for file in files():
        if rates := written(file).get(model):
            return Price(*rates, where=str(file))
    if capabilities.local:
        return Price(0.0, 0.0, "local")
    kind, _, name = model.removeprefix("langchain:").partition(":")
    if name and kind not in UNLISTED and (listed := _listed(kind, name, _address(identity))):
        return listed
    return Price(*capabilities.price, where="the model") if capabilities.price else None


def files() -> list[Path]:
    """The files that are looked into, the first wins; they need not exist."""
    root = places.project()
    return [*([root / FILE] if root else []), places.user_data() / FILE]


def listing() -> bool:
    """Whether the genai-prices package is installed."""
    from importlib.util import find_spec

    return find_spec("genai_prices") is not None


def _address(identity: str) -> str:
    with suppress(ValueError, RecursionError):
        told = json.loads(identity)
        return str(told.get("base_url") or "") if isinstance(told, dict) else ""
    return ""


@lru_cache(maxsize=64)
def _listed(kind: str, name: str, address: str) -> Price | None:
    """The price in genai-prices' own table; its look for a newer one on the network is never started."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    try:
        nothing = Usage(input_tokens=0, output_tokens=0)
        if address:  # whoever serves it sets its price: a model on your own machine is nobody's
            told = calc_price(nothing, name, provider_api_url=address)
        else:
            told = calc_price(nothing, name, provider_id=kind)
        if not address and told.provider.id != kind:  # it guesses at providers it does not know
            return None
        return _rates(told.model_price)
    except Exception:  # unknown to it, or it has changed: then nobody knows
        return None


def _rates(told: Any) -> Price | None:
    """The rates, and those of calls with longer prompts; where reasoning costs more, all output counts so."""
    if told.input_mtok is None or told.output_mtok is None or any(getattr(told, name, None) for name in OTHERWISE):
        return None
    written = [told.output_mtok, *filter(None, [getattr(told, "output_reasoning_mtok", None)])]
    starts = sorted({tier.start for part in (told.input_mtok, *written) for tier in getattr(part, "tiers", ())})
    steps = [
        (start, _rate(told.input_mtok, start), max(_rate(part, start) for part in written)) for start in (-1, *starts)
    ]
    return Price(*steps[0][1:], where=PACKAGE, dearer=tuple(steps[1:]))


def _rate(part: Any, start: int) -> float:
    """The rate of calls with more than `start` tokens of input."""
    reached = [tier.price for tier in getattr(part, "tiers", ()) if tier.start <= start]
    return float(reached[-1] if reached else getattr(part, "base", part))


def written(file: Path) -> dict[str, tuple[float, float]]:
    """The prices in a file, USD per million tokens in and out by model; none where there is no file."""
    if not file.is_file():
        return {}
    told = file.stat()
    return _read(file, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=8)
def _read(file: Path, *version: int) -> dict[str, tuple[float, float]]:
    """Every price of a file, checked: a misspelt one would count as unknown for ever."""
    import tomllib  # most runs have no file to read

    try:
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise BadInput(f"{file}: {error}", hint="mend the file or move it aside") from error
    return {name: _checked(f"{file}:{_line(text, name)}", name, rates) for name, rates in found.items()}


def _checked(where: str, name: str, rates: Any) -> tuple[float, float]:
    fault = "" if isinstance(rates, dict) else "must be a table with input and output"
    if not fault:
        known = [field for field in ("input", "output") if field in rates]
        strange = next((field for field in rates if field not in ("input", "output")), None)
        fault = f"has no field {strange!r}" if strange is not None else "" if len(known) == 2 else _missing(known)
    if not fault:
        wrong = next((field for field in rates if not _is_amount(rates[field])), None)
        fault = f"{wrong} must be USD per million tokens, 0 or more" if wrong else ""
    if fault:
        raise BadInput(f"{where}: {name} {fault}", hint=f"e.g.\n{EXAMPLE}")
    return float(rates["input"]), float(rates["output"])


def _missing(known: list[str]) -> str:
    return f"has no {' and no '.join(field for field in ('input', 'output') if field not in known)}"


def _is_amount(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    with suppress(OverflowError):  # an integer of hundreds of digits
        return math.isfinite(value) and float(value) >= 0
    return False


def _line(text: str, name: str) -> int:
    """The line a model's price begins at."""
    lines = enumerate(text.split("\n"), start=1)
    return next((number for number, line in lines if name in line.partition("#")[0]), 1)
