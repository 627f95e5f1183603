"""The command line. `main()` is the console script; everything heavy is imported after the words are known."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing costs more than printing a version
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code (cli/exits.py lists them)."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from promptkit import __version__

        print(f"promptkit {__version__}")
        sys.exit(0)
    import gc
    import signal

    gc.set_threshold(50_000)  # a command is short: looking for rubbish hundreds of times would be a tenth of it

    signal.signal(signal.SIGTERM, _stop)
    try:
        from promptkit.cli.front import start

        code = start(sys.argv[1:])
        gc.freeze()  # the process is about to end: nothing in it needs to be looked through once more
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # one more Ctrl-C while python packs up: no traceback
        sys.exit(code)
    except KeyboardInterrupt:  # so early that nothing had begun, or for a second time
        sys.exit(130)


def _stop(*_: object) -> NoReturn:
    """End as Ctrl-C does: the best so far is printed, the run can be resumed."""
    raise KeyboardInterrupt
