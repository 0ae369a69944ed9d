"""ClusterNetworkPolicy v1alpha2 in, policies of the Admin and Baseline tiers out."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.selectors import EVERYTHING, Operator, Requirement, Selector
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.model.policy import (
    Action,
    BlockPeer,
    DomainPeer,
    NamedPort,
    NodePeer,
    PodPeer,
    PodSelector,
    Policy,
    Rule,
    Tier,
)

from .texts import tiered

HEAD = "tier: Admin\npriority: 7\nsubject: {namespaces: {}}\n"
EVERY_POD = "[{namespaces: {}}]"


def sound(spec: str) -> Policy:
    """The policy with a spec that has nothing wrong with it."""
    found = tiered("ClusterNetworkPolicy", spec)
    assert [str(error) for error in found.errors] == []
    return found.snapshot.policies[0]


def ingress(text: str) -> Rule:
    """The one rule for ingress that a text writes."""
    (found,) = sound(f"{HEAD}ingress:\n- {text}").ingress
    return found


def egress(text: str) -> tuple[Rule, ...]:
    """What one rule for egress becomes."""
    return sound(f"{HEAD}egress:\n- {text}").egress


def test_a_policy_knows_what_it_is():
    """Its kind and name, without a namespace, its tier and its priority; it isolates nobody."""
    found = sound(HEAD)

    assert (found.kind, found.name, found.tier, found.priority) == ("ClusterNetworkPolicy", "default", Tier.ADMIN, 7)
    assert (found.isolates, found.ingress, found.egress) == (frozenset(), (), ())
    assert found.origin.object == "ClusterNetworkPolicy/default"


def test_the_tier_is_the_one_that_is_written():
    """Baseline stands behind NetworkPolicy."""
    assert sound(HEAD.replace("Admin", "Baseline")).tier is Tier.BASELINE


@pytest.mark.parametrize(
    ("subject", "meaning"),
    [
        ("{namespaces: {}}", PodSelector(EVERYTHING, EVERYTHING)),
        ("{namespaces: {matchLabels: {team: a}}}", PodSelector(Selector.labels({"team": "a"}), EVERYTHING)),
        ("{pods: {podSelector: {matchLabels: {app: a}}}}", PodSelector(EVERYTHING, Selector.labels({"app": "a"}))),
        ("{pods: {namespaceSelector: null, podSelector: {}}}", PodSelector(EVERYTHING, EVERYTHING)),
        (
            "{pods: {namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: a}}}}",
            PodSelector(Selector.labels({"team": "a"}), Selector.labels({"app": "a"})),
        ),
    ],
)
def test_pods_without_a_namespace_selector_are_those_of_all_namespaces(subject: str, meaning: PodSelector):
    """The reverse of NetworkPolicy, where they are those of the policy's own; subjects and peers alike."""
    assert sound(HEAD.replace("{namespaces: {}}", subject)).subject == meaning
    (peer,) = ingress(f"{{action: Deny, from: [{subject}]}}").peers
    assert isinstance(peer, PodPeer)
    assert peer.pods == meaning


@pytest.mark.parametrize("action", list(Action))
def test_a_rule_does_what_its_action_says(action: Action):
    """Accept, Deny and Pass, in both tiers."""
    assert ingress(f"{{action: {action.value}, from: {EVERY_POD}}}").action is action


def test_rules_keep_their_order_their_number_and_their_name():
    """The first that matches counts, and a reason names it."""
    found = sound(
        f"{HEAD}ingress:\n- {{action: Pass, from: {EVERY_POD}}}\n- {{name: b, action: Deny, from: {EVERY_POD}}}"
    )

    assert [rule.action for rule in found.ingress] == [Action.PASS, Action.DENY]
    assert [(rule.origin.rule, rule.origin.rule_name) for rule in found.ingress] == [(0, None), (1, "b")]
    assert [rule.origin.rule_words for rule in found.ingress] == ["rule 0", 'rule 1 "b"']


@pytest.mark.parametrize(
    ("protocols", "traffic"),
    [
        ("", ALL),
        (", protocols: null", ALL),
        (", protocols: [{tcp: {destinationPort: {number: 80}}}]", ports(Protocol.TCP, 80, 80)),
        (", protocols: [{udp: {destinationPort: {number: 53.0}}}]", ports(Protocol.UDP, 53, 53)),
        (", protocols: [{sctp: {destinationPort: {range: {start: 7, end: 9}}}}]", ports(Protocol.SCTP, 7, 9)),
        (
            ", protocols: [{tcp: {destinationPort: {number: 1}}}, {udp: {destinationPort: {number: 2}}}]",
            ports(Protocol.TCP, 1, 1) | ports(Protocol.UDP, 2, 2),
        ),
    ],
)
def test_traffic_is_everything_or_what_protocols_name(protocols: str, traffic: object):
    """Without protocols a rule is for traffic without ports, too."""
    assert ingress(f"{{action: Deny, from: {EVERY_POD}{protocols}}}").traffic == traffic


def test_a_named_port_is_of_any_protocol():
    """It is looked up on the pod at the destination."""
    rule = ingress(f"{{action: Accept, from: {EVERY_POD}, protocols: [{{destinationNamedPort: http}}]}}")

    assert (rule.traffic.ranges, rule.named) == ((), (NamedPort("http", None),))


def test_peers_outside_are_networks_nodes_and_domain_names():
    """Each block is one peer; several peers stand beside each other."""
    (rule,) = egress(
        "{action: Accept, to: [{networks: [10.0.0.0/8, 'fd00::1/8']}, {nodes: {matchLabels: {a: b}}},"
        " {domainNames: ['*.example.com', example.org]}]}"
    )

    first, second, nodes, domains = rule.peers
    assert isinstance(first, BlockPeer)
    assert isinstance(second, BlockPeer)
    assert isinstance(nodes, NodePeer)
    assert isinstance(domains, DomainPeer)
    assert [first.addresses, second.addresses] == [read_cidr("10.0.0.0/8"), read_cidr("fd00::/8")]
    assert (second.text, second.origin.pointer) == ("fd00::1/8", "/spec/egress/0/to/0/networks/1")
    assert nodes.nodes == Selector.labels({"a": "b"})
    assert domains.names == ("*.example.com", "example.org")


def test_what_only_the_experimental_channel_has_is_said():
    """A cluster with the standard one refuses it, so people must know; one line for each member, with its place."""
    peers = "{nodes: {}},\n{domainNames: [a.b]},\n{nodes: {}}"
    spec = f"{HEAD}egress: [{{action: Accept, to: [\n{peers}]}}]"
    found = tiered("ClusterNetworkPolicy", spec)

    assert found.errors == ()
    assert [note.split(" is ")[0] for note in found.notes] == ["domainNames", "nodes"]
    refused = "a cluster with the standard channel refuses it"
    assert [note.partition(", and ")[2] for note in found.notes] == [f"{refused}: a.yaml:10", f"{refused}: a.yaml:9"]


NAMED = "protocols: [{destinationNamedPort: http}, {tcp: {destinationPort: {number: 80}}}]"


def test_a_named_port_means_nothing_on_addresses():
    """Such a rule is two: its pods by name and number, its addresses by number alone."""
    spec = f"{HEAD}egress: [{{action: Accept, to: [{{networks: [10.0.0.0/8]}}, {{namespaces: {{}}}}], {NAMED}}}]"
    found = tiered("ClusterNetworkPolicy", spec)
    of_pods, of_addresses = found.snapshot.policies[0].egress

    assert [type(peer) for peer in of_pods.peers] == [PodPeer]
    assert of_pods.named == (NamedPort("http", None),)
    assert [type(peer) for peer in of_addresses.peers] == [BlockPeer]
    assert of_addresses.named == ()
    assert of_pods.traffic == of_addresses.traffic == ports(Protocol.TCP, 80, 80)
    assert of_pods.origin == of_addresses.origin


def test_a_named_port_for_addresses_alone_matches_nothing():
    """The standard channel takes the rule; the experimental one refuses it, and both are said."""
    spec = (
        f"{HEAD}egress: [{{action: Deny, to: [{{networks: [10.0.0.0/8]}}], protocols: [{{destinationNamedPort: a}}]}}]"
    )
    found = tiered("ClusterNetworkPolicy", spec)
    (rule,) = found.snapshot.policies[0].egress

    assert (rule.action, rule.traffic.ranges, rule.named) == (Action.DENY, (), ())
    (error,) = found.errors
    assert error.field == "spec.egress[0]"
    assert error.message.startswith("spec.egress[0]: Invalid value: networks/nodes/domainNames peer cannot be set")
    assert "the standard channel takes the rule" in error.hint


def test_labels_are_matched_as_in_every_selector():
    """All four operators."""
    (peer,) = ingress(
        "{action: Deny, from: [{namespaces: {matchExpressions: [{key: a, operator: In, values: [z, x, x]},"
        " {key: b, operator: NotIn, values: [x]}, {key: c, operator: Exists}, {key: d, operator: DoesNotExist}]}}]}"
    ).peers

    assert isinstance(peer, PodPeer)
    assert peer.pods.scope == Selector.of(
        [
            Requirement("a", Operator.IN, ("x", "z")),
            Requirement("b", Operator.NOT_IN, ("x",)),
            Requirement("c", Operator.EXISTS),
            Requirement("d", Operator.DOES_NOT_EXIST),
        ]
    )
