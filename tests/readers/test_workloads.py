"""Workloads in, and the pods that stand for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.cluster import ContainerPort, Pod

from .texts import POLICY, reading

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

VERSIONS = {"ReplicationController": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}
SCALED = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"]


def workload(kind: str, name: str = "w", more: str = "", owner: str = "", template: str = "") -> str:
    """A manifest; its template follows on its own line."""
    refs = f", ownerReferences: [{owner}]" if owner else ""
    pod = template or "{metadata: {labels: {app: w}}, spec: {}}"
    spec = f"{{jobTemplate: {{spec: {{template: {pod}}}}}}}" if kind == "CronJob" else f"{{{more}template: {pod}}}"
    version = VERSIONS.get(kind, "apps/v1")
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: x{refs}}}\nspec: {spec}\n"


def owned_pod(name: str, owner: str, labels: str = "{}") -> str:
    """A pod with an owner."""
    meta = f"{{name: {name}, namespace: x, labels: {labels}, ownerReferences: [{owner}]}}"
    return f"apiVersion: v1\nkind: Pod\nmetadata: {meta}\n"


def owner(kind: str, name: str, more: str = "") -> str:
    """An owner reference."""
    return f"{{kind: {kind}, name: {name}{more}}}"


def read(*texts: str) -> Snapshot:
    """The snapshot of manifests that have nothing wrong with them."""
    found = reading("---\n".join(texts), POLICY)
    assert found.errors == ()
    return found.snapshot


def names(*texts: str) -> list[str]:
    """The names of all pods."""
    return [pod.name for pod in read(*texts).pods]


def only(*texts: str) -> Pod:
    """The only pod."""
    (found,) = read(*texts).pods
    return found


@pytest.mark.parametrize("kind", SCALED)
@pytest.mark.parametrize(
    ("replicas", "pods"),
    [("", ["w-0"]), ("replicas: 1, ", ["w-0"]), ("replicas: 2, ", ["w-0", "w-1"]), ("replicas: 9, ", ["w-0", "w-1"])],
)
def test_a_template_is_one_pod_or_two(kind: str, replicas: str, pods: list[str]):
    """Two where it asks for two or more, so that pairs within it are judged."""
    assert names(workload(kind, more=replicas)) == pods


@pytest.mark.parametrize(
    ("more", "field"), [("replicas: -1, ", "spec.replicas"), ("ordinals: {start: -1}, ", "spec.ordinals.start")]
)
def test_numbers_of_pods_are_not_negative(more: str, field: str):
    """They are read as if they were not given."""
    found = reading(workload("StatefulSet", more=more), POLICY)

    assert [error.message for error in found.errors] == [
        f"{field}: Invalid value: -1: must be greater than or equal to 0"
    ]
    assert [pod.name for pod in found.snapshot.pods] == ["w-0"]


@pytest.mark.parametrize(("kind", "pods"), [("CronJob", ["w-0"]), ("Job", ["w-0"]), ("DaemonSet", ["w-0", "w-1"])])
def test_a_workload_without_a_number_is_one_pod_or_two(kind: str, pods: list[str]):
    """A DaemonSet runs on every node, so pairs within it are judged."""
    found = read(workload(kind))

    assert [pod.name for pod in found.pods] == pods
    assert [each.replicas for each in found.workloads] == [None]


@pytest.mark.parametrize(
    ("text", "dormant"),
    [
        (workload("Deployment", more="replicas: 0, "), True),
        (workload("Deployment"), False),
        (workload("DaemonSet"), False),
        (workload("Job"), True),
        (workload("CronJob"), True),
    ],
)
def test_a_template_that_runs_nothing_now_is_dormant(text: str, dormant: bool):  # noqa: FBT001
    """Still there, for the policies must be right when it runs."""
    assert {pod.dormant for pod in read(text).pods} == {dormant}


def test_a_pod_is_as_its_template_makes_it():
    """Labels, ports, node, host network, and where the template stands."""
    template = """{metadata: {labels: {a: b}},
  spec: {nodeName: w1, hostNetwork: true, containers: [{ports: [{containerPort: 80}]}]}}"""
    found = only(workload("Deployment", template=template))

    assert (found.namespace, found.labels, found.node, found.host_network) == ("x", {"a": "b"}, "w1", True)
    assert found.ports == (ContainerPort("", Protocol.TCP, 80),)
    assert found.workload == "Deployment/w"
    assert (found.origin.line, found.origin.pointer) == (4, "/spec/template")


def test_a_cron_job_s_template_lies_deeper():
    """And its labels are found."""
    found = only(workload("CronJob"))

    assert (found.labels, found.origin.pointer) == ({"app": "w"}, "/spec/jobTemplate/spec/template")


def test_workloads_know_what_they_are():
    """Sorted by kind and name."""
    found = read(workload("StatefulSet", more="replicas: 3, "), workload("Deployment")).workloads

    assert [(each.namespace, each.key, each.replicas) for each in found] == [
        ("x", "Deployment/w", 1),
        ("x", "StatefulSet/w", 3),
    ]


def test_the_pods_of_a_stateful_set_have_their_own_labels():
    """A policy may select one of them."""
    pods = read(workload("StatefulSet", more="replicas: 2, ")).pods

    assert [pod.labels for pod in pods] == [
        {"app": "w", "statefulset.kubernetes.io/pod-name": f"w-{n}", "apps.kubernetes.io/pod-index": str(n)}
        for n in (0, 1)
    ]


def test_a_stateful_set_may_count_from_elsewhere():
    """``ordinals.start`` is in the names and labels."""
    pods = read(workload("StatefulSet", more="replicas: 2, ordinals: {start: 5}, ")).pods

    assert [(pod.name, pod.labels["apps.kubernetes.io/pod-index"]) for pod in pods] == [("w-5", "5"), ("w-6", "6")]


@pytest.mark.parametrize("spec", ["podSelector: %s", "podSelector: {}, ingress: [{from: [{podSelector: %s}]}]"])
@pytest.mark.parametrize(
    ("selector", "pods"),
    [
        ("{matchLabels: {apps.kubernetes.io/pod-index: '2'}}", ["w-0", "w-1", "w-2"]),
        ("{matchLabels: {statefulset.kubernetes.io/pod-name: w-3}}", ["w-0", "w-1", "w-3"]),
        ("{matchLabels: {statefulset.kubernetes.io/pod-name: w-4}}", ["w-0", "w-1"]),
        ("{matchLabels: {statefulset.kubernetes.io/pod-name: v-2}}", ["w-0", "w-1"]),
        ("{matchLabels: {app: '2'}}", ["w-0", "w-1"]),
        (
            "{matchExpressions: [{key: apps.kubernetes.io/pod-index, operator: NotIn, values: ['0', '1']}]}",
            ["w-0", "w-1", "w-2", "w-3"],
        ),
    ],
)
def test_pods_of_a_stateful_set_that_a_policy_names_stand_beside_two_others(spec: str, selector: str, pods: list[str]):
    """Whatever a policy tells apart is there, as often as pairs need it."""
    found = reading(workload("StatefulSet", more="replicas: 4, "), POLICY.replace("podSelector: {}", spec % selector))

    assert [pod.name for pod in found.snapshot.pods] == pods


def test_the_pod_of_a_job_bears_its_name():
    """The control plane adds the labels."""
    assert only(workload("Job")).labels == {"app": "w", "job-name": "w", "batch.kubernetes.io/job-name": "w"}


def test_pods_that_were_read_replace_their_template():
    """And are known as its pods."""
    found = read(workload("StatefulSet", more="replicas: 3, "), owned_pod("w-7", owner("StatefulSet", "w")))

    assert [(pod.name, pod.workload) for pod in found.pods] == [("w-7", "StatefulSet/w")]
    assert [each.key for each in found.workloads] == ["StatefulSet/w"]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
@pytest.mark.parametrize("kind", ["CronJob", "Deployment"])
def test_pods_that_have_ended_replace_no_template(kind: str, phase: str):
    """Others follow them, and policies must be right for those."""
    ended = f"{owned_pod('p', owner(kind, 'w'))}status: {{phase: {phase}}}\n"

    assert {pod.name: (pod.workload, pod.terminal) for pod in read(workload(kind), ended).pods} == {
        "p": (f"{kind}/w", True),
        "w-0": (f"{kind}/w", False),
    }


@pytest.mark.parametrize("first", [True, False])
def test_owners_are_followed_to_the_topmost(first: bool):  # noqa: FBT001
    """In whatever order they were read."""
    texts = [
        workload("Deployment"),
        workload("ReplicaSet", "w-1a", owner=owner("Deployment", "w")),
        owned_pod("w-1a-x", owner("ReplicaSet", "w-1a")),
    ]
    found = read(*(texts if first else reversed(texts)))

    assert [(pod.name, pod.workload) for pod in found.pods] == [("w-1a-x", "Deployment/w")]
    assert [each.key for each in found.workloads] == ["Deployment/w"]


@pytest.mark.parametrize(("inner", "outer"), [("ReplicaSet", "Deployment"), ("Job", "CronJob")])
def test_what_a_workload_makes_is_no_workload_of_its_own(inner: str, outer: str):
    """Where the maker was read, too."""
    found = read(workload(outer), workload(inner, "w-1a", owner=owner(outer, "w")))

    assert [each.key for each in found.workloads] == [f"{outer}/w"]
    assert [pod.name for pod in found.pods] == ["w-0"]


def test_what_an_unread_workload_makes_is_a_workload():
    """It is all that is known."""
    found = read(workload("ReplicaSet", "w-1a", owner=owner("Rollout", "w")))

    assert [each.key for each in found.workloads] == ["ReplicaSet/w-1a"]


def test_a_deployment_is_known_by_the_hash_of_its_replica_set():
    """Pods are often read without the ReplicaSets between."""
    pod = owned_pod("w-1a-x", owner("ReplicaSet", "w-1a"), "{pod-template-hash: 1a}")

    assert [(each.name, each.workload) for each in read(workload("Deployment"), pod).pods] == [
        ("w-1a-x", "Deployment/w")
    ]


@pytest.mark.parametrize("labels", ["{}", "{pod-template-hash: 2b}", "{pod-template-hash: ''}"])
def test_another_hash_leads_to_no_deployment(labels: str):
    """A name alone proves nothing."""
    pod = owned_pod("w-1a-x", owner("ReplicaSet", "w-1a"), labels)

    assert names(workload("Deployment"), pod) == ["w-0", "w-1a-x"]


def test_the_controller_counts_among_several_owners():
    """Other owners only want to be told of the pod's end."""
    refs = f"{owner('Job', 'other')}, {owner('Job', 'w', ', controller: true')}"
    found = read(workload("Job"), workload("Job", "other"), owned_pod("p", refs))

    assert {pod.name: pod.workload for pod in found.pods} == {"p": "Job/w", "other-0": "Job/other"}


def test_an_owner_in_another_namespace_is_another():
    """Owners are of the same namespace."""
    pod = owned_pod("p", owner("Job", "w")).replace("namespace: x", "namespace: z")

    assert names(workload("Job"), pod) == ["w-0", "p"]


def test_owners_in_a_circle_come_to_an_end():
    """Nobody is the topmost; what is read says so."""
    texts = [
        workload("ReplicaSet", "a", owner=owner("ReplicaSet", "b")),
        workload("ReplicaSet", "b", owner=owner("ReplicaSet", "a")),
    ]

    assert names(*texts, owned_pod("p", owner("ReplicaSet", "a"))) == ["p"]


def test_two_workloads_of_one_name_have_pods_of_different_names():
    """The StatefulSet's pods truly have theirs."""
    assert names(workload("Deployment", more="replicas: 2, "), workload("StatefulSet")) == [
        "w-0",
        "w-1",
        "w-deployment-0",
    ]


def test_a_pod_that_was_read_keeps_its_name():
    """The template gives way."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: w-0, namespace: x}\n"

    assert names(workload("StatefulSet"), pod) == ["w-0", "w-statefulset-0"]


@given(order=st.permutations(range(6)))
def test_the_order_of_the_input_does_not_matter(order: list[int]):
    """The same pods under the same names."""
    texts = [
        workload("Deployment"),
        workload("DaemonSet"),
        workload("StatefulSet"),
        workload("ReplicaSet", "w-1a", owner=owner("Deployment", "w")),
        owned_pod("w-1a-x", owner("ReplicaSet", "w-1a")),
        owned_pod("w-0", owner("Rollout", "w")),
    ]
    found = read(*(texts[n] for n in order))

    assert [(pod.name, pod.workload) for pod in found.pods] == [
        ("w-0", ""),
        ("w-1", "DaemonSet/w"),
        ("w-1a-x", "Deployment/w"),
        ("w-daemonset-0", "DaemonSet/w"),
        ("w-statefulset-0", "StatefulSet/w"),
    ]


WORKLOAD_FIELDS = (
    "activeDeadlineSeconds: 1, backoffLimit: 1, backoffLimitPerIndex: 1, completionMode: Indexed, completions: 1, "
    "concurrencyPolicy: Allow, failedJobsHistoryLimit: 1, managedBy: a, manualSelector: true, maxFailedIndexes: 1, "
    "minReadySeconds: 1, parallelism: 1, paused: true, persistentVolumeClaimRetentionPolicy: {}, podFailurePolicy: {}, "
    "podManagementPolicy: Parallel, podReplacementPolicy: Failed, progressDeadlineSeconds: 1, revisionHistoryLimit: 1, "
    "schedule: a, selector: {}, serviceName: a, startingDeadlineSeconds: 1, strategy: {}, successPolicy: {}, "
    "successfulJobsHistoryLimit: 1, suspend: true, timeZone: a, ttlSecondsAfterFinished: 1, updateStrategy: {}, "
    "volumeClaimTemplates: [], "
)


def test_fields_that_decide_nothing_are_passed_over():
    """None of the API's own is taken for another."""
    assert names(workload("StatefulSet", more=WORKLOAD_FIELDS)) == ["w-0"]


@pytest.mark.parametrize(
    ("template", "field", "meant"),
    [
        ("{metadata: {lables: {app: w}}}", "spec.template.metadata.lables", "labels"),
        ("{metdata: {}}", "spec.template.metdata", "metadata"),
        ("{spec: {hostnetwork: true}}", "spec.template.spec.hostnetwork", "hostNetwork"),
    ],
)
def test_a_misspelled_field_of_a_template_is_an_error(template: str, field: str, meant: str):
    """Its pods would lack what was meant."""
    (error,) = reading(workload("Deployment", template=template), POLICY).errors

    assert (error.message, error.hint) == (
        f'strict decoding error: unknown field "{field}"',
        f'did you mean "{meant}"?',
    )


@pytest.mark.parametrize(
    ("kind", "field"),
    [("Deployment", "spec.template.labels"), ("CronJob", "spec.jobTemplate.spec.template.labels")],
)
def test_the_labels_of_a_template_are_labels(kind: str, field: str):
    """Or no pod of it would be taken; the server names them beside the template's metadata."""
    text = workload(kind, template="{metadata: {labels: {app: a b}}, spec: {containers: []}}")
    (error,) = reading(text, POLICY).errors

    assert (error.field, error.reason, error.origin.pointer[-11:]) == (field, "FieldValueInvalid", "/labels/app")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            workload("Deployment").replace("template:", "tmplate:"),
            ['strict decoding error: unknown field "spec.tmplate"', "spec.template: Required value"],
        ),
        (workload("Deployment", more="replcas: 2, "), ['strict decoding error: unknown field "spec.replcas"']),
        (workload("DaemonSet").partition("spec")[0], ["spec.template: Required value"]),
        (
            workload("CronJob").replace("jobTemplate", "template"),
            ["spec.jobTemplate.spec.template: Required value"],
        ),
    ],
)
def test_a_workload_needs_a_template(text: str, messages: list[str]):
    """Whatever stands in its place."""
    assert [error.message for error in reading(text, POLICY).errors] == messages


def test_replicas_that_are_no_number_are_an_error():
    """One is taken meanwhile."""
    found = reading(workload("Deployment", more="replicas: '2', "), POLICY)

    assert [error.message for error in found.errors] == ['spec.replicas: expected a whole number, found the string "2"']
    assert [pod.name for pod in found.snapshot.pods] == ["w-0"]


def foreign(kind: str, version: str, spec: str) -> str:
    """A manifest of somebody else's kind."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: w, namespace: x}}\nspec: {spec}\n"


TEMPLATE = "template: {metadata: {labels: {app: w}}, spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}}"


@pytest.mark.parametrize(
    ("kind", "version", "spec", "workload", "pods"),
    [
        ("Rollout", "argoproj.io/v1alpha1", f"{{{TEMPLATE}}}", "Rollout/w", ["w-0"]),
        ("CloneSet", "apps.kruise.io/v1alpha1", f"{{replicas: 3, {TEMPLATE}}}", "CloneSet/w", ["w-0", "w-1"]),
        ("DeploymentConfig", "apps.openshift.io/v1", f"{{test: false, {TEMPLATE}}}", "DeploymentConfig/w", ["w-0"]),
        ("Service", "serving.knative.dev/v1", f"{{{TEMPLATE}}}", "Service.serving.knative.dev/w", ["w-0"]),
        ("Odd", "example.com/v1", f"{{replicas: many, {TEMPLATE}}}", "Odd/w", ["w-0"]),
    ],
)
def test_whoever_holds_a_template_of_pods_makes_pods(
    kind: str, version: str, spec: str, workload: str, pods: list[str]
):
    """Whatever kind it is, and whatever else it holds."""
    found = read(foreign(kind, version, spec))

    assert [pod.name for pod in found.pods] == pods
    assert {pod.workload for pod in found.pods} == {workload}
    assert found.pods[0].labels == {"app": "w"}
    assert found.pods[0].ports == (ContainerPort("", Protocol.TCP, 80),)
    assert [each.key for each in found.workloads] == [workload]


def test_a_template_of_something_else_makes_no_pods():
    """It takes containers to be one; what is not known is then listed."""
    found = reading(foreign("Certificate", "cert-manager.io/v1", "{template: {spec: {}}}"), POLICY)

    assert found.snapshot.workloads == ()
    assert len(found.notes) == 1


def test_pods_of_a_rollout_are_known_by_the_hash_of_their_replica_set():
    """Like those of a Deployment, under a label of its own."""
    pod = owned_pod("w-1", owner("ReplicaSet", "w-abc"), "{rollouts-pod-template-hash: abc}")
    found = read(foreign("Rollout", "argoproj.io/v1alpha1", f"{{{TEMPLATE}}}"), pod)

    assert [(each.name, each.workload) for each in found.pods] == [("w-1", "Rollout/w")]


def test_a_daemon_set_of_node_local_dns_answers_on_every_node():
    """At the addresses of its template."""
    template = (
        "{metadata: {labels: {k8s-app: node-local-dns}}, "
        "spec: {hostNetwork: true, containers: [{name: c, args: [-localip, 169.254.20.10]}]}}"
    )
    found = read(workload("DaemonSet", template=template))

    assert {pod.binds for pod in found.pods} == {(read_address("169.254.20.10"),)}
