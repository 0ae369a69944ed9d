"""One question: may this connection open?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address, Family
from ringfence.model.cluster import Pod

if TYPE_CHECKING:
    from ringfence.algebra.traffic import Protocol
    from ringfence.model.service import Service

End = Pod | Address
"""One end of a connection: a pod, or an address (which may turn out to be a pod's)."""


@dataclass(frozen=True, slots=True)
class Dialed:
    """Where the client of a Service sent its packets.

    Attributes:
        address: An address of the Service.
        port: The port there.
        service: The Service.
    """

    address: Address
    port: int
    service: Service


@dataclass(frozen=True, slots=True)
class Connection:
    """A new connection as policies see it: after Service translation, before masquerade.

    Attributes:
        client: Who opens it.
        server: Who is meant to take it; the endpoint, never a Service.
        protocol: TCP, UDP, SCTP, or ICMP for anything without ports.
        port: The destination port on the server; 0 for ICMP.
        family: The address family it uses. An end that is an address is of it.
        via: ``namespace/name`` of the Service it was sent to, or None when it was sent to
            the server's own address. Only a pod that meets itself is judged by it.
        dialed: The Service's address that the client sent to; None where there was none.
            Only dialects that judge before it is translated look at it.
    """

    client: End
    server: End
    protocol: Protocol
    port: int
    family: Family = Family.IPV4
    via: str | None = None
    dialed: Dialed | None = None
