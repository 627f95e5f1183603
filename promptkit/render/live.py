"""The display of a run: chosen by what the terminal can do and what the strategy does, redrawn a few times a second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from promptkit.events import HumanAnswered, Record
from promptkit.render import frame, stream, tree, votes
from promptkit.render.plain import PlainDisplay
from promptkit.render.safe import Legible, wrap
from promptkit.render.state import RunState, Snapshot


class Display(Protocol):
    """A sink that shows what it is fed; `state` is what it has seen."""

    state: RunState

    def __call__(self, record: Record, /) -> None:
        """Take one record."""


class View(Protocol):
    """A way to draw a run: `tree`, `votes` and `stream` are such modules."""

    def live(self, snapshot: Snapshot, now: float, width: int, rows: int) -> list[Text]:
        """A frame of at most `rows` lines of at most `width` cells."""

    def final(self, snapshot: Snapshot, width: int, rows: int) -> list[Text]:
        """What stays on the screen."""


_VIEWS: dict[str, View] = {"tot": tree, "sc": votes, "direct": stream, "cot": stream}


def open_display(
    console: Console, strategy: str, *, plain: bool = False, quiet: bool = False
) -> AbstractContextManager[Display]:
    """A sink that draws the block's run on `console`, and leaves its final form there."""
    if quiet or plain or not can_redraw(console):
        return _plain(console, quiet)
    return _live(console, strategy)


def can_redraw(console: Console) -> bool:
    """Whether frames can be drawn over each other here, and whether the user wants that."""
    if os.environ.get("NO_COLOR") or os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return False
    return console.is_terminal and not console.is_dumb_terminal and not console.legacy_windows


def view_of(strategy: str, snapshot: Snapshot) -> View:
    """The strategy's view; of an unknown one, whatever it turns out to do."""
    known = _VIEWS.get(strategy)
    whole = bool(snapshot.nodes) and not (snapshot.only_nested and (snapshot.votes or len(snapshot.trees) > 1))
    return known or (tree if whole else votes if snapshot.votes else stream)  # one of several trees is not the run


@contextmanager
def _plain(console: Console, quiet: bool) -> Iterator[Display]:
    yield PlainDisplay(console, quiet=quiet)


@contextmanager
def _live(console: Console, strategy: str) -> Iterator[Display]:
    screen = LiveDisplay(console, strategy)
    screen.draw()
    try:
        yield screen
    finally:
        screen.pause()
        screen.leave()


@contextmanager
def paused(display: object) -> Iterator[None]:
    """Nothing is drawn in the block, and what it writes stays on the screen."""
    if not isinstance(display, LiveDisplay):
        yield
        return
    display.pause()
    yield
    display.draw()  # not where the block was interrupted: the run ends then


class LiveDisplay:
    """What is drawn at any moment; the clock decides when, never an event."""

    def __init__(self, console: Console, strategy: str, clock: Callable[[], float] = time.time) -> None:
        self.state = RunState()
        self._console = console
        self._strategy = strategy
        self._clock = clock
        self._drawn: list[int] = []  # widths of the lines on the screen
        self._width = 0
        self._drawing: Live | None = None

    def __call__(self, record: Record) -> None:
        self.state.feed(record)
        if isinstance(record.event, HumanAnswered) and record.event.by != "terminal":
            self._console.print(Legible(*_exchange(record.event, self._console.width)))

    def draw(self) -> None:
        """Begin to draw, from where the cursor is."""
        # stdout is the answer's alone, so it is not captured; what is logged to stderr is drawn above the frame.
        self._drawing = Live(  # one of its own each time: it takes back the lines that it has drawn
            console=self._console,
            get_renderable=self.frame,
            refresh_per_second=frame.FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            vertical_overflow="crop",
        )
        self._drawing.start()

    def pause(self) -> None:
        """Take the frame off the screen; safe to call twice."""
        if self._drawing is not None:
            self._drawing.stop()
        self._drawing, self._drawn = None, []

    def frame(self) -> Legible:
        """The frame of this moment, measured when it is drawn."""
        self._clear_reflowed()
        return Legible(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        snapshot = self.state.snapshot()
        # The last row stays free: a frame that fills the screen scrolls it.
        width, rows = options.max_width, max(1, console.height - 1)
        lines = view_of(self._strategy, snapshot).live(snapshot, self._clock(), width, rows)
        self._drawn, self._width = [line.cell_len for line in lines], width
        yield from lines

    def leave(self) -> None:
        """Print the final form, and everything the user should know."""
        snapshot = self.state.snapshot()
        width, rows = self._console.width, max(1, self._console.height - 1)
        gap = frame.margin(width)
        said = frame.indented(frame.warnings(snapshot, max(1, width - gap)), gap)
        lines = view_of(self._strategy, snapshot).final(snapshot, width, rows) if snapshot.run else []
        air = [Text()] if lines and said else []
        if closing := [*lines, *air, *said]:
            self._console.print(Legible(*closing), Text())

    def _clear_reflowed(self) -> None:
        """Take back the rows a narrower terminal has wrapped the last frame into; Live counts only its own."""
        width = self._console.width
        reflows = "XTERM_VERSION" not in os.environ  # xterm cuts instead: there the rows above are the user's
        if reflows and self._drawn and width < self._width:
            extra = sum(max(0, cells - 1) // width for cells in self._drawn)
            step = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
            self._console.control(Control(ControlType.CARRIAGE_RETURN, *(step * extra)))
            self._drawn = []


def _exchange(event: HumanAnswered, width: int) -> list[Text]:
    """A question and its answer, as they stand where they were typed."""
    answer = "(no more questions)" if event.answer is None else event.answer
    return [Text(line) for text in (event.question, f"> {answer}") for line in wrap(text, width)]
