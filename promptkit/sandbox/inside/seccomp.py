"""A filter of system calls: what only attacks and administrators need is refused by the kernel at the door.

Refused are mounting, new namespaces, tracing, keys, BPF, io_uring, modules, clocks, and every socket but TCP and UDP:
vsock reaches the host of a virtual machine through any namespace, a unix socket whatever listens behind a file.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from promptkit.sandbox.inside.kernel import checked, libc

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_SAME = """clone3:435 fsconfig:431 fsmount:432 fsopen:430 fspick:433 io_uring_enter:426 io_uring_register:427
io_uring_setup:425 mount_setattr:442 move_mount:429 open_tree:428 pidfd_getfd:438 quotactl_fd:443 open_tree_attr:467"""
_TABLE = {
    "x86_64": """acct:163 add_key:248 bpf:321 chroot:161 clock_adjtime:305 clock_settime:227 clone:56 delete_module:176
    fanotify_init:300 finit_module:313 init_module:175 ioctl:16 ioperm:173 iopl:172 kcmp:312 kexec_file_load:320
    kexec_load:246 keyctl:250 lookup_dcookie:212 migrate_pages:256 modify_ldt:154 mount:165 move_pages:279 mq_open:240
    msgget:68 name_to_handle_at:303 open_by_handle_at:304 perf_event_open:298 pivot_root:155 process_vm_readv:310
    process_vm_writev:311 ptrace:101 quotactl:179 reboot:169 request_key:249 semget:64 setdomainname:171
    sethostname:170 setns:308 settimeofday:164 shmget:29 socket:41 swapoff:168 swapon:167 syslog:103 umount2:166
    unshare:272 userfaultfd:323 vhangup:153""",
    "aarch64": """acct:89 add_key:217 bpf:280 chroot:51 clock_adjtime:266 clock_settime:112 clone:220 delete_module:106
    fanotify_init:262 finit_module:273 init_module:105 ioctl:29 kcmp:272 kexec_file_load:294 kexec_load:104 keyctl:219
    lookup_dcookie:18 migrate_pages:238 mount:40 move_pages:239 mq_open:180 msgget:186 name_to_handle_at:264
    open_by_handle_at:265 perf_event_open:241 pivot_root:41 process_vm_readv:270 process_vm_writev:271 ptrace:117
    quotactl:60 reboot:142 request_key:218 semget:190 setdomainname:162 sethostname:161 setns:268 settimeofday:170
    shmget:194 socket:198 swapoff:225 swapon:224 syslog:116 umount2:39 unshare:97 userfaultfd:282 vhangup:58""",
}
_OWN_RULES = {"clone", "clone3", "ioctl", "socket"}  # allowed or refused by their arguments
_SHARED_MEMORY = {"mq_open", "msgget", "semget", "shmget"}  # harmless in an IPC namespace of one's own

AF_INET, AF_INET6 = 2, 10
NEW_NAMESPACES = 0x7E020000 | 0x80  # every CLONE_NEW… flag
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # offsets in the kernel's seccomp_data
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def available() -> bool:
    """Whether this kernel and architecture take the filter."""
    return platform.machine() in ARCHITECTURES and libc().prctl(21, 0, 0, 0, 0) == 0  # PR_GET_SECCOMP


def program(*, network: bool, ipc: bool) -> bytes:
    """The filter in the kernel's form; `network` and `ipc` say that these are the sandbox's own."""
    machine = platform.machine()
    numbers = {
        name: int(number) for name, _, number in (e.partition(":") for e in f"{_TABLE[machine]} {_SAME}".split())
    }
    code = [_op(_LOAD, _ARCH), _op(_EQUAL, ARCHITECTURES[machine], 1, 0), _op(_RETURN, _KILL), _op(_LOAD, _NUMBER)]
    if machine == "x86_64":  # the x32 calls are the same ones under other numbers
        code += [_op(_AT_LEAST, 0x40000000, 0, 1), _refusal(errno.ENOSYS)]
    for name, number in sorted(numbers.items()):
        if name not in _OWN_RULES and not (ipc and name in _SHARED_MEMORY):
            code += [_op(_EQUAL, number, 0, 1), _refusal(errno.EPERM)]
    # Its flags lie in memory, where a filter cannot look; the C library then takes clone.
    code += [_op(_EQUAL, numbers["clone3"], 0, 1), _refusal(errno.ENOSYS)]
    flags = [_op(_LOAD, _ARG0), _op(_ANY_BIT, NEW_NAMESPACES, 0, 1), _refusal(errno.EPERM)]
    code += _when(numbers["clone"], flags)
    code += _when(numbers["ioctl"], [_op(_LOAD, _ARG1), *_refused(TERMINAL_INJECTION)])
    families = [_op(_EQUAL, family, 0, 1) + _op(_RETURN, _ALLOW) for family in (AF_INET, AF_INET6) if network]
    code += _when(numbers["socket"], [_op(_LOAD, _ARG0), *families, _refusal(errno.EACCES)])
    return b"".join([*code, _op(_RETURN, _ALLOW)])


def install(filter_program: bytes) -> None:
    """Filter this process and its children from here on; SetupFailed if it fails."""
    held = ctypes.create_string_buffer(filter_program, len(filter_program))
    described = struct.pack("HxxxxxxP", len(filter_program) // 8, ctypes.addressof(held))
    checked(libc().prctl(22, ctypes.c_ulong(2), ctypes.c_char_p(described), 0, 0), "seccomp")  # PR_SET_SECCOMP, filter


def _op(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)


def _refusal(error: int) -> bytes:
    return _op(_RETURN, 0x00050000 | error)


def _refused(values: tuple[int, ...]) -> list[bytes]:
    return [_op(_EQUAL, value, 0, 1) + _refusal(errno.EPERM) for value in values]


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """`body` for that call only; where it does not decide, the call is allowed."""
    inner = b"".join(body) + _op(_RETURN, _ALLOW)
    return [_op(_EQUAL, number, 0, len(inner) // 8), inner]
