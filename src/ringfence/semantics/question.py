"""Questions as people ask them, checked before anybody is looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.errors import InputError
from ringfence.model.policy import NamedPort, resolve

if TYPE_CHECKING:
    from ringfence.algebra.intervals import Intervals
    from ringfence.model.cluster import Pod

_HOW = "give a number, a range such as 8000-8010 or a port name, and /UDP or /SCTP where it is not TCP"
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_FAMILIES = (None, *Family)
_LAST_PORT = 65535
_LONGEST_PORT_NAME = 15  # IANA_SVC_NAME, which container ports must be


@dataclass(frozen=True, slots=True)
class Question:
    """May connections open between one or many clients and servers?

    Attributes:
        client: A name as in :mod:`ringfence.model.naming`.
        server: Another.
        port: First and last port, both inclusive; a port's name; None for every port.
        protocol: None for all traffic, which only a question without a port asks about.
        family: The family to ask about; None for every family that both ends have.
    """

    client: str
    server: str
    port: tuple[int, int] | str | None = None
    protocol: Protocol | None = None
    family: Family | None = None

    @classmethod
    def of(
        cls,
        client: str,
        server: str,
        port: str | int | None = None,
        protocol: str | None = None,
        family: int | None = None,
    ) -> Question:
        """Read a question, its names left aside.

        Args:
            client: A name.
            server: A name.
            port: A number, a range ``8000-8010``, a port's name; None or empty for none.
            protocol: TCP, UDP, SCTP or ICMP, in any case; TCP where there is a port.
            family: 4, 6 or None.

        Raises:
            InputError: a port, protocol or family that there is not.
        """
        number = None if port in (None, "") else _read_port(port)
        spoken = _read_protocol(protocol) if protocol else None
        if number and spoken is Protocol.ICMP:
            message = f"port {port}/ICMP: ICMP has no ports"
            raise InputError(message, "leave the port out")
        if family not in _FAMILIES:
            message = f"family {family!r}: expected 4 or 6"
            raise InputError(message)
        default = Protocol.TCP if number else None
        return cls(client, server, number, spoken or default, Family(family) if family else None)

    def traffic_to(self, server: Pod | None) -> Intervals:
        """Return the traffic asked about at one server; empty when it has no port of that name.

        Args:
            server: The pod at the server's end; None for an address, where names mean nothing.
        """
        if self.protocol is None:
            return ALL
        if isinstance(self.port, str):
            return resolve((NamedPort(self.port, self.protocol),), server.ports if server else ())
        return ports(self.protocol, *self.port) if self.port else ports(self.protocol)


def _read_port(port: int | str) -> tuple[int, int] | str:
    if isinstance(port, int) and 1 <= port <= _LAST_PORT:
        return port, port
    text = str(port)
    if numbers := _RANGE.fullmatch(text):
        first, last = int(numbers[1]), int(numbers[2] or numbers[1])
        if 1 <= first <= last <= _LAST_PORT:
            return first, last
        message = f"port {text}: expected 1 to 65535, ranges from low to high"
        raise InputError(message)
    if _PORT_NAME.fullmatch(text) and len(text) <= _LONGEST_PORT_NAME:
        return text
    message = f"port {text!r}: expected a number, a range or a name"
    raise InputError(message, _HOW)


def _read_protocol(text: str) -> Protocol:
    try:
        return Protocol(text.upper())
    except ValueError:
        message = f"protocol {text!r}: expected TCP, UDP, SCTP or ICMP"
        raise InputError(message) from None
