"""Every strategy has its calls written down, and makes the same ones in whatever order replies come.

GOLDEN=write rewrites the files in tests/golden/call_graphs; read the diff before you keep it.
"""

from __future__ import annotations

import importlib
import pkgutil

import call_graphs
import pytest
from call_graph import GOLDEN, Case, drawn, same_as_golden

from promptkit import registry

# Strategies whose case is still to be written; it must become empty.
WANTED: set[str] = set()

ROOMS = [importlib.import_module(f"call_graphs.{each.name}") for each in pkgutil.iter_modules(call_graphs.__path__)]
CASES: dict[str, Case] = {name: case for room in ROOMS for name, case in room.CASES.items()}


def test_no_case_has_the_name_of_another() -> None:
    assert len(CASES) == sum(len(room.CASES) for room in ROOMS)


def test_every_strategy_has_a_case() -> None:
    shown = {registry.name_of("strategy", case.strategy) for case in CASES.values()}
    assert set(registry.BUILT_IN["strategy"]) - shown - WANTED == set()
    assert shown & WANTED == set(), "these have one now: take them off WANTED"


def test_every_golden_file_has_a_case() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} - CASES.keys() == set()


@pytest.mark.parametrize("name", CASES)
def test_the_calls_are_these(name: str) -> None:
    same_as_golden(name, drawn(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_the_order_in_which_replies_come_changes_nothing(name: str) -> None:
    calls = drawn(CASES[name])
    for shuffle, concurrency in ((1, 1), (2, 20), (3, 20)):
        assert drawn(CASES[name], shuffle=shuffle, concurrency=concurrency) == calls
