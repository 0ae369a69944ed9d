"""What steps of a play make of a cluster."""

from __future__ import annotations

import pytest

from ringfence.errors import InputError, ManifestError
from ringfence.lab.changes import applied, read_applied, relabeled, without
from ringfence.lab.topology import lay_out
from ringfence.model.origin import Origin
from tests.lab.small import MANIFESTS, pod_of, small

STEP = Origin("play.yaml", 7, 3, "/steps/0", "Play")
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME, namespace: shop}
spec: {podSelector: {matchLabels: {app: x}}}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: red}}\n"
REFUSED = {
    MANIFESTS: "a.yaml holds pods or workloads, and the pods, nodes and Services of a lab stay as they are",
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {a: b}, ports: [{port: 1}]}\n": "Services",
    "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {a: b}}\n": "nodes",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n": "holds no policy and no namespace",
    "kind: [": "a.yaml:1",
}


def test_a_policy_takes_the_place_of_one_of_its_name_and_others_come_beside():
    """Pods keep their nodes and addresses."""
    before = lay_out(small("")).snapshot
    files = {"a.yaml": POLICY.replace("NAME", "db"), "b.yaml": POLICY.replace("NAME", "a")}
    after = applied(before, read_applied(files, "default", STEP))

    assert [(policy.name, policy.origin.source) for policy in after.policies] == [
        ("shop/a", "b.yaml"),
        ("shop/db", "a.yaml"),
    ]
    assert after.pods == before.pods
    assert after.namespaces == before.namespaces


def test_a_namespace_gets_other_labels():
    """What else there is stays."""
    before = lay_out(small("")).snapshot
    after = applied(before, read_applied({"a.yaml": NAMESPACE}, "default", STEP))

    assert after.namespace_labels("shop") == {"kubernetes.io/metadata.name": "shop", "team": "red"}
    assert after.policies == before.policies


@pytest.mark.parametrize(("text", "said"), REFUSED.items(), ids=list("abcde"))
def test_what_a_running_lab_cannot_take_is_refused(text: str, said: str):
    """Rather than passed over."""
    with pytest.raises(ManifestError) as caught:
        read_applied({"a.yaml": text}, "default", STEP)
    assert said in str(caught.value)


def test_a_policy_is_deleted_by_its_name():
    """One that is not there is an error."""
    before = lay_out(small("")).snapshot

    assert without(before, "netpol/db", "shop").policies == ()
    with pytest.raises(InputError, match="no policy is named shop/x"):
        without(before, "shop/x", "shop")


def test_labels_are_set_and_taken_away_from_every_pod_that_is_meant():
    """And from no other."""
    before = lay_out(small("")).snapshot
    after = relabeled(before, "shop/web", {"app": None, "tier": "front"}, "default")

    assert [pod_of(after, name).labels.get("tier") for name in ("web-0", "web-1", "db")] == ["front", "front", None]
    assert "app" not in pod_of(after, "web-0").labels
    assert pod_of(after, "db") == pod_of(before, "db")
    with pytest.raises(InputError, match=r"192\.0\.2\.1 is no pod"):
        relabeled(before, "192.0.2.1", {}, "default")
