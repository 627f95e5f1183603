"""Runs nobody ran: event sequences for the render tests, and how they are turned into text."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from promptkit import events as e
from promptkit.events import Event, Record
from promptkit.render.safe import Legible
from promptkit.render.state import RunState, Snapshot
from promptkit.types import Usage

START = 1_795_241_702.0  # 21 Nov 2026, 06:15:02 UTC
GOLDEN = Path(__file__).parent.parent / "golden"
NASTY = "so [bold red]4 * 6[/bold red] = 24 \x1b[2J\x1b]0;owned\x07\x9b31mred\x07 \u202egnol\u202c 漢字かな\u200b done"


class Script:
    """Records with numbers and times, a tenth of a second apart."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.spent = Usage()

    def say(self, span: str, *events: Event) -> None:
        for event in events:
            if isinstance(event, e.CallEnded) and not event.cached:
                self.spent += Usage(
                    calls=1, samples=1, input_tokens=event.input_tokens, output_tokens=event.output_tokens
                )
            seq = len(self.records)
            self.records.append(Record(seq, START + seq / 10, span, self.spent, event))

    def begin(self, span: str, draw: int = 0) -> None:
        self.say(span, e.SpanStarted(), e.CallStarted(f"k{span}", (draw,)))

    def end(self, span: str, draw: int = 0, cached: bool = False) -> None:
        self.say(span, e.CallEnded(f"k{span}", (draw,), cached, 182, 32, 0.4), e.SpanEnded())


def tot() -> list[Record]:
    """A game of 24 over three levels, with pruned, merged and illegal thoughts, and a verified end."""
    s = Script()
    params = {"generate": None, "depth": 3, "width": 5, "b": 3, "sample": False}
    s.say("tot", e.SpanStarted(), e.RunStarted("r2c91", "tot", "ollama:qwen3:8b", "4 9 10 13", "game24", params))
    s.say("tot", e.NodeAdded((), "", "4 9 10 13"))
    first = [
        ("13 - 10 = 3", "3 4 9", "sure", 60.0),
        ("13 - 4 = 9", "9 9 10", "likely", 3.0),
        ("10 + 13 = 23", "4 9 23", "likely", 2.001),
        ("10 - 4 = 6", "6 9 13", "impossible", 0.003),
        ("4 + 9 = 13", "10 13 13", "impossible", 0.003),
    ]
    _level(s, 1, [()], {(): first}, [0, 1, 2])
    second: dict[tuple[int, ...], list[tuple[str, str, str, float]]] = {
        (0,): [
            ("9 - 3 = 6", "4 6", "sure", 60.0),
            ("3 * 4 = 12", "9 12", "likely", 3.0),
            ("4 + 9 = 13", "3 13", "impossible", 0.003),
            ("9 - 4 = 5", "3 5", "impossible", 0.003),
            ("3 + 9 = 12", "4 12", "impossible", 0.003),
        ],
        (1,): [("9 / 9 = 1", "1 10", "likely", 2.001), ("9 + 9 = 18", "10 18", "impossible", 0.003)],
        (2,): [("9 - 4 = 5", "5 23", "impossible", 0.003), ("23 - 9 = 14", "4 14", "impossible", 0.003)],
    }
    _level(s, 2, [(0,), (1,), (2,)], second, [0, 1, 2], illegal=[((1, 2), "9 * 11 = 99")], merged=[((2, 2), (0, 0))])
    for i in range(3):
        s.begin(f"tot/level-3/propose/{i}")
    s.say("tot/level-3/propose/0", e.Delta((0,), "Only 4 and 6 are left.\n4 * 6 = 24"))
    s.say("tot/level-3/propose/1", e.Delta((0,), NASTY))
    s.say("tot", e.Warned("ollama context is 4096 tokens", "promptkit run … -o num_ctx=8192"))
    return s.records


def _level(
    s: Script,
    level: int,
    parents: list[tuple[int, ...]],
    thoughts: dict[tuple[int, ...], list[tuple[str, str, str, float]]],
    kept: list[int],
    illegal: Iterable[tuple[tuple[int, ...], str]] = (),
    merged: Iterable[tuple[tuple[int, ...], tuple[int, ...]]] = (),
) -> None:
    at = f"tot/level-{level}"
    for i, parent in enumerate(parents):
        s.begin(f"{at}/propose/{i}")
        s.end(f"{at}/propose/{i}", cached=i == 1)
        for j, (thought, state, _, _) in enumerate(thoughts[parent]):
            s.say(f"{at}/propose", e.NodeAdded((*parent, j), thought, state))
    for path, into in merged:
        s.say("tot", e.NodeAdded(path, "23 - 4 = 19", "9 19"), e.NodeMerged(path, into))
    for path, thought in illegal:
        s.say("tot", e.NodePruned(path, "illegal", thought))
    valued: list[tuple[tuple[int, ...], float]] = []
    for parent in parents:
        for j, (_, _, word, score) in enumerate(thoughts[parent]):
            s.begin(f"{at}/value/{len(valued)}")
            s.end(f"{at}/value/{len(valued)}")
            s.say(f"{at}/value", e.NodeValued((*parent, j), score, (word, word, None)))
            valued.append(((*parent, j), score))
    valued.sort(key=lambda node: -node[1])
    for path, _ in valued[len(kept) :]:
        s.say("tot", e.NodePruned(path, "score"))
    for rank in kept:
        s.say("tot", e.NodeSelected(valued[rank][0], rank))
    s.say("tot", e.LevelDone(level, 3, len(kept), len(valued), 0))


def tot_ended() -> list[Record]:
    """The same game, won."""
    s = Script()
    s.records = tot()
    s.spent = s.records[-1].spent
    for i in range(3):
        s.end(f"tot/level-3/propose/{i}")
    s.say("tot/level-3/propose", e.NodeAdded((0, 0, 0), "4 * 6 = 24", "24", verified=True))
    s.say("tot/level-3/propose", e.Best("4 * (9 - (13 - 10))", text="24", verified=True, node=(0, 0, 0)))
    s.say("tot", e.NodeSelected((0, 0, 0), 0), e.LevelDone(3, 3, 1, 1, 0))
    usage = Usage(calls=38, cached_calls=12, samples=38, input_tokens=6914, output_tokens=1216)
    s.say("tot", e.RunEnded("4 * (9 - (13 - 10))", "done", usage, 0.0, 11.2), e.SpanEnded())
    return s.records


def sc(votes: str = "AABACAAB" + "A" * 9 + "BBC", *, n: int = 20, unread: int = 0, early: bool = False) -> list[Record]:
    """A vote of one letter a sample: A is 18, B is 26, C something long."""
    names = {"A": "18", "B": "26", "C": "about twenty dollars a day, [i]perhaps[/i] 漢字"}
    s = Script()
    question = "Janet's ducks lay 16 eggs a day. She eats three, bakes four and sells the rest at $2. Dollars per day?"
    params = {"n": n, "temperature": 0.7, "max_tokens": None, "quorum": 0.0}
    model = "groq:llama-3.3-70b-versatile"
    s.say("sc", e.SpanStarted(), e.RunStarted("r7f3a", "sc", model, question, "general", params))
    for draw in range(len(votes)):
        s.begin(f"sc/samples-0/{draw}", draw)
    counts: dict[str, int] = {}
    for draw, vote in enumerate(votes):
        s.end(f"sc/samples-0/{draw}", draw)
        lost = draw < unread
        answer = None if lost else names[vote]
        s.say("sc", e.SampleRead(draw, answer, "" if lost else "final"))
        if answer:
            counts[answer] = counts.get(answer, 0) + 1
        best = sorted(counts.items(), key=lambda item: -item[1])
        lead = best[0][1] - (best[1][1] if len(best) > 1 else 0) if best else 0
        seen = draw + 1
        s.say("sc", e.VotesCounted(tuple(best), seen, n, min(seen, unread), 0, lead > n - seen))
    if early:
        s.say("sc", e.Stopped(f"{n - len(votes)} more samples could not change the vote"))
    return s.records


def cot() -> list[Record]:
    """Two replies being written, the first by a model that tries things on the terminal."""
    s = Script()
    s.say("cot", e.SpanStarted(), e.RunStarted("r0a11", "cot", "builtin", "How many\neggs?", "general", {"n": 2}))
    for draw in (0, 1):
        s.begin(f"cot/think/{draw}", draw)
    s.say("cot/think/1", e.Delta((1,), "the second draw"))
    s.say("cot/think/0", e.Delta((0,), "Let me see", reasoning=True))
    text = "She eats three and bakes four, so nine are left.\nNine at two dollars make eighteen.\n\n" + NASTY
    for word in text.split(" "):
        s.say("cot/think/0", e.Delta((0,), f"{word} "))
    return s.records


def storm(rng: random.Random, length: int) -> Iterator[Record]:
    """Events of all kinds in any order, about any node, with no regard for what came before."""
    words = ["a", "13 - 10 = 3", "漢字" * 30, NASTY, "", "x" * 300, "two\nlines", "\ud800"]

    def path() -> tuple[int, ...]:
        return tuple(rng.randrange(4) for _ in range(rng.randrange(5)))

    def word() -> str:
        return rng.choice(words)

    def counts() -> tuple[tuple[str, int], ...]:
        return tuple((word(), n) for n in range(rng.randrange(40), 0, -1))

    kinds: list[Callable[[], Event]] = [
        lambda: e.RunStarted("r1", word(), word(), word(), "p", {"depth": rng.choice([None, 3]), word(): 4}),
        lambda: e.CallStarted(word(), path()),
        lambda: e.CallEnded(word(), path(), rng.random() < 0.3, 10, 20, 0.1),
        lambda: e.Delta(path(), word(), rng.random() < 0.2),
        lambda: e.Retrying(1, 2.0, word()),
        lambda: e.SampleRead(0, rng.choice([None, "1"]), "final"),
        lambda: e.VotesCounted(counts(), 5, rng.choice([0, 9]), 1, 1, True),
        *[lambda: e.NodeAdded(path(), word(), word(), rng.random() < 0.1)] * 6,
        *[lambda: e.NodeValued(path(), rng.random() * 1e4, (word(), None, "sure"))] * 3,
        lambda: e.NodeMerged(path(), path()),
        lambda: e.NodePruned(path(), rng.choice(["illegal", "score", "tie"]), word()),
        lambda: e.NodeSelected(path(), rng.randrange(3)),
        lambda: e.LevelDone(rng.randrange(9), rng.randrange(4), 1, 2, 0),
        lambda: e.Best(word(), 0.5, word(), False, rng.choice([None, path()])),
        lambda: e.Warned(word(), word()),
        lambda: e.BudgetHit("calls", 5, 5),
        lambda: e.Stopped(word()),
        lambda: e.SpanStarted(),
        lambda: e.SpanEnded(rng.choice(["", "Cut"])),
    ]
    spans = ["", "tot", "tot/level-1/propose/0", "tot/level-2/propose/1", "sc/runs/~0", "a/b/c"]
    for seq in range(length):
        kind = rng.choice(kinds)
        yield Record(seq, START + seq / 10, rng.choice(spans), Usage(), kind())


def fed(records: Iterable[Record]) -> RunState:
    """The state after the records."""
    state = RunState()
    for record in records:
        state.feed(record)
    return state


def shot(records: Iterable[Record]) -> Snapshot:
    """The snapshot after the records."""
    return fed(records).snapshot()


def text_of(what: RenderableType | list[Text], width: int, encoding: str = "utf-8", height: int = 24) -> str:
    """What a console of that width and encoding writes, without styles."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(file=file, width=width, height=height, force_terminal=False, color_system=None, _environ={})
    console.print(Legible(*what) if isinstance(what, list) else what)
    file.flush()
    text = raw.getvalue().decode(encoding)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def same_as_golden(name: str, text: str) -> None:
    """Compare with tests/golden/NAME.txt; GOLDEN=write makes it so."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8", newline="\n")
    assert file.exists(), f"no golden file {file.name}; GOLDEN=write makes it"
    assert text == file.read_text(encoding="utf-8")
