"""The fields of the cluster-wide policy kinds, in our own words."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.report.api_field import ApiField
from ringfence.report.namespaced_fields import selector_fields


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between the kinds.

    Attributes:
        name: The kind, in small letters.
        accept: Its word for a rule that accepts.
        actions: What a rule may do.
        most: Rules, peers or ports in a list.
        ports: Its name for the ports of a rule.
        addresses: Peers of egress beside pods.
    """

    name: str
    accept: str
    actions: str
    most: int
    ports: str
    addresses: tuple[str, ...]


_CLUSTER = _Kind(
    "clusternetworkpolicy", "Accept", "Accept, Deny or Pass", 25, "protocols", ("networks", "nodes", "domainNames")
)
_ADMIN = _Kind("adminnetworkpolicy", "Allow", "Allow, Deny or Pass", 100, "ports", ("networks", "nodes", "domainNames"))
_BASELINE = _Kind("baselineadminnetworkpolicy", "Allow", "Allow or Deny", 100, "ports", ("networks", "nodes"))

_ORDER = {
    "clusternetworkpolicy": "Tiers go Admin, NetworkPolicy, Baseline; what none decides is allowed.",
    "adminnetworkpolicy": "It is applied before NetworkPolicies, as ClusterNetworkPolicy of the Admin tier is.",
    "baselineadminnetworkpolicy": "It is applied after NetworkPolicies, where none isolates.",
}


def _spec(kind: _Kind) -> tuple[ApiField, ...]:
    path = f"{kind.name}.spec"
    topics = ("own-address", "established-connections")
    traps = "A pod that reaches itself through a Service is judged, other than by NetworkPolicies."
    refused = "It in an object of another name than default." if kind is _BASELINE else ""
    about = f"What the policy asks for. {_ORDER[kind.name]}"
    fields = [ApiField(path, "object, required", about, "An error.", refused, traps, topics)]
    if kind is _CLUSTER:
        about = "Admin decides before NetworkPolicies, Baseline after them, for what they leave open."
        tier = ("baseline-per-direction",)
        fields += [ApiField(f"{path}.tier", "string, required", about, "An error.", "Any other word.", topics=tier)]
    if kind is not _BASELINE:
        fields += [
            ApiField(
                f"{path}.priority",
                "whole number, required",
                "The place in the tier; the lower number is applied first.",
                "An error; 0 is the first.",
                "What is not within 0 to 1000.",
                "Policies of equal priority that disagree leave the answer undecided.",
                ("equal-priority",),
            )
        ]
    return tuple(fields)


def _peers_of_pods(kind: _Kind, path: str) -> tuple[ApiField, ...]:
    """Return the fields that a subject and a peer share."""
    loose = kind is _CLUSTER
    every = "Absent or empty: all namespaces, and not the policy's own as in NetworkPolicy: it has none."
    return (
        ApiField(
            f"{path}.namespaces",
            "label selector",
            "All pods of the namespaces that have these labels.",
            "Empty ({}): all pods of the cluster.",
            topics=("host-network",),
        ),
        *selector_fields(f"{path}.namespaces", checked=False),
        ApiField(
            f"{path}.pods",
            "object",
            "Pods by their labels and those of their namespace; both must match.",
            "Absent: another field says who.",
            topics=("host-network", "terminal-pods"),
        ),
        ApiField(
            f"{path}.pods.namespaceSelector",
            "label selector" if loose else "label selector, required",
            "Namespaces by their labels.",
            every if loose else "Absent: an error. Empty ({}): all namespaces.",
        ),
        *selector_fields(f"{path}.pods.namespaceSelector", checked=False),
        ApiField(
            f"{path}.pods.podSelector",
            "label selector, required",
            "Pods by their labels.",
            "Absent: an error. Empty ({}): all pods of those namespaces.",
        ),
        *selector_fields(f"{path}.pods.podSelector", checked=False),
    )


def _subject(kind: _Kind) -> tuple[ApiField, ...]:
    path = f"{kind.name}.spec.subject"
    either = "Anything but exactly one of namespaces and pods."
    about = "The pods that the policy is for, in any namespace."
    return (
        ApiField(path, "object, required", about, "An error.", either, topics=("host-network",)),
        *_peers_of_pods(kind, path),
    )


def _rules(kind: _Kind, section: str, peers: str) -> tuple[ApiField, ...]:
    path = f"{kind.name}.spec.{section}"
    passed = "" if kind is _BASELINE else " Pass leaves the rest of this tier out."
    known = ("namespaces", "pods", *(kind.addresses if peers == "to" else ()))
    return (
        ApiField(
            path,
            "list of objects",
            "Rules, applied in their order: the first that matches decides.",
            "Absent or empty: the policy decides nothing in this direction.",
            f"More than {kind.most}.",
            "It does not isolate: what no rule matches goes on to the next policy.",
            _own_node(kind, peers),
        ),
        ApiField(
            f"{path}.name",
            "string",
            "What reasons call the rule.",
            "It is called by its number.",
            "More than 100 characters.",
        ),
        ApiField(
            f"{path}.action",
            "string, required",
            f"{kind.actions}. {kind.accept} and Deny are final for this direction.{passed}",
            "An error.",
            "Any other word.",
            f"{kind.accept} of one direction does not open the other: the other end's rules apply too.",
        ),
        ApiField(
            f"{path}.{peers}",
            "list of objects, required",
            f"Who is at the other end: one of the peers must match, each of exactly one of {', '.join(known)}.",
            "An error: there is no short way to say everybody.",
            f"None or more than {kind.most}, and a peer with none or several of its fields.",
            f"A peer that is not understood matches nothing in a rule of {kind.accept}, and everything in any other.",
        ),
        *_peers_of_pods(kind, f"{path}.{peers}"),
        *(_ADDRESSES_OF[each](kind, f"{path}.to.{each}") for each in (kind.addresses if peers == "to" else ())),
        *(_selected_nodes(path) if peers == "to" else ()),
        *_ports(kind, f"{path}.{kind.ports}"),
    )


def _own_node(kind: _Kind, peers: str) -> tuple[str, ...]:
    """Return the open points about own nodes: they are settled behind the Admin tier, before the Baseline tier."""
    if kind is _ADMIN:
        return ()
    return ("own-node-to-pod",) if peers == "from" else ("pod-to-own-node",)


def _selected_nodes(path: str) -> tuple[ApiField, ...]:
    return selector_fields(f"{path}.to.nodes", checked=False)


def _networks(_: _Kind, path: str) -> ApiField:
    return ApiField(
        path,
        "list of strings",
        "Blocks of addresses; the address of the packet at the pod is compared, so those of pods match too.",
        "Absent: another field says who.",
        "None or more than 25, one that is given twice, what is no CIDR.",
        "Bits beyond the length are taken here, which NetworkPolicy refuses. A Service's own address never matches.",
    )


def _nodes(_: _Kind, path: str) -> ApiField:
    return ApiField(
        path,
        "label selector",
        "Nodes by their labels: the addresses in their status, which pods on their network share.",
        "Absent: another field says who.",
        traps="Only the experimental channel has it: the standard one refuses or drops it.",
        topics=("remote-node", "host-network"),
    )


def _domains(kind: _Kind, path: str) -> ApiField:
    return ApiField(
        path,
        "list of strings",
        "Names of hosts outside; *. stands for one label or more in front.",
        "Absent: another field says who.",
        "None or more than 25, one that is given twice, what is no name.",
        f"Only the experimental channel has it, and only {kind.accept} may use it. "
        "Answers are undecided where it matters: only DNS knows the addresses.",
    )


_ADDRESSES_OF = {"networks": _networks, "nodes": _nodes, "domainNames": _domains}


def _ports(kind: _Kind, path: str) -> tuple[ApiField, ...]:
    either = "None, more than {most}, and an item with none or several of its fields."
    traffic = ApiField(
        path,
        "list of objects",
        "Ports and protocols of the server; one of them must match.",
        "Absent: all traffic, ICMP included.",
        either.format(most=kind.most),
        "With any port in it, ICMP does not match.",
    )
    name = ApiField(
        f"{path}.{'destinationNamedPort' if kind is _CLUSTER else 'namedPort'}",
        "string",
        "The name of a port of the pod that is the server.",
        "Absent: another field says which.",
        f"It beside {', '.join(kind.addresses)}, in the experimental channel.",
        "The standard channel of ClusterNetworkPolicy takes it beside addresses, where it matches nothing."
        if kind is _CLUSTER
        else "Only the experimental channel has it.",
        ("named-port",),
    )
    return (traffic, *(_by_protocol(path) if kind is _CLUSTER else _by_number(path)), name)


def _number(path: str, about: str) -> ApiField:
    return ApiField(path, "whole number, required", about, "An error.", "What is not within 1 to 65535.")


def _by_protocol(path: str) -> tuple[ApiField, ...]:
    fields: list[ApiField] = []
    for protocol in ("tcp", "udp", "sctp"):
        port = f"{path}.{protocol}.destinationPort"
        fields += (
            ApiField(
                f"{path}.{protocol}",
                "object",
                f"Ports of {protocol.upper()}.",
                "Absent: another field says which. Empty: an error.",
                "An empty object.",
                "All ports are the range from 1 to 65535.",
                ("sctp",) if protocol == "sctp" else (),
            ),
            ApiField(
                port,
                "object",
                "One port, or a range.",
                "An error.",
                "Anything but exactly one of number and range.",
            ),
            _number(f"{port}.number", "The port."),
            ApiField(
                f"{port}.range",
                "object",
                "Ports from start to end, both included.",
                "Absent: number says which.",
                "A start that is not below its end; NetworkPolicy takes equal ones.",
            ),
            _number(f"{port}.range.start", "The first port."),
            _number(f"{port}.range.end", "The last port."),
        )
    return tuple(fields)


def _protocol(path: str) -> ApiField:
    return ApiField(
        path,
        "string",
        "TCP, UDP or SCTP.",
        "TCP.",
        traps="An API server takes any text; one that is no protocol is our error.",
        topics=("sctp",),
    )


def _by_number(path: str) -> tuple[ApiField, ...]:
    one, several = f"{path}.portNumber", f"{path}.portRange"
    return (
        ApiField(one, "object", "One port.", "Absent: another field says which."),
        _number(f"{one}.port", "The port."),
        _protocol(f"{one}.protocol"),
        ApiField(
            several,
            "object",
            "Ports from start to end, both included.",
            "Absent: another field says which.",
            traps="An API server takes a start beyond its end; it is our error.",
        ),
        _number(f"{several}.start", "The first port."),
        _number(f"{several}.end", "The last port."),
        _protocol(f"{several}.protocol"),
    )


def _fields(kind: _Kind) -> tuple[ApiField, ...]:
    return (*_spec(kind), *_subject(kind), *_rules(kind, "ingress", "from"), *_rules(kind, "egress", "to"))


TIERED = (*_fields(_CLUSTER), *_fields(_ADMIN), *_fields(_BASELINE))
"""Every field of ``spec`` of each kind."""
