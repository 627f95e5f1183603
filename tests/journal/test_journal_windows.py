"""Processes on Windows, told by a stand-in for its kernel: what it answers is written down, no Windows was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from promptkit.journal import lease, windows
from promptkit.journal.lease import Owner, alive

BORN = 133_500_000_000_000_000  # 100 ns since 1601: more than 32 bits


@dataclass
class Kernel:
    """A Windows on which some processes run."""

    running: dict[int, int]  # pid -> when it was created
    ended: set[int] = field(default_factory=set)  # gone, but somebody holds a handle
    denied: set[int] = field(default_factory=set)
    open: list[int] = field(default_factory=list)

    def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:
        assert (access, inherit) == (0x1000, False)
        if pid in self.denied or pid not in {*self.running, *self.ended}:
            return 0
        self.open.append(pid)
        return pid

    def GetLastError(self) -> int:
        return 5 if self.denied else 87

    def GetExitCodeProcess(self, handle: int, code: Any) -> int:
        code._obj.value = 259 if handle in self.running else 1
        return 1

    def GetProcessTimes(self, handle: int, created: Any, *_: Any) -> int:
        created._obj.dwHighDateTime, created._obj.dwLowDateTime = divmod(self.running[handle], 2**32)
        return 1

    def CloseHandle(self, handle: int) -> int:
        self.open.remove(handle)
        return 1


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        (Kernel({7: BORN}), ("R", BORN)),
        (Kernel({}), ("X", 0)),
        (Kernel({}, ended={7}), ("X", 0)),
        (Kernel({}, denied={7}), None),
    ],
    ids=["it runs", "there is none", "it has ended", "it is somebody else's"],
)
def test_a_process(kernel: Kernel, says: tuple[str, int] | None) -> None:
    assert windows.process(7, kernel) == says
    assert kernel.open == []  # every handle was given back


def test_a_lease_is_not_fooled_by_a_pid_that_was_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel({7: BORN})
    monkeypatch.setattr(lease, "_boot", str)
    monkeypatch.setattr(lease, "_stat", lambda pid: windows.process(pid, kernel))
    holder = Owner("", 7, BORN, "session")
    assert alive(str(holder))
    kernel.running[7] = BORN + 1
    assert not alive(str(holder))
    del kernel.running[7]
    assert not alive(str(holder))
