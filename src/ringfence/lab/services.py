"""Services in the lab: what they lead to, and the translation that each node does.

Addresses are translated before policies are judged, as kube-proxy does it, so a policy
sees the pod's address and port. Two things are translated back for the sake of the way
home: what a pod sends to itself, and what leaves its node again after it came to a node port.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address, Family, family_of, render_address
from ringfence.lab.wiring import UPLINK
from ringfence.model.cluster import Pod
from ringfence.semantics.endpoints import endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.lab.topology import Topology
    from ringfence.model.cluster import Node
    from ringfence.model.service import Service, ServicePort
    from ringfence.model.snapshot import Snapshot

TABLE = "ringfence-lab-services"

WITHOUT_TABLE = f"add table inet {TABLE}\ndelete table inet {TABLE}\n"
"""What takes a node's translation table away, be it there or not; before another one in the same transaction."""

_KEYWORD = {Family.IPV4: "ip", Family.IPV6: "ip6"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod behind a Service port, and the port on it."""

    pod: Pod
    port: int


@dataclass(frozen=True, slots=True)
class Frontend:
    """One port of a Service in one family, with what it leads to.

    Attributes:
        service: The Service.
        port: Its port.
        address: Its address.
        endpoints: In the order of the pods; may be empty.
    """

    service: Service
    port: ServicePort
    address: Address
    endpoints: tuple[Endpoint, ...]

    @property
    def family(self) -> Family:
        """The family of its address."""
        return family_of(self.address)


def frontends(snapshot: Snapshot) -> Iterator[Frontend]:
    """Yield every port of every Service that has an address, with the pods behind it that have one too."""
    for service in snapshot.services:
        for family, address in service.addresses.items():
            for port in service.ports:
                yield Frontend(service, port, address, tuple(_pods_behind(snapshot, service, port, family)))


def service_table(topology: Topology, node: Node) -> str:
    """Return the transaction that makes a node's translation table; empty when there is nothing to translate."""
    found = [each for each in frontends(topology.snapshot) if each.endpoints]
    if not found:
        return ""
    translate = [line for each in found for line in _translations(each, node)]
    return "\n".join(
        [
            f"table inet {TABLE} {{",
            "\tchain translate {",
            *(f"\t\t{line}" for line in translate),
            "\t}",
            "\tchain prerouting {",
            "\t\ttype nat hook prerouting priority dstnat; policy accept;",
            "\t\tjump translate",
            "\t}",
            "\tchain output {",
            "\t\ttype nat hook output priority -100; policy accept;",
            "\t\tjump translate",
            "\t}",
            "\tchain postrouting {",
            "\t\ttype nat hook postrouting priority srcnat; policy accept;",
            *(f"\t\t{line}" for line in _ways_home(topology, node)),
            "\t}",
            "}",
            "",
        ]
    )


def _pods_behind(snapshot: Snapshot, service: Service, port: ServicePort, family: Family) -> Iterator[Endpoint]:
    for each in endpoints(snapshot, service, port, family):
        if isinstance(each.end, Pod) and family in each.end.addresses:
            yield Endpoint(each.end, each.port)


def _translations(frontend: Frontend, node: Node) -> Iterator[str]:
    keyword, protocol = _KEYWORD[frontend.family], frontend.port.protocol.value.lower()
    target = f"dnat {keyword} to {_choice(frontend)}"
    yield f"{keyword} daddr {render_address(frontend.address)} {protocol} dport {frontend.port.port} {target}"
    if frontend.port.node_port:
        for address in node.addresses:
            if family_of(address) is frontend.family:
                yield f"{keyword} daddr {render_address(address)} {protocol} dport {frontend.port.node_port} {target}"


def _choice(frontend: Frontend) -> str:
    """Return the endpoint to translate to, or a choice at random among several."""
    endpoints = [(render_address(e.pod.addresses[frontend.family]), e.port) for e in frontend.endpoints]
    if len(endpoints) == 1:
        ((address, port),) = endpoints
        return f"[{address}]:{port}" if frontend.family is Family.IPV6 else f"{address}:{port}"
    choices = ", ".join(f"{index} : {address} . {port}" for index, (address, port) in enumerate(endpoints))
    return f"numgen random mod {len(endpoints)} map {{ {choices} }}"


def _ways_home(topology: Topology, node: Node) -> Iterator[str]:
    for address in node.addresses:
        family, text = family_of(address), render_address(address)
        keyword = _KEYWORD[family]
        local = [
            render_address(pod.addresses[family])
            for pod in topology.pods
            if pod.node == node.name and family in pod.addresses
        ]
        if local:
            pairs = ", ".join(f"{each} . {each}" for each in local)
            yield f"{keyword} saddr . {keyword} daddr {{ {pairs} }} snat {keyword} to {text}"
        yield f'ct status dnat ct original {keyword} daddr {text} oifname "{UPLINK}" snat {keyword} to {text}'
