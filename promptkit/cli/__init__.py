"""The command line. `main()` is the console script; everything heavy is imported after the words are known."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code (cli/exits.py lists them)."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from promptkit import __version__

        print(f"promptkit {__version__}")
        sys.exit(0)
    from promptkit.cli.app import start

    sys.exit(start(sys.argv[1:]))
