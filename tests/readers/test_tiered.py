"""What is wrong in a policy of the Admin or Baseline tier never widens what is allowed."""

from __future__ import annotations

from copy import deepcopy
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.algebra.selectors import EVERYTHING
from ringfence.algebra.traffic import ALL, Protocol
from ringfence.model.connection import Connection
from ringfence.model.policy import Action, Anyone, PodSelector, Policy, Rule, Tier
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome

from .texts import VERSIONS, reading, tiered

if TYPE_CHECKING:
    from ringfence.readers import Reading

Path = tuple[str | int, ...]

HEAD = "tier: Baseline\npriority: 7\nsubject: {namespaces: {matchLabels: {team: a}}}\n"

BAD_RULES = [
    ("to: [{}]", "Invalid value: 0: spec.egress[0].to[0] in body should have at least 1 properties"),
    ("to: [{services: {}}]", 'unknown field "spec.egress[0].to[0].services"'),
    ("to: [{namespaces: {}, pods: {podSelector: {}}}]", "Too many: 2: must have at most 1 item"),
    ("to: []", "should have at least 1 items"),
    ("too: [{namespaces: {}}]", 'unknown field "spec.egress[0].too"'),
    ("to: [{networks: [10.0.0.0]}]", 'Invalid value: "10.0.0.0": Invalid CIDR format provided'),
    ("to: [{domainNames: [com]}]", "in body should match"),
    ("to: [{namespaces: {matchExpressions: [{key: a, operator: notIn, values: [b]}]}}]", '"notIn" is no operator'),
    ("to: [{namespaces: {matchExpressions: [{key: a, operator: NotIn}]}}]", "NotIn needs values"),
    ("to: [{namespaces: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]", "Exists takes no values"),
    ("to: [{namespaces: {matchLabels: {a b: c}}}]", '"a b" is no key of a label'),
    ("to: [{namespaces: {matchLabels: {a: b c}}}]", '"b c" is no value of a label'),
    ("to: [{namespaces: {matchExpressions: [{key: '', operator: Exists}]}}]", '"" is no key of a label'),
    ("to: [{namespaces: {matchExpressions: [{key: a, operator: In, values: [-]}]}}]", '"-" is no value of a label'),
    ("to: [{namespaces: {matchLabels: {a: null}}}]", "a label without a value, which the API server forgets"),
    ("to: [{namespaces: {matchLabel: {a: b}}}]", 'unknown field "spec.egress[0].to[0].namespaces.matchLabel"'),
    ("to: [{namespaces: {}}], protocols: [{tcp: {}}]", "protocols[0].tcp in body should have at least 1 properties"),
    ("to: [{namespaces: {}}], protocols: [{tcp: null, destinationPort: {number: 1}}]", "unknown field"),
    ("to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 2, end: 2}}}}]", "must be less than"),
    ("to: [{namespaces: {}}], protocols: [{destinationNamedPort: HTTP}]", '"HTTP" is no name of a port'),
    ("to: [{namespaces: {}}], protocols: [{destinationNamedPort: ''}]", '"" is no name of a port'),
]


def one_rule(action: str, rest: str) -> tuple[Rule, list[str]]:
    """What a rule for egress means, and what is said of it."""
    found = tiered("ClusterNetworkPolicy", f"{HEAD}egress: [{{name: rule, action: {action}, {rest}}}]")
    (rule,) = found.snapshot.policies[0].egress
    return rule, [error.message for error in found.errors]


def broken(spec: str) -> Policy:
    """The policy with a spec that has something wrong with it."""
    found = tiered("ClusterNetworkPolicy", spec)
    assert found.errors
    return found.snapshot.policies[0]


@pytest.mark.parametrize(("rest", "message"), BAD_RULES, ids=[rest for rest, _ in BAD_RULES])
def test_a_rule_in_error_fails_closed(rest: str, message: str):
    """As the API text says of an unknown peer: Accept matches nothing, Deny and Pass deny all."""
    accepting, said = one_rule("Accept", rest)

    assert message in "\n".join(said)
    assert (accepting.action, accepting.peers, accepting.traffic.ranges) == (Action.ACCEPT, (), ())
    for action in ("Deny", "Pass", "Allow"):
        rule, _ = one_rule(action, rest)
        assert (rule.action, rule.peers, rule.traffic) == (Action.DENY, (Anyone(),), ALL)
        assert rule.words == 'rule 0 "rule", which is in error and denies everything'


@pytest.mark.parametrize("action", ["Deny", "Pass"])
def test_domain_names_are_for_rules_that_accept(action: str):
    """The server does not check it, so it must be loud here, and closed."""
    rule, said = one_rule(action, "to: [{domainNames: [example.com]}]")

    assert said == ["spec.egress[0].to[0].domainNames: domain names are only for rules that accept"]
    assert (rule.action, rule.peers) == (Action.DENY, (Anyone(),))


@pytest.mark.parametrize("rule", ["{action: Drop, to: [{namespaces: {}}]}", "{to: [{namespaces: {}}]}", "7", "null"])
def test_a_rule_without_a_known_action_denies_everything(rule: str):
    """It might have denied."""
    (found,) = broken(f"{HEAD}egress: [{rule}]").egress

    assert (found.action, found.peers, found.traffic) == (Action.DENY, (Anyone(),), ALL)


THREE = """
ingress:
- {action: Accept, from: [{namespaces: {}}]}
- {action: Pass, from: [{namespaces: {}}]}
- {action: Deny, from: [{namespaces: {}}]}
"""

BAD_HEADS = {
    "tier: Baseline": "tier: baseline",
    "tier: Baseline\n": "",
    "priority: 7": "priority: 1001",
    "priority: 7\n": "",
    "{namespaces: {matchLabels: {team: a}}}": "{namespaces: {matchLabels: {team: 1}}}",
    "subject: {namespaces: {matchLabels: {team: a}}}\n": "",
    "matchLabels: {team: a}": "matchExpressions: [{key: team, operator: in, values: [a]}]",
}


@pytest.mark.parametrize(("right", "wrong"), BAD_HEADS.items(), ids=[f"{a!r} {b!r}" for a, b in BAD_HEADS.items()])
def test_a_policy_in_error_only_denies(right: str, wrong: str):
    """Whom it is for, or when it is consulted, is not known: it comes first, for everybody it may be for."""
    found = broken(HEAD.replace(right, wrong) + THREE)
    accepting, passing, denying = found.ingress

    assert (accepting.action, accepting.peers) == (Action.ACCEPT, ())
    assert passing.action is denying.action is Action.DENY
    assert denying.words == "rule 2, whose policy is in error"
    assert passing.peers != ()
    assert found.tier is (Tier.ADMIN if right.startswith("tier") else Tier.BASELINE)
    assert found.priority == (0 if right.startswith("priority") else 7)
    if right not in {"tier: Baseline", "tier: Baseline\n", "priority: 7", "priority: 7\n"}:
        assert found.subject == PodSelector(EVERYTHING, EVERYTHING)


@pytest.mark.parametrize(
    "spec",
    ["", "7", f"{HEAD}ingres: []", f"{HEAD}ingress: {{action: Deny}}\negress: 7"],
    ids=["none", "7", "typo", "map"],
)
def test_a_policy_whose_rules_are_not_known_denies_everything(spec: str):
    """It might have, and nobody can tell what it would have let through."""
    found = broken(spec)

    for (rule,) in (found.ingress, found.egress):
        assert (rule.action, rule.peers, rule.traffic) == (Action.DENY, (Anyone(),), ALL)
        assert rule.words == "as a whole, which is in error and denies everything"


def test_what_is_too_much_keeps_its_meaning():
    """A server refuses a long name, or a rule too many, but they say what they say."""
    name = "n" * 101
    rules = f"{{name: {name}, action: Deny, from: [{{namespaces: {{}}}}]}}"
    found = tiered("ClusterNetworkPolicy", f"{HEAD}ingress: [{', '.join([rules] * 26)}]")
    policy = found.snapshot.policies[0]

    assert {error.reason for error in found.errors} == {"FieldValueTooLong", "FieldValueTooMany"}
    assert len(policy.ingress) == 26
    assert policy.ingress[0].peers != (Anyone(),)
    assert policy.ingress[0].words == f'rule 0 "{LONG}", which is in error'


LONG = "n" * 101

ACCEPTING = "{action: Accept, from: [{namespaces: {}}]}"


@pytest.mark.parametrize(
    ("metadata", "ingress"),
    [
        ("{name: A_B}", ACCEPTING),
        ("{name: p, labels: {a b: c}}", ACCEPTING),
        ("{name: p}", ", ".join([ACCEPTING] * 26)),
    ],
)
@pytest.mark.parametrize("kind", ["ClusterNetworkPolicy", "AdminNetworkPolicy"])
def test_a_policy_that_no_server_has_accepts_nothing(kind: str, metadata: str, ingress: str):
    """Its name, its labels or the number of its rules: none of it is about one rule."""
    head, many = "priority: 7, subject: {namespaces: {}}", ingress
    if kind == "ClusterNetworkPolicy":
        head = f"tier: Admin, {head}"
    else:
        many = ", ".join([ingress.replace("Accept", "Allow")] * (4 if "}, {" in ingress else 1))
    text = f"{{apiVersion: {VERSIONS[kind]}, kind: {kind}, metadata: {metadata}, spec: {{{head}, ingress: [{many}]}}}}"
    found = reading(text)

    assert any(error.field for error in found.errors)
    assert {(rule.action, rule.peers) for rule in found.snapshot.policies[0].ingress} == {(Action.ACCEPT, ())}


def test_a_rule_of_too_long_a_name_accepts_nothing_and_no_other_suffers():
    """What is wrong within a rule closes it alone."""
    long = ACCEPTING.replace("{action", f"{{name: {LONG}, action", 1)
    first, second = broken(f"{HEAD}ingress: [{long}, {ACCEPTING}]").ingress

    assert (first.peers, bool(second.peers)) == ((), True)


def test_a_name_that_is_none_is_no_name():
    """It stands in no reason."""
    rule = broken(f"{HEAD}ingress: [{{name: [a], action: Deny, from: [{{namespaces: {{}}}}]}}]").ingress[0]

    assert rule.origin.rule_name is None


WORLD = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: z, labels: {env: m}}}
- {apiVersion: v1, kind: Node, metadata: {name: w, labels: {env: m}},
   status: {addresses: [{type: InternalIP, address: 9.0.0.1}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}}, status: {podIP: 10.0.0.1},
   spec: {containers: [{ports: [{name: dns, containerPort: 53, protocol: UDP}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x, labels: {app: b}}, status: {podIP: 10.200.0.1}}
- {apiVersion: v1, kind: Pod, metadata: {name: c, namespace: z, labels: {app: c}}, status: {podIP: 11.0.0.1}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: deny, namespace: x}
  spec: {podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress, Egress]}
- apiVersion: policy.networking.k8s.io/v1alpha2
  kind: ClusterNetworkPolicy
  metadata: {name: other}
  spec: {tier: Admin, priority: 8, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}
"""
"""A small cluster, in which another policy accepts whatever is left to it."""


def rules(allow: str, ports: str, numbers: list[dict[str, Any]]) -> dict[str, Any]:
    """Rules that a damage may hit, in the words of an API."""
    namespaces = {"namespaces": {"matchExpressions": [{"key": "env", "operator": "In", "values": ["m"]}]}}
    pods = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "b"}}}}
    return {
        "subject": {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "a"}}}},
        "ingress": [
            {"name": "first", "action": allow, "from": [pods], ports: numbers},
            {"name": "second", "action": "Deny", "from": [pods, namespaces], ports: numbers},
        ],
        "egress": [
            {"action": "Deny", "to": [{"networks": ["10.200.0.0/16"]}, {"nodes": {"matchLabels": {"env": "m"}}}]},
            {"action": allow, "to": [namespaces, pods]},
            {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]},
        ],
    }


def passing(spec: dict[str, Any]) -> dict[str, Any]:
    """The same with a rule that passes before all others."""
    rule = {"name": "zeroth", "action": "Pass", "from": [{"namespaces": {"matchLabels": {"env": "m"}}}]}
    return {**spec, "ingress": [rule, *spec["ingress"]]}


NEW = rules("Accept", "protocols", [{"tcp": {"destinationPort": {"range": {"start": 80, "end": 81}}}}])
OLD = rules(
    "Allow", "ports", [{"portRange": {"start": 80, "end": 81}}, {"portNumber": {"port": 53, "protocol": "UDP"}}]
)
SPECS: dict[str, dict[str, Any]] = {
    "ClusterNetworkPolicy": passing({"tier": "Baseline", "priority": 9, **NEW}),
    "AdminNetworkPolicy": passing({"priority": 9, **OLD}),
    "BaselineAdminNetworkPolicy": OLD,
}


def paths(value: Any, path: Path = ()) -> list[Path]:
    """The paths of everything within a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for step, part in members for each in ((*path, step), *paths(part, (*path, step)))]


def damaged(spec: dict[str, Any], path: Path, by: Any) -> dict[str, Any]:
    """A spec with one part replaced, or with its key misspelled where ``by`` is a word for it."""
    spec = deepcopy(spec)
    holder: Any = spec
    for step in path[:-1]:
        holder = holder[step]
    if by == "misspelled" and isinstance(holder, dict):
        holder[f"{path[-1]}x"] = holder.pop(path[-1])
    else:
        holder[path[-1]] = by
    return spec


def world_with(kind: str, spec: dict[str, Any]) -> Reading:
    """The small cluster above with one more policy."""
    written = {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": {"name": "default"}, "spec": spec}
    return reading(WORLD, yaml.safe_dump(written))


def allowed(found: Reading) -> set[tuple[str, str, Protocol, int]]:
    """Every connection that is not denied."""
    snapshot = found.snapshot
    questions = [(Protocol.TCP, port) for port in (79, 80, 81, 82)] + [(Protocol.UDP, 53), (Protocol.ICMP, 0)]
    return {
        (client.name, server.name, protocol, port)
        for client, server, (protocol, port) in product(snapshot.pods, snapshot.pods, questions)
        if verdict(snapshot, Connection(client, server, protocol, port)).outcome is not Outcome.DENIED
    }


SOUND = {kind: allowed(world_with(kind, spec)) for kind, spec in SPECS.items()}


@pytest.mark.parametrize("kind", SPECS)
def test_the_undamaged_policies_allow_and_deny(kind: str):
    """So that the law below says something."""
    assert world_with(kind, SPECS[kind]).errors == ()
    assert ("c", "a", Protocol.TCP, 80) in SOUND[kind]
    assert ("a", "b", Protocol.TCP, 80) not in SOUND[kind]


@given(
    where=st.sampled_from([(kind, path) for kind, spec in SPECS.items() for path in paths(spec)]),
    by=st.sampled_from(["misspelled", 5, 1.5, True, "", "x", [], {}, None, [5], [{}], {"x": {}}, [None], 0, "Accept"]),
)
def test_an_error_never_widens_what_is_allowed(where: tuple[str, Path], by: Any):
    """Damage a policy anywhere: if it is said to be in error, it allows no more than before."""
    kind, path = where
    found = world_with(kind, damaged(SPECS[kind], path, by))
    assume(found.errors)

    assert allowed(found) <= SOUND[kind]


@pytest.mark.parametrize(("action", "peers"), [("Accept", ()), ("Deny", (Anyone(),))])
def test_a_range_backwards_is_noticed_whatever_else_is_wrong(action: str, peers: tuple[Anyone, ...]):
    """The server looks at no condition of an object that has something else wrong with it."""
    port = "protocols: [{tcp: {destinationPort: {range: {start: 2, end: 1}}}}]"
    found = tiered(
        "ClusterNetworkPolicy",
        f"{HEAD}egress: [{{action: {action}, to: [{{namespaces: {{}}}}], {port}}}]\ningress: [{{from: []}}]",
    )

    assert "no port is from 2 to 1" in "\n".join(error.message for error in found.errors)
    assert found.snapshot.policies[0].egress[0].peers == peers


@pytest.mark.parametrize("head", [HEAD.replace("priority: 7\n", ""), HEAD + "ingress: [{from: []}]\n"])
def test_a_block_that_is_none_denies_everything_whatever_else_is_wrong(head: str):
    """The server does not come to look at it, and a rule that denies must not lose its peer by that."""
    found = tiered("ClusterNetworkPolicy", f"{head}egress: [{{action: Deny, to: [{{networks: [10.0.0.0/33]}}]}}]")

    assert found.errors
    assert found.snapshot.policies[0].egress[0].peers == (Anyone(),)
