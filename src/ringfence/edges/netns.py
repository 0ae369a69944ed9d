"""Namespaces: a world of one's own, and networks in it that only descriptors hold open.

Nothing here is ever mounted or named, so a world needs no cleaning up: when its first
process ends, the kernel ends all others in it and takes the networks down.

Python 3.11 has no ``os.unshare`` and no ``os.setns``; they are called through ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# linux/sched.h and linux/mount.h
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
_MS_REC_PRIVATE = 0x4000 | 0x40000
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_OWN_NETWORK = "/proc/thread-self/ns/net"

_SWITCHES = {
    "user.max_user_namespaces": ("0", "10000"),
    "user.max_net_namespaces": ("0", "10000"),
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
}
"""Kernel settings that refuse namespaces: the value that does, and its cure."""

_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """A network namespace, held open by a descriptor.

    Attributes:
        descriptor: An open file of the namespace; -1 once closed.
    """

    __slots__ = ("descriptor",)

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def current(cls) -> Network:
        """Return the namespace that this thread is in."""
        return cls(os.open(_OWN_NETWORK, os.O_RDONLY | os.O_CLOEXEC))

    @classmethod
    def create(cls) -> Network:
        """Make a namespace that holds nothing but a loopback interface that is down."""
        home = cls.current()
        try:
            unshare(CLONE_NEWNET)
            made = cls.current()
            setns(home.descriptor)
        finally:
            home.close()
        return made

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in the namespace for a while: sockets opened and processes started there stay there.

        Whoever is there already needs no right to enter it.
        """
        home = Network.current()
        elsewhere = not os.path.samestat(os.fstat(home.descriptor), os.fstat(self.descriptor))
        try:
            if elsewhere:
                setns(self.descriptor)
            yield
        finally:
            if elsewhere:
                setns(home.descriptor)
            home.close()

    def close(self) -> None:
        """Let go of the namespace; it ends when no socket, link or process is in it any more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def unshare(flags: int) -> None:
    """Put this process into new namespaces; ``OSError`` as the kernel says."""
    _check(_libc.unshare(flags))


def setns(descriptor: int, kind: int = CLONE_NEWNET) -> None:
    """Put this thread into a namespace that exists; ``OSError`` as the kernel says."""
    _check(_libc.setns(descriptor, kind))


def fork_isolated(main: Callable[[], int], *, refused: Callable[[WorldError], None], waited_for: bool) -> int:
    """Run a function in a new world: user (unless root), mount, PID and network namespaces.

    The function runs in a forked copy of this process, which must have one thread, as PID 1.
    Its result is the exit status. No exception handler of the caller sees its errors.

    Args:
        main: What the first process of the new world does.
        refused: Is called in the copy when the machine refuses to make the world.
        waited_for: Whether the process that is returned lasts as long as the world and ends
            with its status. Otherwise it ends at once, and the world lives on by itself.

    Returns:
        The process to wait for.
    """
    keeper = os.fork()
    if keeper:
        return keeper
    status = 70
    try:
        os.setsid()  # the terminal's Ctrl-C is for the caller alone
        status = _keep(main, refused, waited_for=waited_for)
    except BaseException:  # noqa: BLE001 - a forked copy must never return into its caller's code
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def run_inside(namespaces: Sequence[tuple[int, int]], command: Sequence[str]) -> int:
    """Run a command in namespaces that exist, on this terminal, and return its exit status.

    Args:
        namespaces: Pairs of an open namespace and its kind, in the order to enter them.
        command: A program and its arguments.

    Returns:
        As a shell has it: 127 when there is no such program, 128 and more for a signal.
    """
    folder = Path.cwd()
    inside = os.fork()
    if inside == 0:
        status = 126
        try:
            hang_up_with_parent()
            for descriptor, kind in namespaces:
                if not _is_own_user(descriptor, kind):
                    setns(descriptor, kind)
            os.chdir(folder)  # entering a mount namespace goes to its root
            status = _run_child(command)
        except OSError as error:
            _complain("cannot enter", error)
        finally:
            os._exit(status)
    return _wait(inside)


def _run_child(command: Sequence[str]) -> int:
    """Run a command in a child, which a PID namespace needs: it takes effect for children only."""
    child = os.fork()
    if child:
        return _wait(child)
    hang_up_with_parent()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and a program would inherit that
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - the user's own command, without a shell
    except OSError as error:
        _complain(command[0], error)
        os._exit(127)


def hang_up_with_parent() -> None:
    """Be told when the parent ends, as by a terminal that goes away: nothing is left running that nobody waits for."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0))


def _is_own_user(descriptor: int, kind: int) -> bool:
    """Tell whether a user namespace is the one that we are in: the kernel refuses to enter that."""
    return kind == CLONE_NEWUSER and os.fstat(descriptor).st_ino == Path("/proc/self/ns/user").stat().st_ino


def _complain(what: str, error: OSError) -> None:
    sys.stderr.write(f"ringfence: error: {what}: {(error.strerror or '').lower()}\n")
    sys.stderr.flush()


def _wait(process: int) -> int:
    """Wait for a process that has the terminal to itself: Ctrl-C is for it alone."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _keep(main: Callable[[], int], refused: Callable[[WorldError], None], *, waited_for: bool) -> int:
    try:
        _unshare_world()
    except WorldError as error:
        refused(error)
        return 3
    first = os.fork()
    if first:
        # Whoever waits for the other end of a socket or pipe must not wait for this process.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        return os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF if waited_for else 0
    _make_mounts_private()
    return main()


def _unshare_world() -> None:
    """Enter new namespaces; the user namespace only where the others are refused without it."""
    world = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET
    if os.geteuid() == 0:
        # Root without the capability, as in many containers, may find an ordinary user's way open.
        with suppress(OSError):
            unshare(world)
            return
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(world | CLONE_NEWUSER)
        # user_namespaces(7): without this, an ordinary user may not map a group.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise refusal(error, _read_settings()) from error


def refusal(error: OSError, settings: Mapping[str, str]) -> WorldError:
    """Return what to say when namespaces are refused.

    Args:
        error: The kernel's word.
        settings: The values of kernel settings that are there, by their names.
    """
    if error.errno == errno.ENOSYS:
        return WorldError("this kernel has no namespaces", "use Linux with user and network namespaces")
    for name, (refusing, cure) in _SWITCHES.items():
        if settings.get(name) == refusing:
            message = f"this machine does not allow namespaces: {name} is {refusing}"
            return WorldError(message, f"set {name}={cure} with sysctl, or run as root")
    message = f"this machine refuses to make namespaces: {os.strerror(error.errno or 0).lower()}"
    return WorldError(message, "run as root, or outside a container that forbids it")


def _read_settings() -> dict[str, str]:
    paths = {name: Path("/proc/sys", name.replace(".", "/")) for name in _SWITCHES}
    return {name: path.read_text().strip() for name, path in paths.items() if path.exists()}


def _make_mounts_private() -> None:
    """Keep mounts from leaking out, and show the world's own processes where that is allowed."""
    _check(_libc.mount(None, b"/", None, _MS_REC_PRIVATE, None))
    # Containers that mask parts of /proc forbid a fresh one; only `ps` would miss it.
    _libc.mount(b"proc", b"/proc", b"proc", 0, None)


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
