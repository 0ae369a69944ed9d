"""Small facts about the objects of a cluster."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ringfence.model.cluster import Pod, Workload
from tests.parts import place, pod


def test_pods_are_written_with_their_namespace():
    """``namespace/name`` is what people type."""
    assert str(pod("x/a")) == "x/a"


def test_a_workload_is_what_its_pods_name():
    """``Kind/name`` is the key."""
    assert Workload("x", "Deployment", "web", 2, place()).key == "Deployment/web"


def test_policies_select_pods_that_live_on_their_own_network():
    """Neither host-network pods nor those that ended."""
    assert pod("x/a").selectable
    assert not pod("x/a", host_network=True).selectable
    assert not pod("x/a", terminal=True).selectable


def test_a_pod_under_another_name_is_the_same_otherwise():
    """Whatever is known of it."""
    known: dict[str, Any] = {each.name: f"its {each.name}" for each in fields(Pod)}

    assert Pod(**known).called("x") == Pod(**{**known, "name": "x"})
