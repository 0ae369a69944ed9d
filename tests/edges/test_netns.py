"""Worlds of one's own: what happens there stays there, and ends with its first process."""

from __future__ import annotations

import errno
import os
import signal
import socket
from pathlib import Path

import pytest

from ringfence.edges import netns
from ringfence.edges.netns import Network, fork_isolated, refusal, run_inside
from tests.kernel.isolation import isolated, run_isolated

pytestmark = pytest.mark.kernel


def interfaces() -> list[str]:
    """Names of the interfaces where we are."""
    return [name for _, name in socket.if_nameindex()]


def test_the_first_process_is_alone_with_a_loopback_interface():
    """It is process 1 and root of a world without links to ours."""
    seen = {}

    def look() -> None:
        seen.update(pid=os.getpid(), user=os.geteuid(), links=interfaces(), processes=own_processes())
        assert seen == {"pid": 1, "user": 0, "links": ["lo"], "processes": ["1"]}

    assert run_isolated(look) == ""


def own_processes() -> list[str]:
    """The processes that can be seen."""
    return [each.name for each in Path("/proc").iterdir() if each.name.isdigit()]


def test_the_caller_stays_where_it_was():
    """Forking a world moves nobody else."""
    before = [Path(f"/proc/self/ns/{kind}").readlink() for kind in ("user", "net", "mnt", "pid")]

    assert run_isolated(lambda: None) == ""

    assert [Path(f"/proc/self/ns/{kind}").readlink() for kind in ("user", "net", "mnt", "pid")] == before


def test_an_error_in_the_world_is_printed_and_ends_it_with_70(capfd: pytest.CaptureFixture[str]):
    """A bug never returns into the code of the process that was forked."""
    keeper = fork_isolated(lambda: 1 // 0, refused=lambda _: None, waited_for=True)

    _, status = os.waitpid(keeper, 0)

    assert os.waitstatus_to_exitcode(status) == 70
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_the_death_of_the_first_process_ends_all_others():
    """Even those that left its session: the kernel sees to it."""
    reading, writing = os.pipe()

    def main() -> int:
        child = os.fork()
        if child == 0:
            os.setsid()
            signal.pause()
        os.write(writing, b"x")
        signal.pause()
        return 0

    keeper = fork_isolated(main, refused=lambda _: None, waited_for=True)
    os.close(writing)
    os.read(reading, 1)
    (first,) = children(keeper)
    (second,) = children(first)

    os.kill(first, signal.SIGKILL)
    os.waitpid(keeper, 0)

    assert not Path(f"/proc/{second}").exists()
    assert os.read(reading, 1) == b""
    os.close(reading)


def children(process: int) -> list[int]:
    """The children of a process."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@isolated
def test_a_network_is_entered_and_left_again():
    """Sockets that are opened inside belong there; afterwards we are home."""
    other = Network.create()
    home = Path("/proc/thread-self/ns/net").readlink()

    with other.entered():
        inside = Path("/proc/thread-self/ns/net").readlink()

    assert inside != home
    assert Path("/proc/thread-self/ns/net").readlink() == home


@isolated
def test_a_network_is_left_even_when_something_fails_inside():
    """Nobody wants to find himself elsewhere after an error."""
    other = Network.create()
    home = Path("/proc/thread-self/ns/net").readlink()

    with pytest.raises(ZeroDivisionError), other.entered():
        raise ZeroDivisionError

    assert Path("/proc/thread-self/ns/net").readlink() == home


@isolated
def test_a_command_runs_inside_and_its_status_comes_back():
    """As a shell has it: its own status, 127 for no such program, 128 and more for a signal."""
    other = Network.create()
    namespaces = [(other.descriptor, netns.CLONE_NEWNET)]

    assert run_inside(namespaces, ["sh", "-c", "test $(ls /sys/class/net 2>/dev/null | wc -l) -ge 0; exit 7"]) == 7
    assert run_inside(namespaces, ["there-is-no-such-program"]) == 127
    assert run_inside(namespaces, ["sh", "-c", "kill -9 $$"]) == 137


@pytest.mark.parametrize(
    ("setting", "value", "cure"),
    [
        ("user.max_user_namespaces", "0", "user.max_user_namespaces=10000"),
        ("user.max_net_namespaces", "0", "user.max_net_namespaces=10000"),
        ("kernel.unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ],
)
def test_a_machine_that_refuses_says_which_setting_it_is(setting: str, value: str, cure: str):
    """The message is about namespaces, the hint about what to do."""
    error = refusal(OSError(errno.ENOSPC, ""), {setting: value})

    assert f"{setting} is {value}" in error.message
    assert cure in error.hint


def test_a_machine_that_refuses_for_another_reason_says_so_in_its_own_words():
    """Without a setting that explains it, the kernel's word stands."""
    error = refusal(PermissionError(errno.EPERM, ""), {"user.max_user_namespaces": "96365"})

    assert "operation not permitted" in error.message
    assert error.hint
