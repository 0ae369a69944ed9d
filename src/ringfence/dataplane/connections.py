"""What addresses, numbers and ports on the wire are to policies: a connection between ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import family_of
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.nft import NUMBERS
from ringfence.model.connection import Connection
from ringfence.semantics.engine import A_SERVICE

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Address
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot

PORTED = {number: protocol for protocol, number in NUMBERS.items()}
"""The protocols that have ports, by their numbers."""

_ICMP = {1, 58}


def connection_between(snapshot: Snapshot, number: int, client: Address, server: Address, port: int) -> Connection:
    """Return what policies are asked about.

    A pod that meets itself on the network came through a Service, whose name no packet tells.

    Args:
        snapshot: Knows whose addresses they are.
        number: The protocol's number.
        client: Who opened it.
        server: Who takes it, after the address of a Service was translated.
        port: The server's port; without meaning where the protocol has none.
    """
    protocol = PORTED.get(number, Protocol.ICMP)
    return Connection(
        _end(snapshot, client),
        _end(snapshot, server),
        protocol,
        0 if protocol is Protocol.ICMP else port,
        family_of(client),
        via=A_SERVICE if client == server else None,
    )


def protocol_name(number: int) -> str:
    """Return the name of a protocol, or ``protocol 47`` for one that policies do not name."""
    if number in _ICMP:
        return Protocol.ICMP.value
    return PORTED[number].value if number in PORTED else f"protocol {number}"


def _end(snapshot: Snapshot, address: Address) -> End:
    return snapshot.pod_at(address) or address
