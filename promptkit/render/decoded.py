"""Ways of decoding side by side: what each wrote, how probable that is to the model, and how open it was."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptkit.render.amounts import many
from promptkit.render.next_tokens import share
from promptkit.render.pieces import readable, visible
from promptkit.render.safe import one_line

HEAD = ("way", "text", "probability", "bits", "")
BY_TOKEN = ("way", "token", "p", "bits", "kept")


def rows(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each way, and one for each beam; bits are the mean entropy of its tokens."""
    found = [
        (way["way"], shown(way), share(way["probability"]), f"{way['entropy_bits']:.2f}", _note(way))
        for way in told["ways"]
    ]
    return [*found, *(_beams(told["beam"]) if told["beam"] else ())]


def _beams(beam: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    tied = [_key(each) for each in beam["tie"]]
    inside = [_key(each) for each in beam["beams"]]
    for place, each in enumerate(beam["beams"], start=1):
        yield f"beam {place}", shown(each), share(each["probability"]), "", "tie" if _key(each) in tied else ""
    for each in beam["tie"]:
        if _key(each) not in inside:
            yield "beam -", shown(each), share(each["probability"]), "", "tie, left out"


def _key(beam: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple((token["text"], token["id"]) for token in beam["tokens"])


def shown(written: Mapping[str, Any]) -> str:
    """A text on one line, its line breaks and what else steers a terminal visible, and whether it ended by itself."""
    text = readable(written["text"]).strip(" ")
    line = one_line("".join(visible(char) if unicodedata.category(char) == "Cc" else char for char in text))
    return f"{line} (end)".strip() if written["ended"] else line or visible(written["text"])


def _note(way: Mapping[str, Any]) -> str:
    ties = [place for place, token in enumerate(way["tokens"], start=1) if token["tie"]]
    if ties:
        return f"the likeliest; a tie at token {', '.join(map(str, ties[:4]))}, the first one taken"
    return str(way["rules"]) if way["rules"] != "as it is" else "temperature 1"


def by_token(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each token of each way: its probability, the entropy it was drawn from, the tokens that were kept."""
    return [
        (
            way["way"],
            visible(token["text"], token["id"]),
            share(token["p"]),
            f"{token['entropy_bits']:.2f}",
            f"{token['kept']:,}",
        )
        for way in told["ways"]
        for token in way["tokens"]
    ]


def summary(told: Mapping[str, Any]) -> Sequence[str]:
    """What a reader should know beside the table: ties, and what was not told."""
    said = []
    beam = told["beam"]
    if beam and beam["tie"]:
        names = [shown(each) for each in beam["tie"]]
        p = share(beam["tie"][0]["probability"])
        said.append(f"a tie at {p} where the beam ends: {_listed(names)}; the first ones stay")
    if beam and not beam["exact"]:
        said.append("the model does not tell every token: a likelier beam may have been missed")
    if rest := max((way["rest"] for way in told["ways"]), default=0.0):
        said.append(f"up to {share(rest)} of a token's mass was not told: nothing was drawn from it")
    return said


def _listed(names: Sequence[str]) -> str:
    more = [many(len(names) - 4, "more")] if len(names) > 4 else []
    *first, last = [f'"{name}"' for name in names[:4]] + more
    return f"{', '.join(first)} and {last}" if first else last
