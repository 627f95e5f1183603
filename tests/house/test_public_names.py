"""The public surface: what `import promptkit` offers. A change here is a change for users."""

from __future__ import annotations

import promptkit

NAMES = """
Capabilities Completion Message Model Outcome Problem PromptkitError Record Request Scripted Strategy Usage __version__
aresume areplay arun as_runnable emit open_journal plan record replay resume run runs span stream watch
""".split()


def test_the_public_names_are_pinned() -> None:
    assert sorted(promptkit.__all__) == sorted(NAMES)


def test_every_public_name_is_there() -> None:
    assert all(getattr(promptkit, name) is not None for name in NAMES)


def test_every_public_function_and_class_says_what_it_gives() -> None:
    silent = [name for name in NAMES if name != "__version__" and not getattr(promptkit, name).__doc__]
    assert silent == []
