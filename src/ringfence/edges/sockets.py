"""Opens the sockets of probes: non-blocking, bound to one address, in one network namespace."""

from __future__ import annotations

import errno
import resource
import socket
import struct

from ringfence.algebra.addresses import Address, Family, family_of, render_address
from ringfence.algebra.traffic import Protocol
from ringfence.edges.netns import Network, setns
from ringfence.edges.packets import SCTP
from ringfence.errors import WorldError

_FAMILY = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_IP_BIND_ADDRESS_NO_PORT = 24
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_DATA_WITHIN_S = 5
_BACKLOG = 1024


class Opener:
    """Opens sockets in the namespaces that own the addresses.

    Attributes:
        networks: The namespace that owns each address.
    """

    def __init__(self, networks: dict[Address, Network]) -> None:
        self.networks = networks
        self._home = Network.current()
        self._texts: dict[Address, str] = {}

    def open(self, address: Address, protocol: Protocol, port: int = 0) -> socket.socket:
        """Open a socket bound to an address and port; 0 lets the kernel choose.

        Raises:
            WorldError: the process may not open more files.
            OSError: the port is taken.
        """
        family = family_of(address)
        try:
            setns(self.networks[address].descriptor)
            sock = socket.socket(_FAMILY[family], *_kind(family, protocol))
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
            message = "too many sockets for the limit of open files"
            raise WorldError(message, "raise it with `ulimit -n`") from error
        finally:
            setns(self._home.descriptor)
        sock.settimeout(0)
        try:
            sock.bind((self.text(address), port))
        except OSError:
            sock.close()
            raise
        return sock

    def listen(self, address: Address, protocol: Protocol, port: int) -> socket.socket:
        """Open a socket that takes connections; TCP hands them over when their first data is there."""
        sock = self.open(address, protocol, port)
        if protocol is Protocol.TCP:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DATA_WITHIN_S)
            sock.listen(_BACKLOG)
        return sock

    def text(self, address: Address) -> str:
        """Return an address as sockets want it."""
        text = self._texts.get(address)
        if text is None:
            text = self._texts[address] = render_address(address)
        return text

    def close(self) -> None:
        """Let go of the home namespace; the others belong to the caller."""
        self._home.close()


def reset_on_close(sock: socket.socket) -> None:
    """Make closing a TCP socket end the connection at once, so that nothing lingers in TIME_WAIT."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def allow_many_files() -> None:
    """Raise the limit of open files as far as this user may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _kind(family: Family, protocol: Protocol) -> tuple[int, int]:
    """Return socket type and protocol number; ping sockets for ICMP, raw ones for SCTP.

    Kernels without SCTP know nothing of its ports, so one raw socket serves them all.
    """
    match protocol:
        case Protocol.TCP:
            return socket.SOCK_STREAM, socket.IPPROTO_TCP
        case Protocol.UDP:
            return socket.SOCK_DGRAM, socket.IPPROTO_UDP
        case Protocol.SCTP:
            return socket.SOCK_RAW, SCTP
        case Protocol.ICMP:
            return socket.SOCK_DGRAM, socket.IPPROTO_ICMP if family is Family.IPV4 else socket.IPPROTO_ICMPV6
