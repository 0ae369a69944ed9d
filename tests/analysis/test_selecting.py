"""Whom an edit names, and by what."""

from __future__ import annotations

from ringfence.algebra.traffic import ALL, Protocol, ports
from ringfence.analysis.selecting import nameable, narrowest
from tests.parts import pod, snapshot, tcp


def test_the_fewest_labels_that_tell_pods_apart_name_them():
    """One label where one will do; two where each alone would mean another pod."""
    web, api, old = pod("x/web", "app=web,tier=a"), pod("x/api", "app=api,tier=b"), pod("x/old", "app=web,tier=b")

    assert str(narrowest(snapshot(web, api), [web])) == "app=web"
    assert str(narrowest(snapshot(web, api, old), [web])) == "tier=a"
    assert str(narrowest(snapshot(web, api, old), [old])) == "app=web,tier=b"


def test_labels_that_the_next_pod_will_not_have_name_nobody():
    """Neither a hash nor what only one pod of a workload has is a name; nothing else means the whole namespace."""
    facts = {"workload": "Deployment/web"}
    one = pod("x/web-1", "pod-template-hash=f00,zone=a", **facts)
    two = pod("x/web-2", "pod-template-hash=f00,zone=b", **facts)

    assert narrowest(snapshot(one, two, pod("x/api", "app=api")), [one]).requirements == ()


def test_other_namespaces_do_not_matter():
    """A peer names its namespace too, so that pods with the same labels elsewhere are not meant."""
    web = pod("x/web", "app=web,tier=a")

    assert str(narrowest(snapshot(web, pod("y/web", "app=web,tier=b")), [web])) == "app=web"


def test_what_no_rule_can_name_alone_is_named_with_more():
    """ICMP with all traffic, and port 0 with all of its protocol."""
    assert nameable(tcp(80) | ports(Protocol.ICMP)) == ALL
    assert nameable(ports(Protocol.TCP, 0, 79)) == ports(Protocol.TCP)
    assert nameable(tcp(1, 79)) == tcp(1, 79)
