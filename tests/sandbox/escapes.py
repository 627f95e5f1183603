"""What an unfriendly program tries. One JSON object says how far each attempt came: "open", or the kernel's refusal.

It may run on a host too, as a control: then `only` names the attempts, and none of those changes anything. The others
aim at the program's own workspace or undo nothing but themselves, and are not tried where process ids are a host's.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

TARGETS = json.loads(os.environ["TARGETS"])
ON_A_HOST = os.getpid() > 20  # a sandbox counts its processes from 1
LIBC = ctypes.CDLL(None, use_errno=True)
ATTEMPTS: dict[str, Callable[[], object]] = {}


def attempt(work: Callable[[], object]) -> Callable[[], object]:
    ATTEMPTS[work.__name__] = work
    return work


def must(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def read(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        file.read()


def write(path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("was here")


def reach(family: int, kind: int, address: object) -> None:
    with socket.socket(family, kind) as reaching:
        reaching.settimeout(2)
        reaching.connect(address)  # type: ignore[arg-type]
        reaching.send(b"a secret")


@attempt
def reads_the_users_of_the_host() -> None:
    read("/etc/passwd")


@attempt
def reads_a_file_of_the_host() -> None:
    read(TARGETS["secret"])


@attempt
def writes_beside_the_workspace() -> None:
    write(TARGETS["outside"])


@attempt
def writes_into_the_system() -> None:
    for folder in ("/usr/bin", "/usr/lib", "/etc", "/", "/dev", sys.prefix):
        try:
            write(f"{folder}/promptkit-was-here")
            os.unlink(f"{folder}/promptkit-was-here")
            return
        except OSError as error:
            refused = error
    raise refused


@attempt
def changes_the_kernels_settings() -> None:
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))


@attempt
def connects_by_tcp() -> None:
    reach(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", TARGETS["tcp"]))


@attempt
def sends_by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reaching:
        reaching.connect((TARGETS["address"], TARGETS["udp"]))
        reaching.send(b"a secret")
        reaching.send(b"another")  # refused where nobody was there for the first: a sandbox's own loopback


@attempt
def asks_a_name_server() -> None:
    reach(socket.AF_INET, socket.SOCK_DGRAM, ("9.9.9.9", 53))


@attempt
def connects_to_an_abstract_socket() -> None:
    reach(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + TARGETS["abstract"])


@attempt
def connects_to_a_named_socket() -> None:
    reach(socket.AF_UNIX, socket.SOCK_STREAM, TARGETS["named"])


@attempt
def signals_a_process_of_the_host() -> None:
    os.kill(TARGETS["victim"], 0)


@attempt
def reads_another_processs_variables() -> None:
    with open(f"/proc/{TARGETS['victim']}/environ", "rb") as file:
        file.read()


@attempt
def finds_a_secret_in_its_variables() -> None:
    os.environ["SANDBOX_TEST_API_KEY"]


@attempt
def allocates_a_gigabyte() -> None:
    mmap.mmap(-1, 1 << 30)


@attempt
def raises_a_limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@attempt
def follows_a_link_out() -> None:
    os.symlink(TARGETS["secret"], "made-here")
    try:
        read("made-here")
    finally:
        os.unlink("made-here")


@attempt
def writes_through_a_link_out() -> None:
    os.symlink(TARGETS["outside"], "out")
    try:
        write("out")
    finally:
        os.unlink("out")


@attempt
def links_a_file_of_the_host_in() -> None:
    os.link(TARGETS["secret"], "linked")
    try:
        read("linked")
    finally:
        os.unlink("linked")


@attempt
def follows_a_link_that_was_there() -> None:
    read("way-out")


@attempt
def goes_up_from_the_workspace() -> None:
    read(f"../{os.path.basename(TARGETS['secret'])}")


@attempt
def finds_an_open_file_of_its_parents() -> None:
    for holder in ("self", "1", str(os.getppid())):
        for fd in os.listdir(f"/proc/{holder}/fd"):
            try:
                kind = os.readlink(f"/proc/{holder}/fd/{fd}")
            except OSError:
                continue
            if int(fd) > 2 and kind.startswith("/") and not kind.startswith("/proc/"):
                return
            if os.path.isdir(f"/proc/{holder}/fd/{fd}") and os.path.exists(
                f"/proc/{holder}/fd/{fd}/{TARGETS['secret']}"
            ):
                return
    raise PermissionError(errno.EACCES, "nothing")


@attempt
def opens_for_writing_what_it_may_read() -> None:
    with open(os.__file__, "rb") as held:
        os.close(os.open(f"/proc/self/fd/{held.fileno()}", os.O_WRONLY))


@attempt
def leaves_by_a_folder_that_it_holds() -> None:
    held = os.open(".", os.O_RDONLY)
    try:
        read(f"/proc/self/fd/{held}/../{os.path.basename(TARGETS['secret'])}")
    finally:
        os.close(held)


@attempt
def leaves_by_another_processs_root() -> None:
    for holder in ("self", "1", str(os.getppid())):
        try:
            read(f"/proc/{holder}/root{TARGETS['secret']}")
            return
        except OSError as error:
            refused = error
    raise refused


@attempt
def mounts() -> None:
    os.makedirs("mounted-on", exist_ok=True)
    must(LIBC.mount(b"none", b"mounted-on", b"tmpfs", 0, None))


@attempt
def makes_a_user_namespace() -> None:
    must(LIBC.unshare(0x10000000))


@attempt
def becomes_root() -> None:
    os.setresuid(0, 0, 0)


@attempt
def traces_its_parent() -> None:
    must(LIBC.ptrace(0x4206, os.getppid(), 0, 0))  # PTRACE_SEIZE: it does not stop what it traces


@attempt
def reads_a_disk() -> None:
    os.mknod("disk", 0o600 | 0o060000, os.makedev(8, 0))


@attempt
def reaches_the_machine_around_it() -> None:
    socket.socket(40, socket.SOCK_STREAM).close()  # vsock


@attempt
def has_a_terminal() -> None:
    open("/dev/tty", "rb").close()


@attempt
def gains_rights_by_a_setuid_program() -> None:
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    if int(fields["CapEff"], 16) == 0 and fields["NoNewPrivs"].strip() == "1":
        raise PermissionError(errno.EPERM, "no rights, and none to gain")


def outcome(work: Callable[[], object]) -> str:
    try:
        work()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    except (KeyError, MemoryError, ValueError) as error:
        return type(error).__name__
    return "open"


def about() -> dict[str, object]:
    return {
        "variables": sorted(os.environ),
        "pids": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()) if os.path.isdir("/proc") else [],
        "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
        "stdin": sys.stdin.read(),
        "session": os.getsid(0),
        "root": sorted(os.listdir("/")),
        "path": sys.path,
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "child": subprocess.run(["sh", "-c", "echo born"], capture_output=True, text=True, check=False).stdout.strip(),
    }


if __name__ == "__main__":
    names = TARGETS["only"] or list(ATTEMPTS)
    if ON_A_HOST and not TARGETS["only"]:
        sys.exit("on a host only what changes nothing is tried")
    print(json.dumps({"about": about(), **{name: outcome(ATTEMPTS[name]) for name in names}}))
