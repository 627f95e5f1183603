"""A bad connection costs time and nothing else: no call is lost, paid twice or misreported, and the counts agree."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from wire_server import alone

from benchmarks.faults import ADAPTERS, FAULTS, Result, put_through
from benchmarks.server import serving


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)
    (tmp_path / "promptkit.toml").write_text("[retry]\nattempts = 12\n", "utf-8")  # 19 % to the power of 12 is nobody
    monkeypatch.chdir(tmp_path)


def put(kind: str, calls: int, *faults: str, patience: float) -> Result:
    with serving("--faults", FAULTS, "--seed", "1", *faults) as address:
        return asyncio.run(put_through(kind, address, calls, patience=patience))


def hold(got: Result, calls: int) -> None:
    """Nothing lost, nothing twice, nothing wrong, and both sides count alike."""
    # On a machine with no time left the client may give up what the server has not even read: `late` is mostly 0.
    late = sum(n for said, n in got.tried.items() if "took too long" in said) - got.told["broken"].get("stall", 0)
    assert (got.lost, got.why) == (0, [])
    assert (got.wrong, got.answered_unheard, got.unanswered_heard, got.unsettled) == (0, 0, 0, 0)
    assert got.told["answered"] == calls
    assert got.told["answered_twice"] <= late
    assert 0 <= got.attempts - got.told["requests"] <= late, got.tried
    assert got.attempts == calls + sum(got.told["broken"].values()) + late, got.tried
    assert got.again == 0  # all of it is in the journal


@pytest.mark.parametrize("kind", ADAPTERS)
def test_eighty_calls(kind: str, instant_retries: None) -> None:
    got = put(kind, 80, "--retry-after-ms", "20", patience=2.5)  # with this seed they meet every fault, one stall
    hold(got, 80)
    assert set(got.told["broken"]) == {"429", "500", "reset", "stall", "cut", "garbled"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_thousand_calls(kind: str, instant_retries: None) -> None:
    got = put(kind, 1000, "--retry-after-ms", "200", patience=10.0)
    hold(got, 1000)
    assert set(got.told["broken"]) == {"429", "500", "reset", "stall", "cut", "garbled"}
