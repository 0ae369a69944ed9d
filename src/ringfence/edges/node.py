"""Looks at the node that this process is on: what its kernel takes, and what else is there.

Sources: ``linux/rtnetlink.h`` and ``linux/if_link.h`` for links; ``net/ipv4/netfilter/ip_tables.c``
and ``net/netfilter/ipvs/ip_vs_ctl.c`` for what ``/proc/net`` shows.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.dataplane.commands import AddTable
from ringfence.dataplane.features import FEATURES, TRIAL
from ringfence.dataplane.names import TABLE
from ringfence.dataplane.netlink.messages import DONE, ERROR, HEADERS, decode_answers, read_attributes, read_text
from ringfence.dataplane.node import BRIDGE_SWITCHES, NodeFacts
from ringfence.edges import conntrack
from ringfence.edges.nftables import Nftables
from ringfence.edges.programs import find_program
from ringfence.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.edges.netns import Network

_DATAGRAM_BYTES = 1 << 20
_ROUTE, _GET_LINK, _DUMP = 0, 18, 0x301
_LINK_HEADER = struct.Struct("=BxHiII")
_NAME, _INFO, _INFO_KIND = 3, 18, 1
_MAY_NOT = frozenset({errno.EPERM, errno.EACCES})


def look(network: Network) -> NodeFacts:
    """Return what is known of the node whose network this is.

    Nothing is changed; the kernel may load modules that it is asked for.

    Raises:
        WorldError: this user may not ask.
    """
    kernel, owner = Nftables(network), Nftables(network, owns=True)
    try:
        # An ordinary user is refused the first question that needs a right; else it is one of the kernel.
        refused = [(each, error) for each in FEATURES if (error := kernel.refusal(each.commands()))]
        if any(error.number in _MAY_NOT for _, error in refused):
            message = "this user may not ask what the kernel's nftables can do"
            raise WorldError(message, "run as root, or with CAP_NET_ADMIN")
        held, _ = kernel.dump(TABLE)
        return NodeFacts(
            kernel=os.uname().release,
            nft=_nft_version(),
            refused=tuple((each, os.strerror(error.number).lower()) for each, error in refused),
            connections=_shows_connections(network),
            owners=owner.refusal([AddTable(TRIAL)]) is None,
            survey=kernel.survey(),
            held=held is not None,
            links=dict(_kinds_of_links(network)),
            bridged=_bridged(network),
            legacy=tuple(_legacy_tables(network)),
            virtual_servers=_has_virtual_servers(network),
        )
    finally:
        kernel.close()
        owner.close()


def _nft_version() -> tuple[int, ...]:
    try:
        program = find_program("nft")
    except WorldError:
        return ()
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found by us
    found = re.search(r"v(\d+(?:\.\d+)*)", done.stdout)
    return tuple(map(int, found[1].split("."))) if found else ()


def _shows_connections(network: Network) -> bool:
    try:
        conntrack.marks(network)
    except WorldError:
        return False
    return True


def _kinds_of_links(network: Network) -> Iterator[tuple[str, str]]:
    """Yield name and kind of each link that has a kind, as ``veth`` or ``bridge``."""
    request = struct.pack("=IHHII", 16 + _LINK_HEADER.size, _GET_LINK, _DUMP, 1, 0) + bytes(_LINK_HEADER.size)
    with network.entered():
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _ROUTE)
    with asking:
        asking.send(request)
        while True:
            for answer in decode_answers(asking.recv(_DATAGRAM_BYTES)):
                if answer.kind in {DONE, ERROR}:
                    return
                # What an answer counts as headers are those of nfnetlink, four bytes less than a link has.
                link = read_attributes(answer.body[16 + _LINK_HEADER.size - HEADERS :])
                if kind := read_attributes(link.get(_INFO, b"")).get(_INFO_KIND):
                    yield read_text(link[_NAME]), read_text(kind)


def _bridged(network: Network) -> dict[Family, bool]:
    texts = {family: _read(network, f"sys/net/bridge/{name}") for family, name in BRIDGE_SWITCHES.items()}
    return {family: text.strip() != "0" for family, text in texts.items() if text}


def _legacy_tables(network: Network) -> Iterator[str]:
    for program in ("ip_tables", "ip6_tables"):
        yield from (f"{program[:-7]} {name}" for name in _read(network, f"net/{program}_names").split())


def _has_virtual_servers(network: Network) -> bool:
    services = _read(network, "net/ip_vs").splitlines()
    return any(line.startswith(("TCP", "UDP", "SCTP", "FWM")) for line in services)


def _read(network: Network, path: str) -> str:
    """Return a file below ``/proc`` as it is in a network namespace; empty where there is none."""
    path = path.replace("net/", "thread-self/net/", 1) if path.startswith("net/") else path
    with network.entered():
        try:
            return Path("/proc", path).read_text()
        except OSError:
            return ""
