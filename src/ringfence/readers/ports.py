"""Port numbers and protocols, as Pods and Services write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import PORTS, WITH_PORTS, Protocol
from ringfence.readers.refusals import PORT_RANGE, Named, invalid, unsupported

if TYPE_CHECKING:
    from ringfence.readers.fields import Field

_PROTOCOLS = {protocol.value: protocol for protocol in WITH_PORTS}


def read_port(port: Field) -> int | None:
    """Read a port number; None when it is not given or in error."""
    number = port.integer()
    if number is not None and not 0 < number < PORTS:
        port.refuse(invalid(number, PORT_RANGE), "correct the number")
        return None
    return number


def read_protocol(protocol: Field) -> Protocol | None:
    """Read a protocol, TCP when it is not given; None when it is in error."""
    text = protocol.string()
    if not protocol.given:
        return Protocol.TCP
    if isinstance(protocol.value, str) and text not in _PROTOCOLS:
        hint = f"write {text.upper()}" if text.upper() in _PROTOCOLS else "write SCTP, TCP or UDP"
        protocol.refuse(unsupported(Named(text), sorted(_PROTOCOLS)), hint)
    return _PROTOCOLS.get(text)
