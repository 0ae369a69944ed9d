"""The label that makes classes of pods many, and the policy to blame."""

from __future__ import annotations

from ringfence.semantics.fineness import finest_label
from tests.parts import network_policy, pod, pods, rule, snapshot

NAMES = network_policy("x/names", "app=a", ingress=tuple(rule(pods(f"name={name}")) for name in "abcd"))
APPS = network_policy("x/apps", "app=a", egress=(rule(pods("app=b")), rule(pods("name=d")), rule(pods("name=e"))))
WORLD = snapshot(pod("x/a"), APPS, NAMES)


def test_the_policy_that_names_most_values_is_told():
    """With the label, and how many values of it all policies name."""
    found = finest_label(WORLD, 10, many=10)

    assert found.startswith("pods are judged in 10 classes, for policies name 5 values of the label name:")
    assert found.endswith(": NetworkPolicy x/names names 4 of them")
    assert finest_label(snapshot(NAMES), 4, many=4).endswith(": NetworkPolicy x/names names them all")


def test_where_classes_are_few_nobody_is_to_blame():
    """A map of them costs next to nothing."""
    assert finest_label(WORLD, 9, many=10) == ""


def test_where_no_label_explains_half_of_the_classes_nobody_is_to_blame():
    """Many labels together make them, or there are no policies."""
    assert finest_label(WORLD, 11, many=10) == ""
    assert finest_label(snapshot(), 10, many=10) == ""
