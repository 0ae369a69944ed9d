"""Objects become one snapshot."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family, read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.model.cluster import NAME_LABEL
from ringfence.readers import read

from .texts import POD, POLICY, reading, source

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.readers import Reading

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {env: m}}\n"
NODE = (
    "apiVersion: v1\nkind: Node\nmetadata: {name: w}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n"
)
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: x}\nspec: {selector: {app: a}}\n"
SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s-1, namespace: x, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
"""
ENDPOINTS = (
    "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: x}\nsubsets: [{addresses: [{ip: 10.0.0.2}]}]\n"
)
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: x}
spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: x}
spec: {rules: [{backendRefs: [{name: s, port: 80}]}]}
"""
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: x}\nspec: {template: {}}\n"
STATEFUL_SET = (
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a, namespace: x}\nspec: {replicas: 4, template: {}}\n"
)
OWNED = """
apiVersion: v1
kind: Pod
metadata: {name: d-1, namespace: x, ownerReferences: [{kind: Deployment, name: d}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Namespace
metadata: {name: z}
---
apiVersion: v1
kind: Node
metadata: {name: w1}
"""
RULES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: q, namespace: x}
spec:
  podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: a-3}}
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}, {namespaceSelector: {}}], ports: [{port: 80}, {port: http}]}, {}]
"""
ALL = [NAMESPACE, NODE, POD, SERVICE, DEPLOYMENT, POLICY, SLICE, INGRESS]


def errors(*texts: str) -> list[str]:
    """What is wrong with the sources."""
    return [str(error) for error in reading(*texts).errors]


def test_every_kind_is_in_the_snapshot():
    """Pods of templates included."""
    found = reading(*ALL).snapshot

    assert [str(pod) for pod in found.pods] == ["x/a", "x/d-0"]
    assert [policy.name for policy in found.policies] == ["x/p"]
    assert found.namespaces["x"].labels == {"env": "m", NAME_LABEL: "x"}
    assert list(found.nodes) == ["w"]
    assert [each.key for each in found.workloads] == ["Deployment/d"]
    assert [str(service) for service in found.services] == ["x/s"]
    assert [each.name for each in found.slices] == ["s-1"]
    assert [str(route) for route in found.routes] == ["HTTPRoute x/r", "Ingress x/i"]
    assert found.controllers == {"nginx": "k8s.io/ingress-nginx"}
    assert errors(*ALL) == []


def without_origins(snapshot: Snapshot) -> dict[str, Any]:
    """Everything that a verdict depends on."""
    return asdict(snapshot, dict_factory=lambda members: {name: value for name, value in members if name != "origin"})


@given(order=st.permutations([*ALL, STATEFUL_SET, OWNED, RULES]))
def test_the_order_of_the_input_does_not_matter(order: list[str]):
    """Only origins say which source a fact came from."""
    text = "---\n".join([*ALL, STATEFUL_SET, OWNED, RULES])
    found, again = reading(text), reading("---\n".join(order))

    assert without_origins(again.snapshot) == without_origins(found.snapshot)
    assert (list(again.snapshot.namespaces), list(again.snapshot.nodes)) == (["x", "z"], ["w", "w1"])
    assert found.errors == again.errors == ()


def test_everything_is_sorted():
    """By namespace and name."""
    texts = [text.replace("namespace: x", "namespace: a") for text in ALL[2:7]]
    found = reading(*ALL, *texts).snapshot

    assert [str(pod) for pod in found.pods] == ["a/a", "a/d-0", "x/a", "x/d-0"]
    assert [policy.name for policy in found.policies] == ["a/p", "x/p"]
    assert [each.namespace for each in (*found.workloads, *found.services)] == ["a", "x", "a", "x"]


def test_objects_without_a_namespace_are_in_the_default_one():
    """Or in the one that was asked for."""
    text = POD.replace("namespace: x, ", "")

    assert [str(pod) for pod in read([source(text)]).snapshot.pods] == ["default/a"]
    assert [str(pod) for pod in read([source(text)], default_namespace="shop").snapshot.pods] == ["shop/a"]


def test_cluster_scoped_objects_have_no_namespace():
    """Their origins say so."""
    found = reading(*ALL).snapshot

    assert [each.object for each in (found.nodes["w"].origin, found.namespaces["x"].origin) if each] == [
        "Node/w",
        "Namespace/x",
    ]
    assert found.pods[0].origin.object == "Pod/x/a"


def test_a_second_object_of_one_name_is_an_error():
    """Both places are named; the last one counts."""
    second = POD.replace("app: a", "app: second")
    found = reading(POD, second, POLICY)

    assert [str(error) for error in found.errors] == [
        "b.yaml:2: Pod/x/a is declared twice, first at a.yaml:2; the last one counts"
    ]
    assert [pod.labels for pod in found.snapshot.pods] == [{"app": "second"}]


def test_a_policy_declared_twice_still_grants_what_its_last_says():
    """The error is not in the policy."""
    found = reading(POD, POLICY, POLICY.replace("podSelector: {}", "ingress: [{}]"))

    assert len(found.errors) == 1
    assert [len(policy.ingress[0].peers) for policy in found.snapshot.policies] == [1]


@pytest.mark.parametrize(
    "other",
    [
        POD.replace("name: a,", "name: b,"),
        POD.replace("namespace: x", "namespace: z"),
        SERVICE.replace("name: s", "name: a"),
    ],
)
def test_another_name_namespace_or_kind_is_another_object(other: str):
    """Nothing is declared twice here."""
    assert errors(POD, other, POLICY) == []


def test_an_object_without_a_name_is_an_error():
    """It is left out, for nobody could ask for it."""
    found = reading(POD, POLICY, "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n")

    assert [str(error) for error in found.errors] == [
        "c.yaml:3: metadata.name: Required value: name or generateName is required"
    ]
    assert len(found.snapshot.pods) == 1


def test_two_objects_without_a_name_are_two_errors():
    """They are not one object declared twice."""
    nameless = "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n"

    assert [message.partition(" ")[2] for message in errors(POD, POLICY, nameless, nameless)] == [
        "metadata.name: Required value: name or generateName is required"
    ] * 2


def test_a_name_that_is_a_number_is_one_error():
    """It is not missing."""
    assert errors(POD, POLICY.replace("name: p,", "name: 5,")) == [
        "b.yaml:4: metadata.name: expected a string, found the number 5"
    ]


def test_a_policy_without_a_name_is_named_by_its_place():
    """What it isolates stays isolated."""
    found = reading(POD, POLICY.replace("name: p, ", ""))

    assert [policy.name for policy in found.snapshot.policies] == ["x/b.yaml:2"]
    assert len(found.errors) == 1


def test_a_name_may_be_generated():
    """Its beginning is all that is known."""
    found = reading(POD.replace("name: a, namespace", "generateName: a-, namespace"), POLICY)

    assert [pod.name for pod in found.snapshot.pods] == ["a-"]
    assert found.errors == ()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_generated_names_that_begin_alike_are_not_one_name(number: int):
    """All count, numbered in the order of the input."""
    pods = [POD.replace("name: a, namespace", "generateName: a-, namespace")] * number
    policies = [POLICY.replace("name: p", "generateName: p-")] * number
    found = reading(*pods, *policies)

    assert [pod.name for pod in found.snapshot.pods] == ["a-", "a-#2", "a-#3"][:number]
    assert [policy.name for policy in found.snapshot.policies] == ["x/p-", "x/p-#2", "x/p-#3"][:number]
    assert found.errors == ()


def with_address(name: str, more: str = "") -> str:
    """A pod with an address that others have, too."""
    text = POD.replace("name: a,", f"name: {name},").replace("spec: {", f"spec: {{{more}")
    return f"{text}status: {{podIP: 10.0.0.1}}\n"


def test_two_live_pods_with_one_address_are_an_error():
    """Both places are named."""
    assert errors(with_address("b"), with_address("a"), POLICY) == [
        "a.yaml:2: x/b has the address 10.0.0.1, which x/a has at b.yaml:2"
    ]


@pytest.mark.parametrize(
    "other",
    [with_address("b", "hostNetwork: true, "), with_address("b").replace("{podIP", "{phase: Failed, podIP")],
)
def test_an_address_may_be_another_s_that_is_not_its_own(other: str):
    """That of a node is shared, and that of a pod that has ended is given out again."""
    assert errors(with_address("a"), other, POLICY) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NAMESPACE.replace("labels", "lables"), 'strict decoding error: unknown field "metadata.lables"'),
        (SERVICE.replace("spec:", "spce:"), 'strict decoding error: unknown field "spce"'),
        (NODE.replace("status", "stats"), 'strict decoding error: unknown field "stats"'),
    ],
)
def test_an_unknown_field_of_any_object_is_an_error(text: str, message: str):
    """At its top, and in its metadata."""
    assert [each.partition(": ")[2] for each in errors(POD, POLICY, text)] == [message]


def test_metadata_that_is_no_mapping_is_an_error():
    """Said once, beside the missing name."""
    assert errors(POD, POLICY, "apiVersion: v1\nkind: Pod\nmetadata: a\n") == [
        'c.yaml:3: metadata: expected a mapping, found the string "a"',
        "c.yaml:3: metadata.name: Required value: name or generateName is required",
    ]


@pytest.mark.parametrize("namespace", ["default", "kube-system", "kube-public", "kube-node-lease", "x", "y1", "z1"])
def test_a_policy_may_be_in_a_namespace_that_exists(namespace: str):
    """By itself, by a Namespace, a pod, a workload or a Service."""
    others = [
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: y1}\n",
        SERVICE.replace("namespace: x", "namespace: z1"),
    ]

    assert errors(POD, *others, POLICY.replace("namespace: x", f"namespace: {namespace}")) == []


def test_a_policy_in_a_namespace_of_nothing_is_an_error():
    """At the line of the namespace, with the nearest name."""
    found = reading(POD.replace("namespace: x", "namespace: shop"), POLICY.replace("namespace: x", "namespace: shpo"))

    assert [str(error) for error in found.errors] == [
        'b.yaml:4: shpo/p is in namespace "shpo", which nothing else in the input mentions'
    ]
    assert found.errors[0].origin.pointer == "/metadata/namespace"
    assert found.errors[0].hint == 'did you mean "shop"?'


def test_another_policy_does_not_make_a_namespace():
    """Both are in error."""
    lost = POLICY.replace("namespace: x", "namespace: lost")

    assert len(errors(POD, lost, lost.replace("name: p", "name: q"))) == 2


def test_without_pods_every_namespace_may_exist():
    """Policies alone are in error for another reason."""
    assert errors(POLICY) == ["a.yaml: no pods and no workloads"]


def test_no_policies_are_an_error():
    """The answer would say that everything is allowed."""
    assert errors(POD) == ["a.yaml: no network policies"]
    assert errors(POD, NAMESPACE) == ["a.yaml and 1 more: no network policies"]


def foreign(kind: str, version: str) -> str:
    """An object of a kind that is not read."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: c}}\n---\n"


def test_policies_that_are_not_read_are_the_error():
    """Not their absence; there is one for each kind, which counts them all."""
    cilium = foreign("CiliumNetworkPolicy", "cilium.io/v2")

    assert errors(POD, cilium * 2, foreign("AuthorizationPolicy", "security.istio.io/v1") + cilium) == [
        "c.yaml:1: 1 AuthorizationPolicy is not understood: answers may be too open or too closed",
        "b.yaml:1: 3 CiliumNetworkPolicies are not understood: answers may be too open or too closed",
    ]


def test_one_kind_of_two_groups_is_told_apart():
    """As is one that Kubernetes has, too."""
    istio, linkerd = (
        foreign("AuthorizationPolicy", "security.istio.io/v1"),
        foreign("AuthorizationPolicy", "policy.linkerd.io/v1"),
    )
    calico = foreign("NetworkPolicy", "crd.projectcalico.org/v1") + foreign("NetworkPolicy", "projectcalico.org/v3")

    said = [error.partition(" is not")[0] for error in errors(POD, istio + linkerd, calico)]
    assert said == [
        "b.yaml:5: 1 AuthorizationPolicy of policy.linkerd.io",
        "b.yaml:1: 1 AuthorizationPolicy of security.istio.io",
        "c.yaml:1: 1 NetworkPolicy of crd.projectcalico.org",
        "c.yaml:5: 1 NetworkPolicy of projectcalico.org",
    ]


REFUSED = POLICY.replace("name: p", "name: P").replace("podSelector: {}", "podSelectr: {}")


def assuming(*texts: str) -> Reading:
    """What files hold, without what a server refuses."""
    return read([source(text, f"{index}.yaml") for index, text in enumerate(texts)], assume_rejected=True)


def test_what_a_server_refuses_may_be_left_out():
    """Knowingly: it is named with what is wrong first, and nothing is partial for it."""
    found = assuming(POD, REFUSED, POLICY.replace("name: p", "name: q"))

    assert [policy.name for policy in found.snapshot.policies] == ["x/q"]
    assert found.errors == ()
    (note,) = found.notes
    assert note.startswith(
        "1.yaml:5: NetworkPolicy/x/P is left out, for an API server refuses it: strict decoding error"
    )
    assert note.endswith(", and 1 more")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (POD.replace("labels: {app: a}", "labels: {app: a b}"), "pods"),
        (DEPLOYMENT.replace("name: d", "name: D"), "workloads"),
        (NAMESPACE.replace("env: m", "env: m n"), "namespaces"),
        (NODE.replace("name: w", "name: W"), "nodes"),
        (SERVICE.replace("name: s", "name: S"), "services"),
        (SLICE.replace("name: s-1", "name: S"), "slices"),
        (ENDPOINTS.replace("name: s", "name: S"), "slices"),
        (INGRESS.partition("---")[0].replace("name: i", "name: I"), "routes"),
        (INGRESS.split("---")[1].replace("name: nginx", "name: Nginx"), "controllers"),
        (INGRESS.split("---")[2].replace("name: r", "name: R"), "routes"),
        (
            (
                "apiVersion: argoproj.io/v1\nkind: Rollout\nmetadata: {name: R}\n"
                "spec: {template: {spec: {containers: [{name: c}]}}}\n"
            ),
            "workloads",
        ),
        (REFUSED, "policies"),
        (
            "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: C}\n",
            "policies",
        ),
    ],
)
def test_whatever_its_kind_it_is_kept_or_left_out(text: str, kept: str):
    """Without the wish to leave it out, it is read as far as it goes."""
    alone, assumed = reading(text), assuming(text)

    assert bool(getattr(alone.snapshot, kept)), kept
    assert alone.partial
    assert not getattr(assumed.snapshot, kept), kept
    assert "is left out, for an API server refuses it" in assumed.notes[0]


def test_of_two_of_one_name_the_one_that_is_not_refused_stays():
    """What is left out claims no name."""
    refused = POLICY.replace("podSelector: {}", "podSelectr: {}")
    found = assuming(POD, POLICY, refused)

    assert [policy.origin.source for policy in found.snapshot.policies] == ["1.yaml"]
    assert found.errors == ()


def test_the_only_policy_that_is_left_out_is_not_missed():
    """Whoever leaves it out knows that there is none."""
    assert assuming(POD, REFUSED).errors == ()


def test_what_no_server_decides_is_an_error_all_the_same():
    """Two policies of one name are a mistake of the input, not of one of them."""
    assert len(assuming(POD, POLICY, POLICY).errors) == 1


def test_a_workload_makes_up_for_pods():
    """Its template stands for some."""
    assert errors(DEPLOYMENT, POLICY) == []


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("Ingress", "networking.k8s.io/v1beta1"),
        ("Ingress", "extensions/v1beta1"),
        ("HTTPRoute", "gateway.networking.k8s.io/v1beta2"),
        ("TCPRoute", "gateway.networking.k8s.io/v1"),
    ],
)
def test_a_way_in_of_another_version_is_noted(kind: str, version: str):
    """It decides nothing between pods, and is missing among what leads to Services."""
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n"

    assert reading(POD, POLICY, text).notes == (f"{kind} of {version} is not read and was passed over: c.yaml:1",)
    assert errors(POD, POLICY, text) == []


def test_an_unknown_kind_is_listed_once():
    """With the number of its objects, and where the first is."""
    foo = "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\n"
    bar = "apiVersion: example.com/v1\nkind: Bar\nmetadata: {name: a}\n"

    assert reading(POD, POLICY, foo, foo, bar).notes == (
        "Bar of example.com/v1 is not known and was passed over: e.yaml:1",
        "Foo of example.com/v1 is not known and was passed over: 2 objects, the first at c.yaml:1",
    )


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Workflow", "{templates: [{name: a, container: {image: a}}]}"),
        ("Workflow", "{templates: [{name: a, script: {image: a, source: x}}]}"),
        ("CronWorkflow", "{workflowSpec: {templates: [{name: a, containerSet: {containers: [{image: a}]}}]}}"),
        ("TFJob", "{tfReplicaSpecs: {Worker: {template: {spec: {containers: [{image: a}]}}}}}"),
    ],
)
def test_a_kind_that_makes_pods_in_its_own_way_says_that_they_are_missing(kind: str, spec: str):
    """They are in no map and have no name."""
    text = f"apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    said = f"{kind} of example.com/v1 makes pods in a way that is not read, so answers leave them out: c.yaml:1"

    assert reading(POD, POLICY, text).notes == (said,)


@pytest.mark.parametrize("spec", ["{container: a, containers: 5, script: {source: x}}", "[]", "{containers: [a]}"])
def test_a_kind_that_holds_no_container_makes_no_pods(spec: str):
    """Whatever it calls so."""
    text = f"apiVersion: example.com/v1\nkind: Foo\nmetadata: {{name: a}}\nspec: {spec}\n"

    assert reading(POD, POLICY, text).notes == ("Foo of example.com/v1 is not known and was passed over: c.yaml:1",)


def test_kinds_that_decide_nothing_are_passed_over():
    """Even when their members would be wrong in another kind."""
    found = reading(POD, POLICY, "apiVersion: v1\nkind: Secret\nmetadata: 5\n")

    assert (found.errors, found.notes) == ((), ())


@pytest.mark.parametrize(
    ("texts", "ranges", "families"),
    [
        ([POD], EMPTY, (Family.IPV4,)),
        ([POD + "status: {podIP: 'fd00::1'}\n"], EMPTY, (Family.IPV6,)),
        ([POD, NODE], EMPTY, (Family.IPV4,)),
        ([POD, NODE.replace("192.0.2.1", "'fd00::1'")], EMPTY, (Family.IPV6,)),
        ([POD, SERVICE.replace("spec: {", "spec: {ipFamilies: [IPv6], ")], EMPTY, (Family.IPV6,)),
        ([POD], read_cidr("fd00::/64"), (Family.IPV6,)),
        ([POD, NODE], read_cidr("fd00::/64"), (Family.IPV4, Family.IPV6)),
    ],
)
def test_families_are_those_seen_in_the_input(texts: list[str], ranges: Intervals, families: tuple[Family, ...]):
    """In pods, nodes, Services and pod ranges; IPv4 where there are none."""
    found = read([source(text, f"{number}.yaml") for number, text in enumerate([*texts, POLICY])], pod_cidrs=ranges)

    assert found.snapshot.families == families
    assert found.snapshot.pod_ranges == ranges
    assert found.errors == ()


@pytest.mark.parametrize(
    ("texts", "known"), [([ENDPOINTS], ["s"]), ([SLICE], ["s-1"]), ([ENDPOINTS, SLICE], ["s-1"]), ([SERVICE], [])]
)
def test_endpoints_count_for_a_service_without_slices(texts: list[str], known: list[str]):
    """Where both are there they say the same, and slices say more."""
    found = reading(POD, POLICY, *texts)

    assert [each.name for each in found.snapshot.slices] == known
    assert found.errors == ()


TIERED = """
apiVersion: policy.networking.k8s.io/{version}
kind: {kind}
metadata: {{name: {name}, namespace: z}}
spec: {{{head}subject: {{namespaces: {{}}}}}}
"""
CLUSTER = TIERED.format(version="v1alpha2", kind="ClusterNetworkPolicy", name="c", head="tier: Baseline, priority: 1, ")
ADMIN = TIERED.format(version="v1alpha1", kind="AdminNetworkPolicy", name="c", head="priority: 1, ")
BASELINE = TIERED.format(version="v1alpha1", kind="BaselineAdminNetworkPolicy", name="default", head="")


@pytest.mark.parametrize("policy", [CLUSTER, ADMIN, BASELINE])
def test_a_policy_of_the_cluster_is_in_no_namespace(policy: str):
    """Nor does it need one that something else mentions; and it is a policy to answer with."""
    found = reading(POD, policy)

    assert found.errors == ()
    assert "/" not in found.snapshot.policies[0].name


def test_policies_of_several_kinds_may_have_one_name():
    """They are told apart by their kinds."""
    found = reading(POD, CLUSTER, ADMIN, BASELINE)

    assert [f"{policy.kind}/{policy.name}" for policy in found.snapshot.policies] == [
        "AdminNetworkPolicy/c",
        "BaselineAdminNetworkPolicy/default",
        "ClusterNetworkPolicy/c",
    ]
    assert found.errors == ()


def test_two_policies_of_one_kind_and_name_are_one_too_many():
    """Whatever namespace they say they are in."""
    (said,) = errors(POD, CLUSTER, CLUSTER.replace("namespace: z", "namespace: w"))

    assert "ClusterNetworkPolicy/c is declared twice" in said


def test_two_kinds_of_baseline_have_no_order():
    """No API gives them one, so it is said how they are taken."""
    assert reading(POD, ADMIN, BASELINE).notes == reading(POD, CLUSTER, ADMIN).notes == ()
    (note,) = reading(POD, CLUSTER, BASELINE).notes
    assert note.startswith("no API says which of these goes first; the BaselineAdminNetworkPolicy is taken to go last")
    assert note.endswith(": BaselineAdminNetworkPolicy/default, ClusterNetworkPolicy/c")


def test_a_policy_of_the_cluster_without_a_name_still_counts():
    """Or what it denies would be open."""
    found = reading(POD, CLUSTER.replace("name: c, ", ""))

    assert [policy.name for policy in found.snapshot.policies] == ["b.yaml:2"]
    assert len(found.errors) == 1
