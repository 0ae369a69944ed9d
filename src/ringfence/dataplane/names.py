"""Every name that we own in the kernel, and every name that we ever owned.

Chains, sets and maps are named after their role and the **local class** they serve; a
local class is named after the lowest address of its pods. Such a name is unique, does not
change while that pod lives, and holds nothing that a user wrote. It is made of letters,
digits, dots, dashes and underscores, begins with a letter, and is no keyword of nft, as
``fwd`` is: roles are told by a letter and an underscore.
"""

from __future__ import annotations

import re
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, render_address
from ringfence.dataplane.expressions import CtDirection
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.addresses import Address

TABLE = "ringfence"
"""The table of family ``inet``, and that of ``bridge`` where pods are ports of one; whatever
is in it is ours, whatever is not is not."""

HISTORIC: tuple[str, ...] = ()
"""Tables of earlier releases, to be deleted by whoever loads a program; none so far."""

LOG_GROUP = 0x7266
"""The NFLOG group of dropped packets: ``rf`` in ASCII, far from the small numbers others take."""

PREROUTING, FORWARD, INPUT = "hook_prerouting", "hook_forward", "hook_input"
"""The base chains."""

FORWARD_ORIGINAL, FORWARD_REPLY, INPUT_ORIGINAL = "fwd_o", "fwd_r", "inp_o"
"""The chains that find the local pods of a packet."""

FORWARD_RELATED, INPUT_RELATED = "fwd_related", "inp_related"
"""The chains of what is related to a connection: an error about it, or another one that it announces."""

DROP_INVALID, MIDSTREAM, ALLOW = "drop_invalid", "midstream", "allow"
"""The chains that end the way of a packet: unexplained by any connection, or judged and allowed."""

FROM_POD, TO_NODE, TUNNEL = "from_pod", "to_node", "tunnel"
"""The chains of the guard, see :mod:`ringfence.dataplane.guard`."""

PORTS = "ports"
"""The map from a bridge's port and the hardware address behind it to the port's chain."""

TUNNEL_PORTS = "tunnel_ports"
"""The set of protocol and port by which tunnels reach nodes."""

PORTED = "with_ports"
"""The set of protocols that have ports."""


class Kind(Enum):
    """What the elements of a class's set say about a packet; the value ends the set's name."""

    EXACT = ""
    RANGES = "r"
    PEERS = "p"
    PORTS = "q"
    PORTLESS = "n"


_LETTER = {Direction.EGRESS: "e", Direction.INGRESS: "i"}
_MAP = {Direction.EGRESS: "eg", Direction.INGRESS: "in"}
_REPLY = {CtDirection.ORIGINAL: "", CtDirection.REPLY: "_r"}
_PREFIX = re.compile(r"rf1 (?P<direction>[ei]) (?P<name>\S+) ?")


def class_name(lowest: Address, *, hairpin: bool = False) -> str:
    """Return the name of the local class whose lowest address this is."""
    return render_address(lowest).replace(":", "-") + (".self" if hairpin else "")


def chain(direction: Direction, name: str, ct_direction: CtDirection) -> str:
    """Return the chain that judges the packets of a local class."""
    return f"{_LETTER[direction]}_{name}{_REPLY[ct_direction]}"


def hairpin_chain(name: str, ct_direction: CtDirection) -> str:
    """Return the chain that judges what the pods of a class send to themselves."""
    return f"h_{name}{_REPLY[ct_direction]}"


def deny_chain(direction: Direction, name: str) -> str:
    """Return the chain that logs, counts and drops."""
    return f"{_LETTER[direction]}_{name}_deny"


def serves_class(chain_name: str) -> bool:
    """Tell whether a chain judges or denies for one local class, and not for every packet."""
    return chain_name.startswith(("h_", *(f"{letter}_" for letter in _LETTER.values())))


def class_set(direction: Direction, name: str, kind: Kind, *, accepts: bool) -> str:
    """Return a set of a local class.

    Sets that accept and sets that deny never share a name: a packet that began on old
    rules may read a set's new elements.
    """
    return f"{_LETTER[direction]}_{name}_{kind.value}{'a' if accepts else 'd'}"


def shared_set(family: Family, users: str) -> str:
    """Return a set of peers that several classes look up, by the digest of who does, and for what."""
    return f"peers{family.value}_{users}"


def shared_ports(direction: Direction, name: str, users: str, *, accepts: bool) -> str:
    """Return the set of protocols and ports for which a class looks a shared set up."""
    return f"{_LETTER[direction]}_{name}_s{users}{'a' if accepts else 'd'}"


def digest(words: Iterable[str]) -> str:
    """Return a short word that stands for others, whatever their order."""
    return sha256("\n".join(sorted(words)).encode()).hexdigest()[:16]


def port_chain(link: str) -> str:
    """Return the chain of what comes to a port of a bridge."""
    return f"port_{link}"


def arp_chain(link: str) -> str:
    """Return the chain of the ARP that comes to a port of a bridge."""
    return f"arp_{link}"


def discovery_chain(link: str) -> str:
    """Return the chain of the neighbor discovery that comes to a port of a bridge."""
    return f"nd_{link}"


def dispatch_map(direction: Direction, family: Family, ct_direction: CtDirection) -> str:
    """Return the map from the local pods that are in a class of this direction to its chain."""
    return f"{_MAP[direction]}{family.value}{_REPLY[ct_direction]}"


def self_map(family: Family, ct_direction: CtDirection) -> str:
    """Return the map that says what a pod may send to itself through a Service."""
    return f"self{family.value}{_REPLY[ct_direction]}"


def judged_set(family: Family) -> str:
    """Return the set of local pods that are in any class."""
    return f"judged{family.value}"


def bound_set(family: Family) -> str:
    """Return the set of pairs: the node's end of a pod's link, and an address of the pod."""
    return f"bound{family.value}"


def own_set(family: Family) -> str:
    """Return the set of all addresses of local pods."""
    return f"own{family.value}"


def node_set(family: Family) -> str:
    """Return the set of the addresses of all nodes."""
    return f"nodes{family.value}"


def log_prefix(direction: Direction, name: str) -> str:
    """Return the log prefix of a class's dropped packets: ``rf1 <e|i> <class> ``."""
    return f"rf1 {_LETTER[direction]} {name} "


def read_log_prefix(prefix: str) -> tuple[Direction, str] | None:
    """Return the direction and class name of a log prefix; None when it is not ours."""
    parts = _PREFIX.fullmatch(prefix)
    if not parts:
        return None
    direction = Direction.EGRESS if parts["direction"] == "e" else Direction.INGRESS
    return direction, parts["name"]
