"""Tables of next tokens in a scripted model's file: what follows a text, with probabilities that add up to 1.

next:
  - after: "The cat"                 # how the text ends: the longest that fits; without it any text
    tokens: {" is": 0.6, " sat": 0.3, "": 0.05}   # by text; "" ends the text
    rest: 0.05                       # of tokens that are not told, if any
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, log
from pathlib import Path
from typing import Any

from promptkit.errors import BadInput
from promptkit.types import Completion, Finish, Request, Token, Usage

FORM = 'next: [{after: "The cat", tokens: {" is": 0.6, " sat": 0.4}}, …]'
ROUNDING = 1e-6  # by which written probabilities may miss 1


@dataclass(frozen=True, slots=True)
class Table:
    """What may follow a text that ends so: tokens and their probabilities, likeliest first."""

    after: str
    tokens: tuple[tuple[str, float], ...]


def tables(path: Path, body: Any) -> tuple[Table, ...]:
    """The tables of a file's `next`; BadInput says which of them is wrong, and how."""
    if not isinstance(body, list) or not body:
        raise BadInput(f"{path}: next is not a list of tables", hint=FORM)
    found: dict[str, Table] = {}
    for number, each in enumerate(body, start=1):
        table = _table(f"{path}: table {number} of next", each)
        if table.after in found:
            raise BadInput(f"{path}: next has two tables after {table.after!r}", hint="one table for each ending")
        found[table.after] = table
    return tuple(sorted(found.values(), key=lambda table: -len(table.after)))


def _table(where: str, each: Any) -> Table:
    if (
        not isinstance(each, dict)
        or set(each) - {"after", "tokens", "rest"}
        or not isinstance(each.get("tokens"), dict)
    ):
        raise BadInput(f"{where} is not of the form after/tokens/rest", hint=FORM)
    after, tokens = each.get("after", ""), each["tokens"]
    if not isinstance(after, str):
        raise BadInput(f"{where}: after must be text, not {after!r}", hint=f'after: "{after}"')
    for token, p in tokens.items():
        if not isinstance(token, str):
            raise BadInput(f"{where}: a token must be text, not {token!r}", hint=f'"{token}": {p}')
        if not _share(p) or p == 0:
            raise BadInput(f"{where}: the probability of {token!r} must be above 0 and at most 1, not {p!r}", hint=FORM)
    if not tokens:
        raise BadInput(f"{where} has no token", hint=FORM)
    rest = each.get("rest", 0)
    if not _share(rest):
        raise BadInput(f"{where}: rest must be a probability, not {rest!r}", hint="rest: 0.05")
    if abs((mass := fsum([*tokens.values(), rest])) - 1) > ROUNDING:
        hint = f"rest: {1 - mass:.6g} for tokens that are not told" if mass < 1 else "probabilities add up to 1"
        raise BadInput(f"{where}: its probabilities add up to {mass:.6g}, not 1", hint=hint)
    return Table(after, tuple(sorted(tokens.items(), key=lambda pair: -pair[1])))


def _share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def following(tables: tuple[Table, ...], text: str) -> Table | None:
    """The table of the longest ending the text has."""
    return next((table for table in tables if text.endswith(table.after)), None)


def told(table: Table, request: Request, model: str) -> Completion:
    """The likeliest token as a completion, with as many alternatives as the request asks for."""
    token, p = table.tokens[0]
    top = tuple((text, log(share)) for text, share in table.tokens[: request.logprobs])
    usage = Usage(input_tokens=sum(len(turn.text.split()) for turn in request.messages), output_tokens=1)
    finish: Finish = "length" if token else "stop"
    return Completion(text=token, model=model, usage=usage, finish=finish, logprobs=(Token(token, log(p), top),))
