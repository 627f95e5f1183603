"""A program that runs, as its keeper sees it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from promptkit.sandbox.inside.kernel import SetupFailed


class Started(NamedTuple):
    """`pid` ends as the program ended; with `first`, where it is another, ends everything in its namespace."""

    pid: int
    first: int = 0
    infrastructure: tuple[int, ...] = ()  # processes of the sandbox itself: not the program's
    status: Callable[[int], int | None] = lambda code: code  # the program's exit status from that of `pid`


def forked(work: Callable[[], None]) -> int:
    """A child at work; SetupFailed when it says that a wall does not stand, before it is what it should become."""
    ear, mouth = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ear)
            work()
            os._exit(0)
        except Exception as error:  # whatever it is, nothing runs without the wall
            os.write(mouth, str(error).encode(errors="replace") or b"unknown")
        finally:
            os._exit(125)
    os.close(mouth)
    with open(ear, "rb") as said:
        trouble = said.read()  # ends when the child becomes the program: nothing of ours stays open then
    if trouble:
        os.waitpid(pid, 0)
        raise SetupFailed(trouble.decode(errors="replace"))
    return pid
