"""What an API server refuses in the spec of a NetworkPolicy: the spec in, the causes of its answer out.

Each row of a table is what the server answers: the field, the reason and the message.
"""

from __future__ import annotations

import pytest

from ringfence.readers.refusals import KEY_NAME_LETTERS, VALUE_LETTERS
from ringfence.readers.release import VERIFIED, Release
from ringfence.readers.validation import check_network_policy

from .texts import causes, manifest

INVALID, REQUIRED, FORBIDDEN = "FieldValueInvalid", "FieldValueRequired", "FieldValueForbidden"
UNSUPPORTED = "FieldValueNotSupported"

NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
RANGE = "must be between 1 and 65535, inclusive"

Causes = list[tuple[str, str, str]]


def refused(spec: str, release: Release = VERIFIED) -> Causes:
    """The causes for which a spec is refused, in order."""
    found = manifest(f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec: {spec}")
    check_network_policy(found, found.value["spec"], release)
    return causes(found)


@pytest.mark.parametrize(
    "spec",
    [
        "{}",
        "{podSelector: {}, ingress: [], egress: [], policyTypes: []}",
        "{policyTypes: [Ingress, Ingress]}",
        "{ingress: [null, {}, {from: [], ports: []}]}",
        "{ingress: [{ports: [{}, null, {port: 1}, {port: 65535}, {port: 1, endPort: 1}, {port: 1, endPort: 65535}]}]}",
        "{egress: [{ports: [{protocol: TCP}, {protocol: UDP, port: dns}, {protocol: SCTP}]}]}",
        "{ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}}, {podSelector: {}, namespaceSelector: {}}]}]}",
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.0.0.0/9, 10.0.0.0/10]}}]}]}",
        "{egress: [{to: [{ipBlock: {cidr: '2001:0DB8::/32'}}]}]}",
        "{podSelector: {matchLabels: {a: '', b.c/d: null}}}",
        "{podSelector: {matchExpressions: [{key: a, operator: In, values: ['', null, b, b]}]}}",
    ],
)
def test_what_is_right_is_not_refused(spec: str):
    """Nor are doubles, and what overlaps."""
    assert refused(spec) == []


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("{matchLabels: {-a: b}}", [("matchLabels", INVALID, f'Invalid value: "-a": {KEY_NAME_LETTERS}')]),
        ("{matchLabels: {a: b b}}", [("matchLabels", INVALID, f'Invalid value: "b b": {VALUE_LETTERS}')]),
        (
            "{matchLabels: {a: " + "b" * 64 + "}}",
            [("matchLabels", INVALID, f'Invalid value: "{"b" * 64}": must be no more than 63 bytes')],
        ),
        (
            "{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}",
            [("matchExpressions[0].operator", INVALID, 'Invalid value: "Gt": not a valid selector operator')],
        ),
        (
            "{matchExpressions: [{key: a}]}",
            [("matchExpressions[0].operator", INVALID, 'Invalid value: "": not a valid selector operator')],
        ),
        (
            "{matchExpressions: [{key: a, operator: In}, {key: a, operator: NotIn, values: []}]}",
            [
                (
                    f"matchExpressions[{index}].values",
                    REQUIRED,
                    "Required value: must be specified when `operator` is 'In' or 'NotIn'",
                )
                for index in (0, 1)
            ],
        ),
        (
            "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
            [
                (
                    "matchExpressions[0].values",
                    FORBIDDEN,
                    "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                )
            ],
        ),
        (
            "{matchExpressions: [{key: '', operator: Exists}]}",
            [
                ("matchExpressions[0].key", INVALID, 'Invalid value: "": name part must be non-empty'),
                ("matchExpressions[0].key", INVALID, f'Invalid value: "": {KEY_NAME_LETTERS}'),
            ],
        ),
        (
            "{matchExpressions: [{key: a, operator: NotIn, values: [b, b b]}]}",
            [("matchExpressions[0].values[1]", INVALID, f'Invalid value: "b b": {VALUE_LETTERS}')],
        ),
        (
            "{matchLabels: {a: b}, matchExpressions: [null]}",
            [
                ("matchExpressions[0].operator", INVALID, 'Invalid value: "": not a valid selector operator'),
                ("matchExpressions[0].key", INVALID, 'Invalid value: "": name part must be non-empty'),
                ("matchExpressions[0].key", INVALID, f'Invalid value: "": {KEY_NAME_LETTERS}'),
            ],
        ),
    ],
)
@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("{podSelector: %s}", "spec.podSelector"),
        ("{ingress: [{}, {from: [{podSelector: %s}]}]}", "spec.ingress[1].from[0].podSelector"),
        ("{egress: [{to: [{namespaceSelector: %s}]}]}", "spec.egress[0].to[0].namespaceSelector"),
    ],
)
def test_selectors(selector: str, found: Causes, spec: str, path: str):
    """Wherever they stand. Labels are refused at their list, not by key."""
    assert refused(spec % selector) == [(f"{path}.{field}", reason, message) for field, reason, message in found]


@pytest.mark.parametrize(
    ("port", "found"),
    [
        *(
            (
                f"{{protocol: '{name}'}}",
                [("protocol", UNSUPPORTED, f'Unsupported value: "{name}": supported values: "TCP", "UDP", "SCTP"')],
            )
            for name in ("tcp", "ICMP", "")
        ),
        *(
            (f"{{port: {number}}}", [("port", INVALID, f"Invalid value: {number}: {RANGE}")])
            for number in (-1, 0, 65536)
        ),
        ("{port: '80'}", [("port", INVALID, 'Invalid value: "80": must contain at least one letter (a-z)')]),
        (
            "{port: WEB}",
            [
                ("port", INVALID, f'Invalid value: "WEB": {detail}')
                for detail in (
                    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                    "must contain at least one letter (a-z)",
                )
            ],
        ),
        (
            "{port: 80, endPort: 79}",
            [("endPort", INVALID, "Invalid value: 80: must be greater than or equal to `port`")],
        ),
        (
            "{port: 80, endPort: 0}",
            [
                ("endPort", INVALID, "Invalid value: 80: must be greater than or equal to `port`"),
                ("endPort", INVALID, f"Invalid value: 0: {RANGE}"),
            ],
        ),
        ("{port: 80, endPort: 65536}", [("endPort", INVALID, f"Invalid value: 65536: {RANGE}")]),
        (
            "{port: 0, endPort: 80, protocol: x}",
            [
                ("protocol", UNSUPPORTED, 'Unsupported value: "x": supported values: "TCP", "UDP", "SCTP"'),
                ("port", INVALID, f"Invalid value: 0: {RANGE}"),
            ],
        ),
        (
            "{port: a--b, endPort: 80}",
            [
                ("endPort", INVALID, "Invalid value: 80: may not be specified when `port` is non-numeric"),
                ("port", INVALID, 'Invalid value: "a--b": must not contain consecutive hyphens'),
            ],
        ),
        (
            "{endPort: 80}",
            [("endPort", INVALID, "Invalid value: 80: may not be specified when `port` is not specified")],
        ),
    ],
)
@pytest.mark.parametrize(("section", "number"), [("ingress", 0), ("egress", 1)])
def test_ports(port: str, found: Causes, section: str, number: int):
    """In both directions. An end before its port is shown as the port."""
    path = f"spec.{section}[{number}].ports[1]"
    rules = ["{}"] * number + [f"{{ports: [null, {port}]}}"]

    assert refused(f"{{{section}: [{', '.join(rules)}]}}") == [
        (f"{path}.{field}", reason, message) for field, reason, message in found
    ]


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        ("{}", [("", REQUIRED, "Required value: must specify a peer")]),
        ("null", [("", REQUIRED, "Required value: must specify a peer")]),
        ("{podSelector: null}", [("", REQUIRED, "Required value: must specify a peer")]),
        (
            "{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}",
            [("", FORBIDDEN, "Forbidden: may not specify both ipBlock and another peer")],
        ),
        (
            "{namespaceSelector: {}, ipBlock: {}}",
            [
                (".ipBlock.cidr", REQUIRED, "Required value"),
                ("", FORBIDDEN, "Forbidden: may not specify both ipBlock and another peer"),
            ],
        ),
        ("{ipBlock: {cidr: ''}}", [(".ipBlock.cidr", REQUIRED, "Required value")]),
        ("{ipBlock: {except: [x]}}", [(".ipBlock.cidr", REQUIRED, "Required value")]),
        ("{ipBlock: {cidr: 10.0.0.1}}", [(".ipBlock.cidr", INVALID, f'Invalid value: "10.0.0.1": {NO_CIDR}')]),
        ("{ipBlock: {cidr: x, except: [y]}}", [(".ipBlock.cidr", INVALID, f'Invalid value: "x": {NO_CIDR}')]),
        (
            "{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.1, null]}}",
            [
                (".ipBlock.except[0]", INVALID, f'Invalid value: "10.0.0.1": {NO_CIDR}'),
                (".ipBlock.except[1]", INVALID, f'Invalid value: "": {NO_CIDR}'),
            ],
        ),
        *(
            (
                f"{{ipBlock: {{cidr: 10.0.0.0/8, except: ['{hole}']}}}}",
                [(".ipBlock.except[0]", INVALID, f'Invalid value: "{hole}": must be a strict subset of `cidr`')],
            )
            for hole in ("10.0.0.0/8", "11.0.0.0/9", "0.0.0.0/0", "2001:db8::/32")
        ),
    ],
)
@pytest.mark.parametrize(("section", "peers"), [("ingress", "from"), ("egress", "to")])
def test_peers(peer: str, found: Causes, section: str, peers: str):
    """In both directions; a block without a readable CIDR is looked at no further."""
    assert refused(f"{{{section}: [{{{peers}: [{peer}]}}]}}") == [
        (f"spec.{section}[0].{peers}[0]{field}", reason, message) for field, reason, message in found
    ]


STRICT = [
    ("10.1.2.3/8", "must not have bits set beyond the prefix length"),
    ("010.0.0.0/8", "must not have leading 0s in IP or prefix length"),
    ("10.0.0.0/08", "must not have leading 0s in IP or prefix length"),
    ("::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address"),
]


@pytest.mark.parametrize(("cidr", "detail"), STRICT)
def test_cidrs_are_strict_from_1_36_on(cidr: str, detail: str):
    """A CIDR and an exception alike; the exception is still held against the CIDR."""
    path = "spec.ingress[0].from[0].ipBlock"
    whole = f"{{ingress: [{{from: [{{ipBlock: {{cidr: '{cidr}'}}}}]}}]}}"
    hole = f"{{ingress: [{{from: [{{ipBlock: {{cidr: 11.0.0.0/8, except: ['{cidr}']}}}}]}}]}}"
    beside = (f"{path}.except[0]", INVALID, f'Invalid value: "{cidr}": must be a strict subset of `cidr`')

    assert refused(whole) == [(f"{path}.cidr", INVALID, f'Invalid value: "{cidr}": {detail}')]
    assert refused(hole) == [(f"{path}.except[0]", INVALID, f'Invalid value: "{cidr}": {detail}'), beside]
    assert refused(whole, Release(35)) == []
    assert refused(hole, Release(35)) == [beside]


@pytest.mark.parametrize(
    ("cidr", "hint"),
    [
        ("10.1.2.3/8", "write 10.0.0.0/8, or 10.1.2.3/32 for one address"),
        ("2001:db8::1/32", "write 2001:db8::/32, or 2001:db8::1/128 for one address"),
        ("010.1.0.0/16", "write 10.1.0.0/16"),
        ("10.1.2.3", "write 10.1.2.3/32 for one address"),
        ("10.0.0.0/33", "correct the block"),
    ],
)
def test_hints_say_which_cidr_is_meant(cidr: str, hint: str):
    """Where bits stand beyond the prefix, it may be either of two."""
    found = manifest("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n")
    check_network_policy(found, {"ingress": [{"from": [{"ipBlock": {"cidr": cidr}}]}]}, VERIFIED)

    assert [error.hint for error in found.errors] == [hint]


def test_values_of_expressions_are_label_values_from_1_26_on():
    """Before, a server took them."""
    spec = "{podSelector: {matchExpressions: [{key: a, operator: In, values: [b b]}]}}"

    assert len(refused(spec)) == 1
    assert refused(spec, Release(25)) == []


@pytest.mark.parametrize(
    ("types", "found"),
    [
        (
            "[ingress]",
            [
                (
                    "spec.policyTypes[0]",
                    UNSUPPORTED,
                    'Unsupported value: "ingress": supported values: "Ingress", "Egress"',
                )
            ],
        ),
        (
            "[Egress, null]",
            [("spec.policyTypes[1]", UNSUPPORTED, 'Unsupported value: "": supported values: "Ingress", "Egress"')],
        ),
        (
            "[Ingress, <b>, Egress]",
            [
                (
                    "spec.policyTypes",
                    INVALID,
                    'Invalid value: ["Ingress","\\u003cb\\u003e","Egress"]: may not specify more than two policyTypes',
                )
            ],
        ),
    ],
)
def test_policy_types(types: str, found: Causes):
    """Of three, none is looked at."""
    assert refused(f"{{policyTypes: {types}}}") == found


def test_all_is_said_at_once_and_in_the_server_s_order():
    """Subject, then each rule's ports before its peers, ingress before egress, types last."""
    fields = [
        field
        for field, _, _ in refused(
            "{policyTypes: [x], egress: [{to: [{}], ports: [{port: 0}]}], ingress: [{from: [{}], ports: [{port: 0}]}],"
            " podSelector: {matchLabels: {a: b b}}}"
        )
    ]

    assert fields == [
        "spec.podSelector.matchLabels",
        "spec.ingress[0].ports[0].port",
        "spec.ingress[0].from[0]",
        "spec.egress[0].ports[0].port",
        "spec.egress[0].to[0]",
        "spec.policyTypes[0]",
    ]
