"""AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1 in, policies of two tiers out."""

from __future__ import annotations

import pytest

from ringfence.algebra.selectors import EVERYTHING, Selector
from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.model.policy import Action, Anyone, BlockPeer, DomainPeer, NamedPort, NodePeer, PodPeer, Policy, Tier

from .texts import tiered

SUBJECT = "subject: {namespaces: {matchLabels: {team: a}}}\n"
HEADS = {"AdminNetworkPolicy": f"priority: 7\n{SUBJECT}", "BaselineAdminNetworkPolicy": SUBJECT}
EVERY_POD = "[{namespaces: {}}]"
BOTH = pytest.mark.parametrize("kind", HEADS)


def sound(kind: str, rest: str = "") -> Policy:
    """The policy with a spec that has nothing wrong with it."""
    found = tiered(kind, HEADS[kind] + rest)
    assert [str(error) for error in found.errors] == []
    return found.snapshot.policies[0]


def said(kind: str, spec: str, name: str = "default") -> tuple[Policy, list[str]]:
    """The policy with this spec, and what is said of it."""
    found = tiered(kind, spec, name)
    return found.snapshot.policies[0], [error.message for error in found.errors]


def test_an_admin_network_policy_is_one_of_the_admin_tier():
    """With the priority that it says."""
    found = sound("AdminNetworkPolicy")

    assert (found.kind, found.name, found.tier, found.priority) == ("AdminNetworkPolicy", "default", Tier.ADMIN, 7)
    assert (found.subject.scope, found.subject.pods) == (Selector.labels({"team": "a"}), EVERYTHING)
    assert found.isolates == frozenset()


def test_the_baseline_admin_network_policy_is_one_of_the_baseline_tier():
    """It has no priority, and stands behind all that have one."""
    found = sound("BaselineAdminNetworkPolicy")

    assert (found.kind, found.tier) == ("BaselineAdminNetworkPolicy", Tier.BASELINE)
    assert found.priority > 1000


@pytest.mark.parametrize(
    ("kind", "written", "action"),
    [
        ("AdminNetworkPolicy", "Allow", Action.ACCEPT),
        ("AdminNetworkPolicy", "Deny", Action.DENY),
        ("AdminNetworkPolicy", "Pass", Action.PASS),
        ("BaselineAdminNetworkPolicy", "Allow", Action.ACCEPT),
        ("BaselineAdminNetworkPolicy", "Deny", Action.DENY),
    ],
)
def test_what_was_called_allow_is_accept(kind: str, written: str, action: Action):
    """Both kinds have their actions from a time before Accept."""
    rule = sound(kind, f"ingress: [{{name: a-rule, action: {written}, from: {EVERY_POD}}}]").ingress[0]

    assert (rule.action, rule.traffic, rule.origin.rule_name) == (action, ALL, "a-rule")


@pytest.mark.parametrize(
    ("kind", "action", "choices"),
    [
        ("AdminNetworkPolicy", "Accept", '"Allow", "Deny", "Pass"'),
        ("BaselineAdminNetworkPolicy", "Pass", '"Allow", "Deny"'),
    ],
)
def test_other_actions_are_refused(kind: str, action: str, choices: str):
    """There is no tier behind Baseline to pass to; and a rule that is not understood denies everything."""
    found, errors = said(kind, f"{HEADS[kind]}egress: [{{action: {action}, to: {EVERY_POD}}}]")

    assert errors == [f'spec.egress[0].action: Unsupported value: "{action}": supported values: {choices}']
    assert (found.egress[0].action, found.egress[0].peers) == (Action.DENY, (Anyone(),))


@BOTH
@pytest.mark.parametrize(
    ("port", "traffic"),
    [
        ("portNumber: {port: 80}", ports(Protocol.TCP, 80, 80)),
        ("portNumber: {port: 80, protocol: null}", ports(Protocol.TCP, 80, 80)),
        ("portNumber: {port: 53, protocol: UDP}", ports(Protocol.UDP, 53, 53)),
        ("portRange: {start: 7, end: 9}", ports(Protocol.TCP, 7, 9)),
        ("portRange: {start: 7, end: 9, protocol: SCTP}", ports(Protocol.SCTP, 7, 9)),
        ("portRange: {start: 7, end: 7}", ports(Protocol.TCP, 7, 7)),
    ],
)
def test_ports_are_numbers_and_ranges_of_tcp_by_default(kind: str, port: str, traffic: object):
    """Both ends belong to a range, and no condition keeps them apart here."""
    rule = sound(kind, f"ingress: [{{action: Deny, from: {EVERY_POD}, ports: [{{{port}}}]}}]").ingress[0]

    assert (rule.traffic, rule.named) == (traffic, ())


@BOTH
def test_a_named_port_is_of_any_protocol(kind: str):
    """Only the experimental channel has it."""
    found = tiered(kind, f"{HEADS[kind]}ingress: [{{action: Deny, from: {EVERY_POD}, ports: [{{namedPort: http}}]}}]")

    assert found.errors == ()
    assert found.snapshot.policies[0].ingress[0].named == (NamedPort("http", None),)
    assert [note.split()[0] for note in found.notes] == ["namedPort"]


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("portRange: {start: 9, end: 7}", "no port is from 9 to 7, which the API server does not notice"),
        ("portNumber: {port: 80, protocol: tcp}", '"tcp" is no protocol, which the API server does not notice'),
        ("portNumber: {port: 80, protocol: ICMP}", '"ICMP" is no protocol, which the API server does not notice'),
        ("portNumber: {port: 0}", "should be greater than or equal to 1"),
        ("portNumber: {protocol: UDP}", "portNumber.port: Required value"),
        ("namedPort: no_name", '"no_name" is no name of a port'),
    ],
)
def test_a_port_in_error_closes_its_rule(port: str, message: str):
    """Some of it the server lets through, and plugins then make of it what they like."""
    spec = f"{HEADS['AdminNetworkPolicy']}ingress: [{{action: Pass, from: {EVERY_POD}, ports: [{{{port}}}]}}]"
    found, errors = said("AdminNetworkPolicy", spec)

    assert message in "\n".join(errors)
    assert (found.ingress[0].action, found.ingress[0].peers) == (Action.DENY, (Anyone(),))


def test_a_protocol_in_the_wrong_letters_has_the_right_ones_in_its_hint():
    """Upper case is what it takes."""
    rule = f"{{action: Deny, from: {EVERY_POD}, ports: [{{portNumber: {{port: 80, protocol: udp}}}}]}}"
    (error,) = tiered("AdminNetworkPolicy", f"{HEADS['AdminNetworkPolicy']}ingress: [{rule}]").errors

    assert (error.hint, error.reason) == ("write UDP", "")


@BOTH
def test_pods_need_a_namespace_selector(kind: str):
    """Unlike in the version after it, where none means every namespace."""
    found, errors = said(kind, f"{HEADS[kind]}ingress: [{{action: Deny, from: [{{pods: {{podSelector: {{}}}}}}]}}]")

    assert errors == ["spec.ingress[0].from[0].pods.namespaceSelector: Required value"]
    assert found.ingress[0].peers == (Anyone(),)


@BOTH
def test_peers_outside_are_networks_and_nodes(kind: str):
    """Beside pods."""
    peers = f"{EVERY_POD[:-1]}, {{networks: [10.0.0.0/8]}}, {{nodes: {{}}}}]"
    (rule,) = sound(kind, f"egress: [{{action: Allow, to: {peers}}}]").egress

    assert [type(peer) for peer in rule.peers] == [PodPeer, BlockPeer, NodePeer]


def test_only_an_admin_network_policy_has_domain_names():
    """In the baseline they are an unknown field."""
    rule = "egress: [{action: Allow, to: [{domainNames: [a.b]}]}]"
    (peer,) = sound("AdminNetworkPolicy", rule).egress[0].peers
    found, errors = said("BaselineAdminNetworkPolicy", HEADS["BaselineAdminNetworkPolicy"] + rule)

    assert isinstance(peer, DomainPeer)
    assert errors[0] == 'strict decoding error: unknown field "spec.egress[0].to[0].domainNames"'
    assert found.egress[0].peers == ()


def test_there_is_one_baseline_and_its_name_is_default():
    """One of another name is refused, so what it accepts must not count."""
    rules = f"ingress: [{{action: Allow, from: {EVERY_POD}}}, {{action: Deny, from: {EVERY_POD}}}]"
    found, errors = said("BaselineAdminNetworkPolicy", SUBJECT + rules, name="other")

    message = 'Only one baseline admin network policy with metadata.name="default" can be created in the cluster'
    assert errors == [f"<nil>: Invalid value: {message}"]
    assert [(rule.action, bool(rule.peers)) for rule in found.ingress] == [(Action.ACCEPT, False), (Action.DENY, True)]


def test_a_hundred_of_everything_is_not_too_many():
    """Four times what the version after it takes."""
    rule = f"{{action: Deny, from: [{', '.join(['{namespaces: {}}'] * 100)}]}}"

    assert len(sound("AdminNetworkPolicy", f"ingress: [{', '.join([rule] * 100)}]").ingress) == 100
    _, errors = said("AdminNetworkPolicy", f"{HEADS['AdminNetworkPolicy']}ingress: [{', '.join([rule] * 101)}]")
    assert errors == ["spec.ingress: Too many: 101: must have at most 100 items"]
