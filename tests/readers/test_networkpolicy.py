"""NetworkPolicy v1 in, policies out; what is wrong in one never widens what is allowed."""

from __future__ import annotations

from copy import deepcopy
from itertools import product
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.model.connection import Connection
from ringfence.model.policy import (
    Anyone,
    BlockPeer,
    Direction,
    NamedPort,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)
from ringfence.readers import Reading, Release, read
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome

from .texts import POD, policy, reading, source

BOTH = frozenset(Direction)
INGRESS = frozenset({Direction.INGRESS})
EGRESS = frozenset({Direction.EGRESS})


def sound(spec: str) -> Policy:
    """The policy with a spec that has nothing wrong with it."""
    found, errors = policy(spec)
    assert errors == []
    return found


def rule(text: str) -> Rule:
    """The one ingress rule that a text writes."""
    return sound(f"ingress:\n- {text}").ingress[0]


def test_a_policy_knows_what_it_is():
    """Its kind, name, tier and place."""
    found = sound("podSelector: {}")

    assert (found.kind, found.name, found.tier, found.priority) == ("NetworkPolicy", "x/p", Tier.NETWORK_POLICY, 0)
    assert (found.origin.line, found.origin.column, found.origin.pointer) == (1, 1, "")
    assert found.origin.object == "NetworkPolicy/x/p"


@pytest.mark.parametrize(
    ("spec", "pods"),
    [
        ("{}", EVERYTHING),
        ("podSelector: null", EVERYTHING),
        ("podSelector: {}", EVERYTHING),
        ("podSelector: {matchLabels: {a: b}}", Selector.labels({"a": "b"})),
    ],
)
def test_the_subject_is_pods_of_the_policy_s_namespace(spec: str, pods: Selector):
    """All of them by default."""
    assert sound(spec).subject == PodSelector("x", pods)


@pytest.mark.parametrize(
    ("spec", "isolates"),
    [
        ("podSelector: {}", INGRESS),
        ("policyTypes: []", INGRESS),
        ("ingress: []", INGRESS),
        ("egress: []", INGRESS),
        ("egress: null", INGRESS),
        ("egress: [{}]", BOTH),
        ("policyTypes: []\negress: [{}]", BOTH),
        ("policyTypes: [Egress]\ningress: [{}]", EGRESS),
        ("policyTypes: [Ingress]\negress: [{}]", INGRESS),
        ("policyTypes: [Ingress, Egress]", BOTH),
        ("policyTypes: [Egress, Egress]", EGRESS),
    ],
)
def test_policy_types_default_as_the_api_server_s(spec: str, isolates: frozenset[Direction]):
    """Ingress always, Egress where there is an egress rule; what is written is kept."""
    assert sound(spec).isolates == isolates


@pytest.mark.parametrize("text", ["{}", "null", "from: []", "from: null\n  ports: null", "ports: []"])
def test_a_rule_without_peers_and_ports_matches_everything(text: str):
    """Absent, null and empty mean the same."""
    found = rule(text)

    assert (found.peers, found.traffic, found.named) == ((Anyone(),), ALL, ())


def test_rules_know_their_direction_index_and_place():
    """Peers too."""
    found = sound("egress:\n- {}\n- to:\n  - podSelector: {}\n  - ipBlock: {cidr: 10.0.0.0/8}\n")

    origins = [found.egress[1].origin, *(peer.origin for peer in found.egress[1].peers if not isinstance(peer, Anyone))]
    assert [(origin.line, origin.column, origin.pointer, origin.rule) for origin in origins] == [
        (7, 5, "/spec/egress/1", 1),
        (8, 7, "/spec/egress/1/to/0", 1),
        (9, 7, "/spec/egress/1/to/1", 1),
    ]


@pytest.mark.parametrize(
    ("peer", "selector"),
    [
        ("{podSelector: {}}", PodSelector("x", EVERYTHING)),
        ("{podSelector: {}, namespaceSelector: null}", PodSelector("x", EVERYTHING)),
        ("{namespaceSelector: {}}", PodSelector(EVERYTHING, EVERYTHING)),
        ("{namespaceSelector: {matchLabels: {env: m}}}", PodSelector(Selector.labels({"env": "m"}), EVERYTHING)),
        (
            "{namespaceSelector: {matchLabels: {env: m}}, podSelector: {matchLabels: {a: b}}}",
            PodSelector(Selector.labels({"env": "m"}), Selector.labels({"a": "b"})),
        ),
    ],
)
def test_pod_peers(peer: str, selector: PodSelector):
    """Without a namespace selector they are of the policy's own namespace; both are ANDed."""
    found = rule(f"from: [{peer}]")

    assert [each.pods for each in found.peers if isinstance(each, PodPeer)] == [selector]


@pytest.mark.parametrize(
    ("block", "addresses", "text"),
    [
        ("{cidr: 10.0.0.0/8}", read_cidr("10.0.0.0/8"), "10.0.0.0/8"),
        ("{cidr: 10.0.0.0/8, except: null}", read_cidr("10.0.0.0/8"), "10.0.0.0/8"),
        ("{cidr: '::/0'}", read_cidr("::/0"), "::/0"),
        (
            "{cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/10]}",
            read_cidr("10.192.0.0/10"),
            "10.0.0.0/8 except 10.0.0.0/9, 10.128.0.0/10",
        ),
        (
            "{cidr: '2001:db8::/32', except: ['2001:db8::/33']}",
            read_cidr("2001:db8:8000::/33"),
            "2001:db8::/32 except 2001:db8::/33",
        ),
    ],
)
def test_block_peers(block: str, addresses: object, text: str):
    """The block less what it leaves out, and its text as written."""
    (peer,) = rule(f"from: [{{ipBlock: {block}}}]").peers

    assert isinstance(peer, BlockPeer)
    assert (peer.addresses, peer.text) == (addresses, text)


@pytest.mark.parametrize(
    ("port", "traffic"),
    [
        ("{}", ports(Protocol.TCP)),
        ("null", ports(Protocol.TCP)),
        ("{protocol: UDP}", ports(Protocol.UDP)),
        ("{port: 80}", ports(Protocol.TCP, 80, 80)),
        ("{port: 80.0}", ports(Protocol.TCP, 80, 80)),
        ("{port: 1, endPort: 65535, protocol: SCTP}", ports(Protocol.SCTP, 1, 65_535)),
        ("{port: 80, endPort: 80}", ports(Protocol.TCP, 80, 80)),
        ("{port: null, endPort: null}", ports(Protocol.TCP)),
        ("{port: 80}, {port: 81}", ports(Protocol.TCP, 80, 81)),
        ("{port: 80}, {protocol: UDP, port: 80}", ports(Protocol.TCP, 80, 80) | ports(Protocol.UDP, 80, 80)),
    ],
)
def test_ports_by_number(port: str, traffic: object):
    """TCP by default; without a number, all ports of the protocol."""
    found = rule(f"ports: [{port}]")

    assert (found.traffic, found.named) == (traffic, ())


def test_ports_by_name():
    """They stand beside the numbers, each once, with their protocol."""
    found = rule("ports: [{port: http}, {port: 80}, {port: dns, protocol: UDP}, {port: http, protocol: TCP}]")

    assert found.named == (NamedPort("http", Protocol.TCP), NamedPort("dns", Protocol.UDP))
    assert found.traffic == ports(Protocol.TCP, 80, 80)


def test_a_rule_with_named_ports_alone_names_no_number():
    """No numbers are not all numbers."""
    assert rule("ports: [{port: http}]").traffic == EMPTY


@pytest.mark.parametrize("name", ["a", "http", "a-1", "1a", "a" * 15])
def test_port_names_are_those_of_the_api_server(name: str):
    """At most 15 letters, digits and hyphens."""
    assert rule(f"ports: [{{port: {name}}}]").named == (NamedPort(name, Protocol.TCP),)


IN_PEERS = [
    ("{}", "Required value: must specify a peer", ""),
    ("null", "Required value: must specify a peer", ""),
    ("{podSelector: null}", "Required value: must specify a peer", ""),
    ("5", "expected a mapping, found the number 5", ""),
    (
        "{podSelectr: {}}",
        'strict decoding error: unknown field "spec.ingress[0].from[0].podSelectr"',
        'did you mean "podSelector"?',
    ),
    ("{podSelector: {}, namespace: x}", 'strict decoding error: unknown field "spec.ingress[0].from[0].namespace"', ""),
    ("{podSelector: {matchLabels: {a: 5}}}", "podSelector.matchLabels.a: expected a string, found the number 5", ""),
    ("{namespaceSelector: {matchLabels: {a: 5}}}", "expected a string, found the number 5", ""),
    ("{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}", "Forbidden: may not specify both ipBlock and another peer", ""),
    ("{ipBlock: {cidr: 10.0.0.0}}", "must be a valid CIDR value", "write 10.0.0.0/32 for one address"),
    ("{ipBlock: {cidr: '2001:db8::1'}}", "must be a valid CIDR value", "write 2001:db8::1/128 for one address"),
    ("{ipBlock: {cidr: 10.0.0.0/255.0.0.0}}", "must be a valid CIDR value", ""),
    ("{ipBlock: {cidr: 10.0.0.0/33}}", "must be a valid CIDR value", ""),
    ("{ipBlock: {cidr: 10.0.0.256/32}}", "must be a valid CIDR value", ""),
    ("{ipBlock: {cidr: 'fe80::%eth0/64'}}", "must be a valid CIDR value", ""),
    ("{ipBlock: {cidr: 5}}", "ipBlock.cidr: expected a string, found the number 5", ""),
    ("{ipBlock: {}}", "ipBlock.cidr: Required value", ""),
    ("{ipBlock: {cidr: 10.0.0.0/8, expect: []}}", "unknown field", 'did you mean "except"?'),
    ("{ipBlock: {cidr: 10.0.0.0/8, except: 10.0.0.0/9}}", "except: expected a list", ""),
    ("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0]}}", "must be a valid CIDR value", ""),
    ("{ipBlock: {cidr: 10.0.0.0/8, except: [null]}}", 'except[0]: Invalid value: "": must be a valid CIDR', ""),
    ("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}", "must be a strict subset of `cidr`", ""),
    ("{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}", "must be a strict subset of `cidr`", ""),
    ("{ipBlock: {cidr: 10.0.0.0/8, except: ['::/9']}}", "must be a strict subset of `cidr`", ""),
]


@pytest.mark.parametrize(("peer", "message", "hint"), IN_PEERS)
def test_a_peer_in_error_is_left_out(peer: str, message: str, hint: str):
    """The others still match; alone, it matches nobody."""
    beside, errors = policy(f"ingress: [{{from: [{peer}, {{podSelector: {{}}}}]}}]")
    alone, _ = policy(f"ingress: [{{from: [{peer}]}}]")

    assert len(errors) == 1
    assert message in errors[0]
    assert [type(each) for each in beside.ingress[0].peers] == [PodPeer]
    assert alone.ingress[0].peers == ()
    assert alone.isolates == INGRESS


IN_PORTS = [
    ("{port: 0}", "port: Invalid value: 0: must be between 1 and 65535, inclusive", ""),
    ("{port: 65536}", "port: Invalid value: 65536: must be between 1 and 65535, inclusive", ""),
    ("{port: 1.5}", "port: expected a whole number, found the number 1.5", ""),
    ("{port: yes}", "port: expected a whole number, found true", ""),
    ("{port: '80'}", 'port: Invalid value: "80": ', "write the number without quotes"),
    (
        "{port: 4294967376}",
        "port: expected a whole number, found the number 4294967376",
        "write a smaller number; those of ports are from 1 to 65535",
    ),
    ("{port: aHTTP}", 'port: Invalid value: "aHTTP": ', ""),
    ("{port: -a}", 'port: Invalid value: "-a": ', ""),
    ("{port: a-}", 'port: Invalid value: "a-": ', ""),
    ("{port: a--b}", 'port: Invalid value: "a--b": ', ""),
    ("{port: a.b}", 'port: Invalid value: "a.b": ', ""),
    ("{port: aaaaaaaaaaaaaaaa}", 'port: Invalid value: "aaaaaaaaaaaaaaaa": ', ""),
    ("{port: [80]}", "port: expected a whole number, found a list", ""),
    ("{port: 80, endPort: 79}", "endPort: Invalid value: 80: must be greater than or equal to `port`", ""),
    ("{port: 80, endPort: 65536}", "endPort: Invalid value: 65536: must be between 1 and 65535", ""),
    ("{port: 80, endPort: a}", 'endPort: expected a whole number, found the string "a"', ""),
    ("{endPort: 80}", "endPort: Invalid value: 80: may not be specified when `port` is not specified", ""),
    ("{port: a, endPort: 80}", "endPort: Invalid value: 80: may not be specified when `port` is non-numeric", ""),
    ("{port: 80, protocol: tcp}", 'protocol: Unsupported value: "tcp"', "write TCP"),
    ("{port: 80, protocol: ICMP}", 'protocol: Unsupported value: "ICMP"', ""),
    ("{port: a, protocol: tcp}", 'protocol: Unsupported value: "tcp"', "write TCP"),
    (
        "{port: 80, endport: 90}",
        'strict decoding error: unknown field "spec.ingress[0].ports[0].endport"',
        'did you mean "endPort"?',
    ),
    ("80", "ports[0]: expected a mapping, found the number 80", ""),
]


@pytest.mark.parametrize(("port", "message", "hint"), IN_PORTS)
def test_a_port_in_error_is_left_out(port: str, message: str, hint: str):
    """The others still match; alone, it names no traffic."""
    beside, errors = policy(f"ingress: [{{ports: [{port}, {{port: 443}}]}}]")
    alone, _ = policy(f"ingress: [{{ports: [{port}]}}]")

    assert len(errors) == 1
    assert message in errors[0]
    assert beside.ingress[0].traffic == ports(Protocol.TCP, 443, 443)
    assert (alone.ingress[0].traffic, alone.ingress[0].named) == (EMPTY, ())
    assert alone.isolates == INGRESS


@pytest.mark.parametrize(("text", "message", "hint"), IN_PEERS + IN_PORTS)
def test_hints_say_what_to_do(text: str, message: str, hint: str):
    """Every error has one."""
    key = "from" if (text, message, hint) in IN_PEERS else "ports"
    found = reading_of(f"ingress: [{{{key}: [{text}]}}]")

    assert [hint or error.hint for error in found.errors] == [error.hint for error in found.errors]
    assert all(error.hint for error in found.errors)


def reading_of(spec: str) -> Reading:
    """What is read from a policy with this spec."""
    return reading(
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec: {{{spec}}}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{fromm: [{podSelector: {}}]}", 'strict decoding error: unknown field "spec.ingress[0].fromm"'),
        ("{to: [{podSelector: {}}]}", 'strict decoding error: unknown field "spec.ingress[0].to"'),
        ("{from: {podSelector: {}}}", "spec.ingress[0].from: expected a list, found a mapping"),
        ("{ports: 80}", "spec.ingress[0].ports: expected a list, found the number 80"),
        ("all", 'spec.ingress[0]: expected a mapping, found the string "all"'),
    ],
)
def test_a_rule_in_error_matches_nobody(text: str, message: str):
    """Its neighbors are read, the policy still isolates."""
    found, errors = policy(f"policyTypes: [Ingress]\ningress: [{text}, {{}}]")

    assert [message in error for error in errors] == [True]
    assert (found.ingress[0].peers, found.ingress[0].traffic) == ((), EMPTY)
    assert found.ingress[1].peers == (Anyone(),)
    assert found.isolates == INGRESS


def test_an_error_names_line_and_rule():
    """And the nearest known name."""
    (error,) = reading_of("ingress: [{}, {fromm: []}]").errors

    assert str(error).startswith("a.yaml:4: ")
    assert (error.origin.pointer, error.origin.rule) == ("/spec/ingress/1/fromm", 1)
    assert error.hint == 'did you mean "from"?'


def test_an_egress_rule_in_error_still_isolates_for_egress():
    """The rule was meant."""
    found, _ = policy("egress: [{too: []}]")

    assert found.isolates == BOTH


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("podSelecter: {}", 'strict decoding error: unknown field "spec.podSelecter"'),
        ("podSelector: 5", "spec.podSelector: expected a mapping"),
        ("podSelector: {matchLabels: {a: 5}}", "spec.podSelector.matchLabels.a: expected a string"),
        ("podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}", "not a valid selector operator"),
        ("policyTypes: [ingress]", 'spec.policyTypes[0]: Unsupported value: "ingress": supported values'),
        ("policyTypes: [null]", 'spec.policyTypes[0]: Unsupported value: ""'),
        ("policyTypes: [5]", "spec.policyTypes[0]: expected a string"),
        ("policyTypes: Ingress", "spec.policyTypes: expected a list"),
        ("egress: {}", "spec.egress: expected a list"),
    ],
)
def test_an_error_outside_the_rules_isolates_and_grants_nothing(text: str, message: str):
    """Whom the policy is for is not known, so nobody may profit from its rules."""
    found, errors = policy(f"{text}\ningress: [{{}}]")

    assert [message in error for error in errors] == [True]
    assert [(each.peers, each.traffic, each.named) for each in found.ingress] == [((), EMPTY, ())]
    assert found.isolates == BOTH


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            "metadata: {name: p, namespce: x}\nspec: {ingress: [{}]}",
            'strict decoding error: unknown field "metadata.namespce"',
        ),
        ("metadata: {name: p, namespace: 5}\nspec: {ingress: [{}]}", "metadata.namespace: expected a string"),
        (
            "metadata: {name: p, annotations: {a: 5}}\nspec: {ingress: [{}]}",
            "metadata.annotations.a: expected a string",
        ),
        ("metadata: {name: p, labels: []}\nspec: {ingress: [{}]}", "metadata.labels: expected a mapping"),
        ("metadata: {name: p}\nspc: {}\nspec: {ingress: [{}]}", 'strict decoding error: unknown field "spc"'),
        ("metadata: {name: p}\nspec: []", "spec: expected a mapping, found a list"),
        ("spec: {ingress: [{}]}", "metadata.name: Required value: name or generateName is required"),
    ],
)
def test_an_error_around_the_spec_grants_nothing_either(head: str, message: str):
    """The API server would refuse the policy; it still isolates here."""
    found = reading(
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{head}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    )

    assert [message in error.message for error in found.errors] == [True]
    (isolating,) = found.snapshot.policies
    assert isolating.isolates == BOTH
    assert all(each.peers == () for each in isolating.ingress)


def test_a_policy_may_bear_what_the_api_server_writes():
    """Nothing of it is unknown."""
    text = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {name: p, namespace: x, uid: u, resourceVersion: "5", generation: 1, creationTimestamp: 2024-01-01T00:00:00Z,
   labels: {a: b}, annotations: {a: b}, managedFields: [{}], ownerReferences: [], finalizers: []}
spec: {}
"""
    assert len(reading(text, "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n").errors) == 0


POLICY: dict[str, Any] = {
    "podSelector": {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
    "policyTypes": ["Ingress", "Egress"],
    "ingress": [
        {
            "from": [
                {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["b", "c"]}]}},
                {"namespaceSelector": {"matchLabels": {"env": "m"}}, "podSelector": {}},
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/9"]}},
            ],
            "ports": [{"port": 80, "endPort": 81}, {"protocol": "UDP", "port": "dns"}],
        }
    ],
    "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "b"}}}]}, {"ports": [{"port": 53, "protocol": "UDP"}]}],
}

WORLD = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: z, labels: {env: m}}}
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}}, status: {podIP: 10.0.0.1},
   spec: {containers: [{ports: [{name: dns, containerPort: 53, protocol: UDP}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x, labels: {app: b}}, status: {podIP: 10.200.0.1}}
- {apiVersion: v1, kind: Pod, metadata: {name: c, namespace: z, labels: {app: c}}, status: {podIP: 11.0.0.1}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: deny, namespace: x}
  spec: {podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress, Egress]}
"""


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of everything within a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for step, part in members for each in ((*path, step), *paths(part, (*path, step)))]


def damaged(path: tuple[str | int, ...], by: Any) -> dict[str, Any]:
    """The policy above with one part replaced, or with its key misspelled where ``by`` is a word for it."""
    spec = deepcopy(POLICY)
    holder: Any = spec
    for step in path[:-1]:
        holder = holder[step]
    if by == "misspelled" and isinstance(holder, dict):
        holder[f"{path[-1]}x"] = holder.pop(path[-1])
    else:
        holder[path[-1]] = by
    return spec


def world_with(spec: dict[str, Any]) -> Reading:
    """The small cluster above with one policy of this spec."""
    meta = {"name": "p", "namespace": "x"}
    written = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
    return read([source(WORLD), source(yaml.safe_dump(written), "p.yaml")])


def allowed(found: Reading) -> set[tuple[str, str, Protocol, int]]:
    """Every connection that is not denied."""
    snapshot = found.snapshot
    questions = [(Protocol.TCP, port) for port in (79, 80, 81, 82, 443)] + [(Protocol.UDP, 53), (Protocol.ICMP, 0)]
    return {
        (client.name, server.name, protocol, port)
        for client, server, (protocol, port) in product(snapshot.pods, snapshot.pods, questions)
        if verdict(snapshot, Connection(client, server, protocol, port)).outcome is not Outcome.DENIED
    }


SOUND = allowed(world_with(POLICY))


def test_the_undamaged_policy_allows_and_denies():
    """So that the law below says something."""
    assert world_with(POLICY).errors == ()
    assert ("b", "a", Protocol.TCP, 80) not in SOUND  # b's own policy denies it
    assert ("c", "a", Protocol.TCP, 80) in SOUND
    assert ("c", "a", Protocol.TCP, 82) not in SOUND
    assert ("a", "c", Protocol.UDP, 53) in SOUND


@given(
    path=st.sampled_from(paths(POLICY)),
    by=st.sampled_from(["misspelled", 5, 1.5, True, "", "x", [], {}, None, [5], [{}], {"x": {}}, [None], "10.0.0.0/9"]),
)
def test_an_error_never_widens_what_is_allowed(path: tuple[str | int, ...], by: Any):
    """Damage a policy anywhere: if it is said to be in error, it allows no more than before."""
    found = world_with(damaged(path, by))
    assume(found.errors)

    assert allowed(found) <= SOUND


@pytest.mark.parametrize(
    ("key", "item"), [("from", "{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}, x: 1}"), ("ports", "{port: 0, x: 1}")]
)
def test_what_is_said_of_a_part_does_not_matter_for_what_it_grants(key: str, item: str):
    """An item is left out even where its mistake goes unsaid for another in it."""
    found, errors = policy(f"ingress: [{{{key}: [{item}]}}]")

    assert len(errors) == 1
    assert (found.ingress[0].peers == ()) is (key == "from")
    assert (found.ingress[0].traffic == EMPTY) is (key == "ports")


def test_a_label_that_is_none_is_no_requirement_even_when_nothing_is_said_of_it():
    """Else the policy would be for nobody, and its pods would be open."""
    found, (error,) = policy("podSelector: {matchLabels: {-a: b, c: 5}}")

    assert "podSelector.matchLabels.c: expected a string" in error
    assert found.subject.pods == EVERYTHING
    assert found.isolates == BOTH


def test_releases_differ_in_what_a_policy_grants():
    """One that drops the end of a port grants the port alone, and says so."""
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
    text = f"{head}spec: {{ingress: [{{ports: [{{port: 80, endPort: 90}}]}}]}}\n"
    old, new = (read([source(text), source(POD, "pod.yaml")], release=Release(minor)) for minor in (21, 22))

    assert old.snapshot.policies[0].ingress[0].traffic == ports(Protocol.TCP, 80, 80)
    assert new.snapshot.policies[0].ingress[0].traffic == ports(Protocol.TCP, 80, 90)
    assert old.notes == ("a.yaml:4: Kubernetes 1.21 drops endPort: port 80 is meant alone",)
    assert (old.errors, new.notes) == (new.errors, ())


@pytest.mark.parametrize(
    ("port", "traffic", "named", "meant"),
    [
        ("{port: 80, endPort: 70}", ports(Protocol.TCP, 80, 80), (), "port 80 is meant alone"),
        ("{port: 80, endPort: 0}", ports(Protocol.TCP, 80, 80), (), "port 80 is meant alone"),
        ("{port: http, endPort: 70}", EMPTY, (NamedPort("http", Protocol.TCP),), "port http is meant alone"),
        ("{endPort: 70}", ports(Protocol.TCP), (), "every port is meant"),
    ],
)
def test_a_release_that_drops_the_end_of_a_port_has_nothing_against_it(
    port: str, traffic: Intervals, named: tuple[NamedPort, ...], meant: str
):
    """It drops the field before it validates; a release that keeps it refuses each of these."""
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
    text = f"{head}spec: {{ingress: [{{ports: [{port}]}}]}}\n"
    old, new = (read([source(text), source(POD, "pod.yaml")], release=Release(minor)) for minor in (21, 22))
    (rule,) = old.snapshot.policies[0].ingress

    assert (rule.traffic, rule.named, old.errors) == (traffic, named, ())
    assert old.notes == (f"a.yaml:4: Kubernetes 1.21 drops endPort: {meant}",)
    assert new.errors
