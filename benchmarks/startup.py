"""What a command costs before it does anything: whole processes beside `python -c pass`, medians and ratios.

python -m benchmarks.startup [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PUZZLE = ["run", "tot", "-P", "game24", "1 4 9 11", "-q"]
COMMANDS: list[tuple[str, list[str]]] = [
    ("python -c pass", ["-c", "pass"]),
    ("import promptkit", ["-c", "import promptkit"]),
    ("--version", ["-m", "promptkit", "--version"]),
    ("--help", ["-m", "promptkit", "--help"]),
    ("run tot, from the journal", ["-m", "promptkit", *PUZZLE]),
    ("run direct, from the journal", ["-m", "promptkit", "run", "direct", *PUZZLE[2:]]),
]


def main() -> None:
    """Print the table; runs are interleaved, so a noisy moment hits all rows alike."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "PROMPTKIT_HOME": home, "PROMPTKIT_JOURNAL": str(Path(home) / "journal.db")}
        took: dict[str, list[float]] = {name: [] for name, _ in COMMANDS}
        for turn in range(runs + 1):  # the first turn warms caches and fills the journal; it is not counted
            for name, words in COMMANDS:
                started = time.perf_counter()
                subprocess.run([sys.executable, *words], env=env, capture_output=True, check=True)
                if turn:
                    took[name].append(time.perf_counter() - started)
    bare = statistics.median(took[COMMANDS[0][0]])
    print("| command | median ms | × python -c pass |\n|---|--:|--:|")
    for name, seconds in took.items():
        median = statistics.median(seconds)
        print(f"| {name} | {median * 1000:.0f} | {median / bare:.1f} |")


if __name__ == "__main__":
    main()
