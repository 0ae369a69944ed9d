"""Whom selectors mean, and what port names mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import Protocol, ports
from ringfence.model.policy import Direction, NamedPort, PodSelector, resolve
from tests.parts import named, network_policy, pod, port, rule, tcp

if TYPE_CHECKING:
    from ringfence.model.cluster import Pod


@pytest.mark.parametrize(
    ("scope", "selected"),
    [
        ("x", True),
        ("y", False),
        (Selector(), True),
        (Selector.labels({"env": "prod"}), True),
        (Selector.labels({"env": "dev"}), False),
    ],
)
def test_a_scope_is_one_namespace_or_those_with_labels(scope: str | Selector, selected: bool):  # noqa: FBT001
    """A name means the one namespace, a selector is asked of the namespace's labels."""
    assert PodSelector(scope).selects(pod("x/a"), {"env": "prod"}) is selected


@pytest.mark.parametrize("hidden", [pod("x/a", host_network=True), pod("x/a", terminal=True)], ids=["host", "terminal"])
def test_no_selector_sees_pods_of_the_host_network_or_that_ended(hidden: Pod):
    """Not even the selector of everything."""
    assert not PodSelector().selects(hidden, {})


def test_scope_and_labels_must_both_match():
    """A pod of the right namespace with other labels is not meant."""
    selector = PodSelector("x", Selector.labels({"app": "a"}))

    assert selector.selects(pod("x/p", "app=a"), {})
    assert not selector.selects(pod("x/p", "app=b"), {})
    assert not selector.selects(pod("y/p", "app=a"), {})


PORTS = (port("web", 80), port("web", 8080), port("web", 53, Protocol.UDP), port("", 99))


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (NamedPort("web", Protocol.TCP), tcp(80) | tcp(8080)),
        (NamedPort("web", Protocol.UDP), ports(Protocol.UDP, 53, 53)),
        (NamedPort("web", None), tcp(80) | tcp(8080) | ports(Protocol.UDP, 53, 53)),
        (NamedPort("dns", None), EMPTY),
        (NamedPort("", None), EMPTY),
    ],
    ids=str,
)
def test_a_port_name_means_each_port_of_that_name_and_protocol(wanted: NamedPort, meant: Intervals):
    """One name may stand for several numbers; a port without a name is never meant."""
    assert resolve((wanted,), PORTS) == meant


def test_names_are_resolved_at_the_destination():
    """The same rule means other ports on other pods, and its numbers alone where there is no pod of the cluster."""
    both = rule(**(named("web") | {"traffic": tcp(1)}))

    assert both.traffic_to(pod("x/a", ports=PORTS)) == tcp(1) | tcp(80) | tcp(8080)
    assert both.traffic_to(pod("x/b")) == tcp(1)
    assert both.traffic_to(pod("x/c", ports=PORTS, host_network=True)) == tcp(1)
    assert both.traffic_to(None) == tcp(1)


def test_each_direction_has_its_own_rules():
    """Ingress rules are not consulted for egress."""
    policy = network_policy("x/p", ingress=(rule(at="in"),), egress=(rule(at="out"),))

    assert [r.origin.pointer for r in policy.rules(Direction.INGRESS)] == ["in"]
    assert [r.origin.pointer for r in policy.rules(Direction.EGRESS)] == ["out"]
