"""Netlink messages and their attributes: how nfnetlink frames everything that nftables is told.

A message is a header of 16 bytes, four bytes of nfnetlink, and attributes. An attribute is
its length and kind, two bytes each, and a value, padded to four bytes. Headers and lengths
are in host byte order, the numbers of nftables in network byte order.

Sources: ``linux/netlink.h``, ``linux/netfilter/nfnetlink.h``; RFC 3549 for the ideas.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ERROR, DONE = 2, 3
"""Kinds of messages that answer: an error or acknowledgement, and the end of a dump."""

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
CREATE, APPEND = 0x400, 0x800
"""Flags of a message that asks for something."""

DUMP_INTERRUPTED = 0x10
"""The flag of an answer that may be incomplete, because something changed while it was put together."""

_BEGIN, _END = 0x10, 0x11
_CONNTRACK, _NFTABLES = 1, 10
_GET_CONNECTION = 1
_GENERATION = 1
FAMILIES = {"inet": 1, "ip": 2, "netdev": 5, "bridge": 7, "ip6": 10}
"""The families of tables whose chains can meet a packet that is forwarded, by nft's names."""

INET = FAMILIES["inet"]
"""The family of most of our tables: IPv4 and IPv6."""

_NESTED = 0x8000
_KIND = 0x3FFF

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
HEADERS = 20
"""Bytes before the attributes of a message: the headers of netlink and nfnetlink."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request to nftables, without its sequence number.

    Attributes:
        kind: What is asked, a number of ``enum nf_tables_msg_types``.
        flags: Beside ``REQUEST``.
        attributes: All of them, one after the other.
        about: The object that it is about, in words for people.
        name: The name of the chain, set or map that it is about; empty for anything else.
        family: The number of the family of its table.
    """

    kind: int
    flags: int
    attributes: bytes
    about: str
    name: str = ""
    family: int = INET

    @property
    def size(self) -> int:
        """Bytes that it takes in a transaction."""
        return HEADERS + len(self.attributes)

    def encode(self, sequence: int) -> bytes:
        """Return its bytes under a sequence number."""
        return _frame(
            _NFTABLES << 8 | self.kind, self.flags, sequence, struct.pack("=BBH", self.family, 0, 0), self.attributes
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One message from the kernel.

    Attributes:
        kind: ``ERROR``, ``DONE``, or anything else for an object.
        flags: Its flags.
        sequence: The sequence number of the request that it answers.
        body: What follows the headers: the attributes of an object, or else the error number.
    """

    kind: int
    flags: int
    sequence: int
    body: bytes

    @property
    def error(self) -> int:
        """The error number of an ``ERROR`` or ``DONE``, 0 for none."""
        if self.kind not in {ERROR, DONE} or len(self.body) < 4:
            return 0
        return -int(struct.unpack_from("=i", self.body)[0])


def encode_transaction(messages: Sequence[Message], first: int, generation: int | None = None) -> bytes:
    """Return one transaction: all of it takes effect, or none.

    The number ``first`` is that of its beginning; each message has the next one. An error
    under ``first`` is one of the whole transaction. Only the last message asks to be
    acknowledged: errors come back in any case, and thousands of acknowledgements would
    not fit into the buffer that they come back through.

    Args:
        messages: At least one.
        first: A sequence number.
        generation: When it is given, the kernel refuses the transaction with ``ERESTART``
            unless this is still the generation of its rules.
    """
    header = struct.pack(">BBH", 0, 0, _NFTABLES)
    condition = b"" if generation is None else number(_GENERATION, generation)
    parts = [_frame(_BEGIN, 0, first, header, condition)]
    parts += [message.encode(sequence) for sequence, message in enumerate(messages[:-1], first + 1)]
    last = first + len(messages)
    asking = replace(messages[-1], flags=messages[-1].flags | ACK)
    return b"".join((*parts, asking.encode(last), _frame(_END, 0, last + 1, header, b"")))


def _frame(kind: int, flags: int, sequence: int, header: bytes, attributes: bytes) -> bytes:
    return _HEADER.pack(HEADERS + len(attributes), kind, REQUEST | flags, sequence, 0) + header + attributes


def encode_connections_question() -> bytes:
    """Return what asks conntrack for all connections, of both families."""
    return _frame(_CONNTRACK << 8 | _GET_CONNECTION, DUMP, 1, bytes(4), b"")


def transactions(units: Iterable[Sequence[Message]], limit: int) -> Iterator[list[Message]]:
    """Yield as few transactions as hold all units in order, none larger than so many bytes.

    A unit is never divided; one that is larger than the limit is a transaction of its own,
    for the kernel to judge.
    """
    held: list[Message] = []
    size = 2 * HEADERS + 8
    for unit in units:
        more = sum(message.size for message in unit)
        if held and size + more > limit:
            yield held
            held, size = [], 2 * HEADERS + 8
        held += unit
        size += more
    if held:
        yield held


def decode_answers(data: bytes) -> Iterator[Answer]:
    """Yield the messages of one datagram; one that is cut short ends it."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < 16:
            return
        if kind in {ERROR, DONE}:
            yield Answer(kind, flags, sequence, data[offset + 16 : offset + length])
        else:
            yield Answer(kind, flags, sequence, data[offset + HEADERS : offset + length])
        offset += (length + 3) & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute with its padding."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    """Return an attribute that holds attributes."""
    value = b"".join(parts)
    return _ATTRIBUTE.pack(4 + len(value), kind | _NESTED) + value


def text(kind: int, value: str) -> bytes:
    """Return an attribute that holds a string; it ends with a zero byte."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """Return an attribute that holds 32 bits."""
    return attribute(kind, value.to_bytes(4))


Attributes = dict[int, bytes]
"""The values of attributes by their kind; of several of one kind, the last."""


def read_attributes(data: bytes) -> Attributes:
    """Return all attributes, without what is nested in them."""
    return dict(each_attribute(data))


def each_attribute(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and value of each attribute in order; one that is cut short ends them."""
    offset, end = 0, len(data)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            return
        yield kind & _KIND, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def read_text(value: bytes) -> str:
    """Return a string without the zero byte at its end."""
    return value.rstrip(b"\0").decode(errors="replace")


def read_number(value: bytes | None) -> int:
    """Return a number in network byte order, however long; 0 for an attribute that is not there."""
    return int.from_bytes(value or b"")
