"""Objects of every kind of policy, half of them as the API wants them, half of them broken.

NetworkPolicy is a type of the server itself and is written down here; the others are
read from their CustomResourceDefinitions, so no field of theirs can be forgotten.
"""

from __future__ import annotations

from ipaddress import ip_network
from random import Random
from typing import TYPE_CHECKING, Any

from tests.cluster.shapes import Shape, break_once, make

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "a" * 63
"""The longest label value and the longest name within a key."""

ODD = ("<a&b>", "\u2028", "\x7f", "\xa0", "\u200b", "\ufeff", "\ud800", "a\tb\r", "\x85", "\ue000", "\u0301", "٣", "`'")
"""Texts that are hard to show: each is one that Go, JSON or a terminal writes otherwise than others."""

KEYS = ("app", "kubernetes.io/metadata.name", "A.b-c_d", "1", LONG, "x.y/z", "a" * 253 + "/b")
BAD_KEYS = (
    *ODD,
    "",
    "-",
    "a b",
    "a/",
    "/a",
    "a/b/c",
    LONG + "a",
    "é",
    "A.B/c",
    "a_b/c",
    ".a",
    "a" * 254 + "/b",
    "a..b/c",
)
VALUES = ("", "a", "A.b-c_9", "0", LONG)
BAD_VALUES = (*ODD, "-", "a b", "a/b", LONG + "a", "é", ".", "a\n", "_a", "a-", '"', "\\", "\x00", "\U0001f600")
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
BAD_OPERATORS = (*ODD, "", "in", "notIn", "Gt", "Lt", "IN", "Exists ", "Equals")
PORT_NUMBERS = (1, 80, 443, 65535)
BAD_PORT_NUMBERS = (0, -1, 65536, 70000, 2**31 - 1, 2**31, -(2**31) - 1, 1.0, 1.5, 1e3, "80")
PORT_NAMES = ("http", "a", "a-b", "x0", "a" * 15, "1a")
BAD_PORT_NAMES = (*ODD, "", "80", "HTTP", "a--b", "-a", "a-", "a" * 16, "a_b", "a b", "é", "http\n", "---", "a" * 70)
BLOCKS = ("10.0.0.0/8", "0.0.0.0/0", "192.168.1.0/24", "10.1.2.3/32", "::/0", "2001:db8::/32", "fd00::1/128")
BAD_BLOCKS = (
    "", "10.0.0.0", "10.1.2.3/8", "10.0.0.0/33", "10.0.0.0/-1", "010.0.0.0/8", "10.0.0.0/08", "::ffff:10.0.0.0/104",
    "::ffff:a00:0/104", "10.0.0/8", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/255.0.0.0", "::1/64", "2001:DB8::/32",
    "2001:db8:0:0::/32", "fe80::1%eth0/64", "fe80::%1/64", "1.2.3.256/32", "/8", "10.0.0.0/", "all", "10.0.0.0//8",
    "::/129", ":::/0", "1::2::3/128", "2001:db8::/032", "0x0a.0.0.0/8", "10.0.0.0/+8", "::10.0.0.0/104", "٣.0.0.0/8",
    "0:0:0:0:0:0:0:0/0", "12345::/16", "1:2:3:4:5:6:7:8:9/128", "1:2:3:4:5:6:7:8/128", "0.0.0.0/00", "1.2.3.4.5/32",
    *ODD,
)  # fmt: skip
HOLES = ("10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "192.168.1.128/25", "2001:db8:1::/48", "fd00::1/128")
DOMAINS = ("example.com", "*.example.com", "a.b.c.example.com.", "x_y.example.com", "[a.example.com", "0.0")
BAD_DOMAINS = (
    *ODD,
    "",
    "com",
    "*",
    "*.",
    "*.*.com",
    "a.*.com",
    "-a.com",
    "a-.com",
    "a..com",
    "http://a.com",
    "a b.com",
    "é.com",
)
NAMES = ("a", "policy", "a.b-c", "0", "a" * 253)
BAD_NAMES = (*ODD, "", "A", "a_b", "-a", "a-", "a..b", "a" * 254, "é", "a/b", ".", "..", "a%", "a b", "a\n")


def text(*good: str, bad: tuple[Any, ...] = ()) -> Shape:
    """Return the shape of a text."""
    return Shape(good=good, bad=bad)


def _mend_port(port: dict[str, Any], random: Random) -> None:
    """Give a range both its ends, in order."""
    if "endPort" in port:
        port["port"] = random.choice([number for number in PORT_NUMBERS if number <= port["endPort"]])


def _mend_block(block: dict[str, Any], random: Random) -> None:
    """Leave only holes that are a part of the block."""
    whole = ip_network(block["cidr"])
    holes = [hole for hole in HOLES if ip_network(hole).version == whole.version]
    parts = [hole for hole in holes if hole != block["cidr"] and ip_network(hole).subnet_of(whole)]
    block["except"] = random.sample(parts, random.randint(0, len(parts)))


def _mend_range(ports: dict[str, Any], _: Random) -> None:
    """Let a range begin before it ends."""
    ports["start"], ports["end"] = sorted((ports["start"], ports["end"]))
    ports["start"] -= ports["start"] == ports["end"] > 1
    ports["end"] += ports["start"] == ports["end"]


def _mend_rule(rule: dict[str, Any], _: Random) -> None:
    """Leave out the names of ports of what is no pod."""
    if any(peer.keys() & {"networks", "nodes", "domainNames"} for peer in rule["to"]):
        for name in ("ports", "protocols"):
            if any(port.keys() & {"namedPort", "destinationNamedPort"} for port in rule.get(name, ())):
                del rule[name]


def _mend_requirement(requirement: dict[str, Any], random: Random) -> None:
    """Give values to the operators that want some, and to no other."""
    if requirement["operator"] in {"In", "NotIn"}:
        requirement["values"] = requirement.get("values") or [random.choice(VALUES)]
    else:
        requirement.pop("values", None)


def _mend_owners(metadata: dict[str, Any], _: Random) -> None:
    """Leave one owner in control."""
    for owner in metadata.get("ownerReferences", ())[1:]:
        owner.pop("controller", None)


_MENDED = {"start": _mend_range, "to": _mend_rule, "operator": _mend_requirement}
"""How the parts of a record are made to fit, by the name of one of its fields."""

LABELS = Shape(values=text(*VALUES, bad=BAD_VALUES), keys=KEYS, bad_keys=BAD_KEYS)

_NAME_OF_OWNER = text("a", "b", bad=("",))

METADATA = Shape(
    mend=_mend_owners,
    required=("name",),
    fields={
        "name": text(*NAMES, bad=BAD_NAMES),
        "labels": LABELS,
        "annotations": Shape(
            odds=0.2,
            values=text("", "a b", "é", "{}"),
            keys=("note", "a.b/c", "kubectl.kubernetes.io/x"),
            bad_keys=BAD_KEYS,
        ),
        "finalizers": Shape(
            odds=0.1, item=text("example.com/a", "kubernetes", "orphan", bad=("", "a", "A/B", "a b", "foreground"))
        ),
        "ownerReferences": Shape(
            odds=0.1,
            item=Shape(
                required=("apiVersion", "kind", "name", "uid"),
                fields={
                    "apiVersion": text("v1", "apps/v1", bad=("", "a/b/c", "/", "v1/")),
                    "kind": text("Pod", "Deployment", bad=("", "Event")),
                    "name": _NAME_OF_OWNER,
                    "uid": _NAME_OF_OWNER,
                    "controller": Shape(good=(True, False)),
                    "blockOwnerDeletion": Shape(good=(True, False)),
                },
            ),
        ),
        "generation": Shape(odds=0.1, good=(0, 1), bad=(-1, 2**63, 1.5)),
        "generateName": text("a", "a-", bad=("A", "-", "é", "a" * 300)),
        "creationTimestamp": Shape(
            odds=0.1, good=(None, "2024-01-02T03:04:05Z"), bad=("", "yesterday", 0, "2024-01-02")
        ),
        "uid": text("", "a"),
        "selfLink": Shape(odds=0.02, good=("", "/a")),
        "resourceVersion": Shape(odds=0.02, good=("",), bad=("1", "a")),
        "deletionGracePeriodSeconds": Shape(odds=0.02, good=(None, 0, 30), bad=(-1, 2**63)),
        "deletionTimestamp": Shape(odds=0.02, good=(None, "2024-01-02T03:04:05Z"), bad=("", "now", 5)),
        "managedFields": Shape(
            odds=0.05,
            item=Shape(
                required=("operation", "fieldsType"),
                fields={
                    "manager": text("", "kubectl", bad=("a" * 129, "\x07", *ODD)),
                    "operation": text("Apply", "Update", bad=("", "apply", "Delete")),
                    "apiVersion": text("v1", "networking.k8s.io/v1", bad=("", "a/b/c")),
                    "time": Shape(good=(None, "2024-01-02T03:04:05Z"), bad=("", "now")),
                    "fieldsType": text("FieldsV1", bad=("", "FieldsV2", "fieldsV1")),
                    "fieldsV1": Shape(good=({}, {"f:spec": {}}, None), bad=("x", [], 1)),
                    "subresource": text("", "status", bad=("a" * 257,)),
                },
            ),
        ),
    },
)

SELECTOR = Shape(
    fields={
        "matchLabels": LABELS,
        "matchExpressions": Shape(
            item=Shape(
                mend=_mend_requirement,
                required=("key", "operator"),
                fields={
                    "key": text(*KEYS, bad=BAD_KEYS),
                    "operator": text(*OPERATORS, bad=BAD_OPERATORS),
                    "values": Shape(item=text(*VALUES, bad=BAD_VALUES)),
                },
            )
        ),
    }
)

_PORT = Shape(
    mend=_mend_port,
    fields={
        "protocol": text("TCP", "UDP", "SCTP", bad=("", "tcp", "ICMP", "TCP ", "Any")),
        "port": Shape(good=(*PORT_NUMBERS, *PORT_NAMES), bad=(*BAD_PORT_NUMBERS, *BAD_PORT_NAMES)),
        "endPort": Shape(good=(443, 65535), bad=BAD_PORT_NUMBERS),
    },
)

_PEER = Shape(
    least=1,
    most=1,
    fields={
        "podSelector": SELECTOR,
        "namespaceSelector": SELECTOR,
        "ipBlock": Shape(
            mend=_mend_block,
            required=("cidr",),
            fields={
                "cidr": text(*BLOCKS, bad=BAD_BLOCKS),
                "except": Shape(item=text(*HOLES, bad=(*BAD_BLOCKS, *BLOCKS))),
            },
        ),
    },
)

NETWORK_POLICY = Shape(
    required=("metadata", "spec"),
    fields={
        "metadata": METADATA,
        "spec": Shape(
            fields={
                "podSelector": SELECTOR,
                "policyTypes": Shape(item=text("Ingress", "Egress", bad=("", "ingress", "Both", "Egress ")), most=2),
                "ingress": Shape(item=Shape(fields={"from": Shape(item=_PEER), "ports": Shape(item=_PORT)})),
                "egress": Shape(item=Shape(fields={"to": Shape(item=_PEER), "ports": Shape(item=_PORT)})),
            }
        ),
    },
)

_KNOWN = {
    "key": text(*KEYS, bad=BAD_KEYS),
    "operator": text(*OPERATORS, bad=BAD_OPERATORS),
    "matchLabels": LABELS,
    "networks": text(*BLOCKS, "10.1.2.3/8", bad=(*BAD_BLOCKS, "a" * 43, "a" * 44, "é" * 43)),
    "domainNames": text(*DOMAINS, bad=BAD_DOMAINS),
    "namedPort": text(*PORT_NAMES, bad=BAD_PORT_NAMES),
    "destinationNamedPort": text(*PORT_NAMES, bad=BAD_PORT_NAMES),
    "protocol": text("TCP", "UDP", "SCTP", bad=("", "tcp", "ICMP")),
    "values": text(*VALUES, bad=BAD_VALUES),
    "name": text("", "a rule", "é" * 100, "a" * 100, bad=("a" * 101, "é" * 101, "\U0001f600" * 101)),
    "lastTransitionTime": text("2024-01-02T03:04:05Z", bad=("", "now", "2024-01-02")),
    "message": text("", "done"),
    "reason": text("Done", bad=("", "not so", "a" * 1025)),
    "type": text("Ready", "a.b/C", bad=("", "not so", "a" * 317)),
}
"""Texts of the policy APIs, by the name of the field, or of the list that they stand in."""


def read_schema(schema: dict[str, Any], name: str = "") -> Shape:
    """Return the shape that a schema of a CustomResourceDefinition describes.

    Args:
        schema: An OpenAPI schema.
        name: The name of the field, or of the list that it is an item of.
    """
    if name in _KNOWN and schema["type"] in {"string", "object"}:
        return _KNOWN[name]
    if schema["type"] == "array":
        return Shape(
            item=read_schema(schema["items"], name), least=schema.get("minItems", 0), most=schema.get("maxItems")
        )
    if schema["type"] == "object":
        return (
            Shape(
                fields={member: read_schema(each, member) for member, each in schema["properties"].items()},
                required=tuple(schema.get("required", ())),
                least=schema.get("minProperties", 0),
                most=schema.get("maxProperties"),
                mend=next((_MENDED[member] for member in _MENDED if member in schema["properties"]), None),
            )
            if "properties" in schema
            else Shape(good=({},))
        )
    if schema["type"] == "integer":
        least, most = schema.get("minimum", 0), schema.get("maximum", 2**31 - 1)
        return Shape(good=(least, least + 1, most - 1, most), bad=(least - 1, most + 1, *BAD_PORT_NUMBERS))
    names = tuple(schema.get("enum", ("a",)))
    return text(*names, bad=("", *(each.lower() for each in names), "Other"))


def read_definition(definition: dict[str, Any]) -> Shape:
    """Return the shape of the objects that a CustomResourceDefinition defines."""
    (version,) = definition["spec"]["versions"]
    root = read_schema(version["schema"]["openAPIV3Schema"])
    metadata = METADATA
    if definition["spec"]["names"]["kind"] == "BaselineAdminNetworkPolicy":
        metadata = METADATA.with_field("name", text("default", bad=("Default", "other", *BAD_NAMES)))
    fields = {"metadata": metadata, **{name: root.fields[name] for name in ("spec", "status")}}
    return Shape(fields=fields, required=("metadata", "spec"))


def objects(shape: Shape, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield objects without kind and version: every second one broken, in one place or two.

    Args:
        shape: The shape of the type.
        count: How many.
        seed: What to begin with; the same seed gives the same objects.
    """
    random = Random(seed)  # noqa: S311 - not a secret
    for number in range(count):
        made = make(shape, random)
        for _ in range(number % 2 and random.choice((1, 1, 2))):
            break_once(shape, made, random)
        yield made
