"""Whether a process lives and since when, as Windows tells it: there is no /proc, and os.kill(pid, 0) sends Ctrl-C."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from typing import Any

QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION: also granted for processes of other users
ACCESS_DENIED = 5
STILL_ACTIVE = 259


def process(pid: int, kernel: Any = None) -> tuple[str, int] | None:
    """("R", when it was created) of a process that runs, ("X", 0) of one that does not; None when Windows won't say."""
    kernel = kernel or _kernel32()
    handle = kernel.OpenProcess(QUERY, False, pid)
    if not handle:
        return None if _last_error(kernel) == ACCESS_DENIED else ("X", 0)
    try:
        code, created, other = wintypes.DWORD(), wintypes.FILETIME(), wintypes.FILETIME()
        if not kernel.GetExitCodeProcess(handle, ctypes.byref(code)):
            return None
        if code.value != STILL_ACTIVE:  # somebody holds a handle to it, or it would be gone
            return "X", 0
        times = [ctypes.byref(each) for each in (created, other, other, other)]
        if not kernel.GetProcessTimes(handle, *times):
            return "R", 0
        return "R", created.dwHighDateTime << 32 | created.dwLowDateTime
    finally:
        kernel.CloseHandle(handle)


def _last_error(kernel: Any) -> int:
    if sys.platform == "win32":  # the interpreter calls Windows in between: ctypes has kept ours
        return ctypes.get_last_error()
    return int(kernel.GetLastError())


def _kernel32() -> Any:
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.argtypes = [wintypes.DWORD, wintypes.BOOL, wintypes.DWORD]
        kernel.OpenProcess.restype = wintypes.HANDLE  # without it a handle would be cut to 32 bits
        kernel.GetExitCodeProcess.argtypes = [wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD)]
        kernel.GetProcessTimes.argtypes = [wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4]
        kernel.CloseHandle.argtypes = [wintypes.HANDLE]
        return kernel
    raise OSError("this is not Windows")
