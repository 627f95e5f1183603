"""Who is ahead while votes come in, told to whoever watches."""

from __future__ import annotations

from promptkit.events import Best, emit


class Leader:
    """The leader of one vote, if there is one."""

    def __init__(self) -> None:
        self._held = False

    def told(self, best: Best | None) -> None:
        """Tell the answer that is ahead; None where the lead is shared or nothing was read."""
        if best is not None:
            emit(best)
        elif self._held:  # a moment ago; now it is nobody's answer
            emit(Best(None))
        self._held = best is not None
