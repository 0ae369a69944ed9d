"""Runs ``ip -batch``: links, addresses, routes and neighbors of network namespaces."""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.edges.programs import find_program
from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ringfence.edges.netns import Network

_SIOCGIFFLAGS = 0x8913
_IFF_RUNNING = 0x40
_UP_WITHIN_S = 5.0


def configure(batches: Sequence[tuple[Network, Iterable[str]]], handed: Sequence[Network] = ()) -> None:
    """Run lines of ``ip -batch`` in several network namespaces, all at the same time.

    Args:
        batches: Namespaces and their lines.
        handed: Namespaces that a line may name, as :func:`reference` writes them.

    Raises:
        WorldError: ``ip`` is not installed, or refused a line.
    """
    program = find_program("ip")
    descriptors = [network.descriptor for network in handed]
    running = []
    for network, lines in batches:
        text = "".join(f"{line}\n" for line in lines)
        with network.entered():
            process = subprocess.Popen(  # noqa: S603 - the program is found by us
                [program, "-batch", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=descriptors,
                text=True,
            )
        running.append((process, text))
    for process, text in running:
        _, words = process.communicate(text)
        if process.returncode:
            raise WorldError(_refusal(words, text.splitlines()))


def reference(network: Network) -> str:
    """Return how a line of ``ip`` names a namespace that is handed to it."""
    return f"/proc/self/fd/{network.descriptor}"


def set_sysctls(network: Network, values: Mapping[str, str]) -> None:
    """Write kernel settings of a network namespace, by path below ``/proc/sys/net``.

    Raises:
        WorldError: the kernel lacks one or refuses the value.
    """
    with network.entered():
        for name, value in values.items():
            try:
                Path("/proc/sys/net", name).write_text(value)
            except OSError as error:
                message = f"cannot set net.{name.replace('/', '.')}: {(error.strerror or '').lower()}"
                raise WorldError(message) from error


def wait_until_up(interfaces: Iterable[tuple[Network, str]]) -> None:
    """Wait until links carry packets: the kernel raises carriers in its own time.

    Raises:
        WorldError: one did not come up within five seconds.
    """
    deadline = time.monotonic() + _UP_WITHIN_S
    for network, name in interfaces:
        with network.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            request = struct.pack("16sh14x", name.encode(), 0)
            while not struct.unpack_from("h", fcntl.ioctl(sock, _SIOCGIFFLAGS, request), 16)[0] & _IFF_RUNNING:
                if time.monotonic() > deadline:
                    message = f"the link {name} did not come up"
                    raise WorldError(message)
                time.sleep(0.001)


def _refusal(words: str, lines: list[str]) -> str:
    """Return a message for what ``ip`` said: ``RTNETLINK answers: ...`` and ``Command failed -:3``."""
    said = words.strip().splitlines() or ["no reason given"]
    number = said[-1].rpartition(":")[2].strip()
    line = lines[int(number) - 1] if number.isdigit() and 0 < int(number) <= len(lines) else lines[0]
    return f"ip refused {line!r}: {said[0].removeprefix('RTNETLINK answers: ').removeprefix('Error: ')}"
