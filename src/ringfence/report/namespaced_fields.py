"""The fields of ``networking.k8s.io/v1`` NetworkPolicy, in our own words."""

from __future__ import annotations

from ringfence.report.api_field import ApiField

_BLOCK_TOPICS = {"from": ("own-node-to-pod", "service-paths"), "to": ("pod-to-own-node", "service-address")}
"""What bears on a block of one direction alone."""

_LABEL_NAME = "a key that is no qualified name, a value that is no label value"


def selector_fields(path: str, *, checked: bool) -> tuple[ApiField, ...]:
    """Return the fields of a label selector.

    Args:
        path: Of the selector.
        checked: Whether an API server looks into it; inside CustomResourceDefinitions it does not.
    """
    unseen = "" if checked else "An API server does not look into it here: what it would refuse elsewhere is our error."
    return (
        ApiField(
            f"{path}.matchLabels",
            "mapping of strings",
            "Labels that must be there with these values; all of them.",
            "No condition.",
            f"{_LABEL_NAME}." if checked else "",
            unseen,
        ),
        ApiField(
            f"{path}.matchExpressions",
            "list of objects",
            "Conditions on labels; all of them must hold, beside matchLabels.",
            "No condition.",
            traps=unseen,
        ),
        ApiField(
            f"{path}.matchExpressions.key",
            "string, required",
            "The label that is asked about.",
            "An error.",
            "What is no qualified name." if checked else "",
        ),
        ApiField(
            f"{path}.matchExpressions.operator",
            "string, required",
            "In, NotIn, Exists or DoesNotExist, with these capitals.",
            "An error.",
            "Any other word, Gt and Lt of node selectors included." if checked else "",
            "NotIn matches what does not have the label at all." + (f" {unseen}" if unseen else ""),
        ),
        ApiField(
            f"{path}.matchExpressions.values",
            "list of strings",
            "Values for In and NotIn.",
            "Right for Exists and DoesNotExist alone.",
            "None with In or NotIn, any with Exists or DoesNotExist; since 1.26 what is no label value."
            if checked
            else "",
        ),
    )


def _rule_fields(path: str, peers: str) -> tuple[ApiField, ...]:
    other = "opens the connection" if peers == "from" else "is connected to"
    peer = f"{path}.{peers}"
    return (
        ApiField(
            peer,
            "list of objects",
            f"Who {other}; one of the peers must match.",
            "Everybody: pods, nodes and all addresses outside.",
            "A peer without any field, and one with ipBlock beside a selector.",
            "Two selectors in one item must both match; in two items (one dash more) either.",
        ),
        ApiField(
            f"{peer}.podSelector",
            "label selector",
            "Pods by their labels, in the namespaces of namespaceSelector, or without it in the policy's own.",
            "Absent or null beside namespaceSelector: all pods of those namespaces. "
            "Empty ({}) alone: all pods of the policy's namespace.",
            traps="It never matches a node, a Service or an address outside.",
            topics=("host-network", "terminal-pods", "terminating-pods", "dual-stack", "node-local-dns"),
        ),
        *selector_fields(f"{peer}.podSelector", checked=True),
        ApiField(
            f"{peer}.namespaceSelector",
            "label selector",
            "Namespaces by their own labels; alone, all pods in them.",
            "Absent or null: the policy's own namespace. Empty ({}): all namespaces.",
            traps="It asks labels, not names: the name is the label kubernetes.io/metadata.name.",
            topics=("host-network",),
        ),
        *selector_fields(f"{peer}.namespaceSelector", checked=True),
        *_block_fields(f"{peer}.ipBlock", *_BLOCK_TOPICS[peers]),
        *_port_fields(
            f"{path}.ports", "the pod that the policy selects" if peers == "from" else "each pod at the other end"
        ),
    )


def _block_fields(path: str, *topics: str) -> tuple[ApiField, ...]:
    return (
        ApiField(
            path,
            "object",
            "Addresses, compared with those of the packet at the pod.",
            "Absent or null: the peer is one of pods.",
            "It beside a selector.",
            "A node or load balancer that rewrites the source shows another address than the client's.",
            ("ip-block-pods", "ip-block-nodes", *topics, "remote-node"),
        ),
        ApiField(
            f"{path}.cidr",
            "string, required",
            "A block of IPv4 or IPv6 addresses.",
            "An error.",
            "What is no CIDR, an address without a length; since 1.36 leading zeros, IPv4-mapped addresses and "
            "bits beyond the length.",
            "0.0.0.0/0 has no IPv6 address in it, and ::/0 none of IPv4.",
            ("ip-block-pods", "ip-block-nodes"),
        ),
        ApiField(
            f"{path}.except",
            "list of strings",
            "Blocks that are taken out of cidr.",
            "Nothing is taken out.",
            "What is not smaller than cidr and inside it.",
            "It denies nothing: another peer, rule or policy may accept the same addresses.",
        ),
    )


def _port_fields(path: str, server: str) -> tuple[ApiField, ...]:
    return (
        ApiField(
            path,
            "list of objects",
            "Ports and protocols of the server; one of them must match. Ports of a Service do not count.",
            "All traffic, ICMP included.",
            traps="With any port in it, ICMP is not accepted.",
            topics=("icmp",),
        ),
        ApiField(
            f"{path}.protocol",
            "string",
            "TCP, UDP or SCTP.",
            "TCP, also where no port is given: an item {} is all of TCP and nothing of UDP.",
            "Any other word, and these in small letters.",
            "DNS needs UDP beside TCP.",
            ("sctp",),
        ),
        ApiField(
            f"{path}.port",
            "whole number or string",
            f"A number, or the name of a port of {server}.",
            "All ports of the protocol.",
            'A number outside 1 to 65535, a name that is no port name, such as "80".',
            "A name is looked up on each server by name and protocol; it matches no address outside the cluster.",
            ("named-port",),
        ),
        ApiField(
            f"{path}.endPort",
            "whole number",
            "The last port of a range that begins with port.",
            "The one port.",
            "One without a port or beside a name, one below port, one outside 1 to 65535.",
            "Kubernetes before 1.22 drops it.",
            ("end-port",),
        ),
    )


NAMESPACED = (
    ApiField(
        "networkpolicy.spec",
        "object",
        "What the policy asks for. Policies of a namespace add up: none can take back what another accepts.",
        "All pods of the namespace are isolated for ingress, and nothing is accepted.",
        traps="It cannot deny.",
        topics=("own-address", "loopback", "hairpin", "established-connections", "new-pod", "not-in-the-api"),
    ),
    ApiField(
        "networkpolicy.spec.podSelector",
        "label selector",
        "The pods that the policy is for, in its own namespace.",
        "Absent, null or empty: all pods of the namespace.",
        topics=("host-network", "terminal-pods", "terminating-pods", "new-pod"),
    ),
    *selector_fields("networkpolicy.spec.podSelector", checked=True),
    ApiField(
        "networkpolicy.spec.policyTypes",
        "list of strings",
        "The directions for which the selected pods are isolated: Ingress, Egress or both.",
        "Absent, null or empty: Ingress, and Egress as well if there is an egress rule.",
        "More than two, and any other word.",
        "A policy with egress rules alone isolates for ingress too, unless policyTypes says Egress alone.",
        ("baseline-per-direction",),
    ),
    ApiField(
        "networkpolicy.spec.ingress",
        "list of objects",
        "What may come to the selected pods; one rule must match.",
        "Absent, null or empty: nothing, where policyTypes has Ingress.",
        traps="One empty rule ({}) accepts everything. Without Ingress in policyTypes the rules do nothing.",
        topics=("own-node-to-pod",),
    ),
    *_rule_fields("networkpolicy.spec.ingress", "from"),
    ApiField(
        "networkpolicy.spec.egress",
        "list of objects",
        "Where the selected pods may connect to; one rule must match.",
        "Absent, null or empty: nowhere, where policyTypes has Egress.",
        traps="An empty list without policyTypes does not isolate for egress. Names need a rule that accepts DNS.",
        topics=("pod-to-own-node", "node-local-dns"),
    ),
    *_rule_fields("networkpolicy.spec.egress", "to"),
)
"""Every field of ``spec``, in the order of the API."""
