"""A cluster is listed whole, page by page, as far as whoever asks may see it."""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.edges.cluster import PAGE, read_cluster
from ringfence.edges.snapshots import load_snapshot, save_snapshot
from ringfence.errors import ClusterError, InputError
from ringfence.readers import read_listing
from ringfence.readers.kinds import READ
from ringfence.readers.listing import Missing
from ringfence.semantics.answer import Respondent
from ringfence.semantics.question import Question
from tests.api_server import BUILT_IN, ApiServer, plural, serving, status
from tests.edges.clusters import access
from tests.live import CLUSTER, HTTP, Object, an_object, container, owner, placeless, read_file, template

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.readers import Reading
    from ringfence.readers.listing import Listing


def a_pod(number: int, namespace: str = "x") -> Object:
    """A pod with an address."""
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    spec = {"containers": [container("main", {"containerPort": 80, "protocol": "TCP"})], "nodeName": "n1"}
    return an_object("v1", "Pod", f"p{number}", namespace, spec=spec, status={"phase": "Running", "podIP": address})


TIERS = {"policy.networking.k8s.io/v1alpha2": ("ClusterNetworkPolicy",)}
PODS = [a_pod(number) for number in range(3)]


def listed(server: ApiServer, folder: Path, namespace: str = "") -> Listing:
    """What is read of a server."""
    with serving(server):
        return read_cluster(access(folder, server.url), namespace)


def read(server: ApiServer, folder: Path, namespace: str = "") -> Reading:
    """The same, as a snapshot."""
    return read_listing(listed(server, folder, namespace))


@pytest.mark.parametrize("options", [{}, {"compressed": True}, {"aggregated": False}])
def test_a_cluster_read_from_its_server_is_the_one_read_from_files(tmp_path: Path, options: dict[str, Any]):
    """Compressed or not, newer or older."""
    objects = [*PODS, *CLUSTER]
    reading = read(ApiServer(objects, served=TIERS, **options), tmp_path)

    assert placeless(reading.snapshot) == placeless(read_file(objects).snapshot)
    assert (reading.errors, reading.notes, reading.namespace) == ((), (), "x")


def test_every_kind_that_is_read_is_listed(tmp_path: Path):
    """None is forgotten, however many there are; Secrets and ConfigMaps are never asked for."""
    versions = sorted(set(READ.values()) - {"v1"})
    served = {version: tuple(kind for kind, own in READ.items() if own == version) for version in versions}
    server = ApiServer(served=served)
    listed(server, tmp_path)
    asked = {path.partition("?")[0].rpartition("/")[2] for path, _ in server.requests}

    assert len(asked) == len(READ)  # but for Endpoints, and with discovery
    assert "endpoints" not in asked
    assert not asked & {"secrets", "configmaps"}


WATCHED = """
import sys, threading
from pathlib import Path
from ringfence.edges.cluster import read_cluster
from ringfence.errors import ClusterError
from ringfence.readers.kinds import READ
from tests.api_server import ApiServer, serving, status
from tests.edges.clusters import access
from tests.edges.test_cluster import CLUSTER, PODS

built = []
def watch(frame, event, _):
    if "msgspec" in frame.f_code.co_filename:
        built.append(frame.f_code.co_name)
versions = {version: [kind for kind in READ if READ[kind] == version] for version in READ.values()}
server = ApiServer([*PODS, *CLUSTER], served=versions)
with serving(server):
    wanted = access(Path(sys.argv[1]), server.url)
    threading.setprofile(watch)
    print(len(read_cluster(wanted).groups) > 1)
    server.answers["/api/v1/pods"] = lambda _: status(500, "broken")
    try:
        read_cluster(wanted)
    except ClusterError as error:
        print(error.message.endswith("broken"))
print(built)
"""


def test_threads_find_every_decoder_built(tmp_path: Path):
    """Two threads that build what msgspec must know of one type crash the interpreter."""
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", WATCHED, str(tmp_path)], capture_output=True, check=True, text=True, timeout=60
    )

    assert done.stdout.splitlines() == ["True", "True", "[]"]


def test_long_lists_come_in_pages(tmp_path: Path):
    """The next page is asked for with the token of the one before."""
    server = ApiServer([a_pod(number) for number in range(2 * PAGE + 1)])
    (group,) = listed(server, tmp_path).groups

    assert len(group.records) == 2 * PAGE + 1
    assert [path for path, _ in server.requests if "/pods" in path] == [
        "/api/v1/pods?limit=500",
        "/api/v1/pods?limit=500&continue=500",
        "/api/v1/pods?limit=500&continue=1000",
    ]


def test_a_list_that_expired_is_begun_again(tmp_path: Path):
    """Nothing of what came before counts twice."""
    server = ApiServer([a_pod(number) for number in range(PAGE + 1)])
    expired = iter([status(410, "the continue token has expired")])
    whole = server.listed

    def answer(query: dict[str, str]) -> tuple[int, bytes]:
        return (next(expired, None) if "continue" in query else None) or whole("/api/v1/pods", query)

    server.answers["/api/v1/pods"] = answer
    (group,) = listed(server, tmp_path).groups

    assert len(group.records) == PAGE + 1
    assert len([path for path, _ in server.requests if "/pods" in path]) == 4


def test_a_list_that_always_expires_is_asked_for_in_one_piece(tmp_path: Path):
    """A server that cannot keep up with its own pages has to give everything at once."""
    server = ApiServer([a_pod(number) for number in range(PAGE + 1)])
    whole = server.listed

    def answer(query: dict[str, str]) -> tuple[int, bytes]:
        return status(410, "expired") if "continue" in query else whole("/api/v1/pods", query)

    server.answers["/api/v1/pods"] = answer
    (group,) = listed(server, tmp_path).groups

    assert len(group.records) == PAGE + 1
    assert [path for path, _ in server.requests if "/pods" in path][-1] == "/api/v1/pods"


def test_what_may_not_be_listed_makes_the_answer_partial(tmp_path: Path):
    """The rest is read."""
    server = ApiServer([*PODS, *CLUSTER], forbidden={"/api/v1/nodes", "/api/v1/services"})
    reading = read(server, tmp_path)

    assert reading.partial
    assert [str(error) for error in reading.errors] == [
        "cluster:prod: nodes and services cannot be listed (forbidden), so answers lack what they decide"
    ]
    assert len(reading.snapshot.pods) > 3
    assert not reading.snapshot.nodes


def test_who_may_list_nothing_gets_no_answer(tmp_path: Path):
    """An empty map would say that everything is denied; what one namespace shows is an answer."""
    starts = {version: f"/apis/{version}" if "/" in version else f"/api/{version}" for version in BUILT_IN}
    lists = {f"{starts[version]}/{plural(kind)}" for version, kinds in BUILT_IN.items() for kind in kinds}
    server = ApiServer([*PODS, *CLUSTER], forbidden=lists)
    with pytest.raises(ClusterError) as refused:
        listed(server, tmp_path)

    assert refused.value.message == f"cluster:prod at {server.url} lets {tmp_path}/config: user u list nothing"
    assert refused.value.hint.startswith("ask for the verb list, name with -n a namespace")
    assert len(read(server, tmp_path, "x").snapshot.pods) > 2


def test_kinds_of_one_plural_are_told_apart(tmp_path: Path):
    """By their groups, as ``kubectl`` names them; the core has none."""
    served = {"crd.projectcalico.org/v1": ("NetworkPolicy",)}
    paths = {f"/apis/{version}/networkpolicies" for version in ("networking.k8s.io/v1", *served)}
    server = ApiServer([*PODS, *CLUSTER], served=served, forbidden=paths)

    assert [each.resource for each in listed(server, tmp_path).header.missing] == [
        "networkpolicies.networking.k8s.io",
        "networkpolicies.crd.projectcalico.org",
    ]


def test_a_namespace_is_listed_where_the_cluster_may_not_be(tmp_path: Path):
    """Its user sees what there is, and hears that it is not all."""
    server = ApiServer([*PODS, a_pod(7, "y"), *CLUSTER], forbidden={"/api/v1/pods", "/api/v1/nodes"})
    partly = read(server, tmp_path, "x")

    assert {pod.namespace for pod in partly.snapshot.pods if pod.name.startswith("p")} == {"x"}
    assert [str(error) for error in partly.errors] == [
        "cluster:prod: nodes cannot be listed (forbidden), so answers lack what they decide",
        "cluster:prod: pods cannot be listed but in namespace x (forbidden), so answers lack what they decide",
    ]
    assert "Pod" not in {group.kind for group in listed(server, tmp_path).groups}
    server.forbidden.add("/api/v1/namespaces/x/pods")
    assert str(read(server, tmp_path, "x").errors[0]).startswith("cluster:prod: nodes and pods cannot be listed (")


def test_what_every_cluster_serves_is_missed(tmp_path: Path):
    """A server that lacks it is odd, and its answers are not whole."""
    server = ApiServer(PODS, answers={"/apis/apps/v1/deployments": lambda _: status(404, "not found")})

    assert [str(error) for error in read(server, tmp_path).errors] == [
        "cluster:prod: deployments.apps cannot be listed (not served), so answers lack what they decide"
    ]


def test_policies_of_kinds_that_are_not_read_are_loud(tmp_path: Path):
    """As those in files are: the answer may be too open or too closed."""
    served = {
        "projectcalico.org/v3": ("NetworkPolicy",),
        "crd.projectcalico.org/v1": ("NetworkPolicy",),
        "example.com/v1": ("Widget",),
    }
    theirs = [an_object(version, "NetworkPolicy", "calico", "x", spec={}) for version in list(served)[:2]]
    server = ApiServer([*PODS, *CLUSTER, *theirs, an_object("example.com/v1", "Widget", "w", "x")], served=served)
    reading = read(server, tmp_path)

    assert reading.partial
    assert len(reading.errors) == 1
    assert str(reading.errors[0]) == (
        "NetworkPolicy/x/calico in cluster:prod: "
        "1 NetworkPolicy of projectcalico.org is not understood: answers may be too open or too closed"
    )
    accepted = [dict(headers)["Accept"] for path, headers in server.requests if "projectcalico" in path]
    assert accepted == ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"]
    assert not [path for path, _ in server.requests if "widgets" in path]
    assert not read(ApiServer([*PODS, *CLUSTER], served=served), tmp_path).partial


def test_the_policies_of_a_cluster_cannot_be_taken_out_of_it(tmp_path: Path):
    """What helps is another than for files."""
    served = {"cilium.io/v2": ("CiliumNetworkPolicy",)}
    theirs = an_object("cilium.io/v2", "CiliumNetworkPolicy", "c", "x", spec={})

    assert read(ApiServer([*PODS, theirs], served), tmp_path).errors[0].hint == "ask the plugin that enforces them"
    assert read_file([*PODS, theirs]).errors[-1].hint.startswith("take them out of the input to answer without them")


@pytest.mark.parametrize(
    ("name", "namespace", "message", "hint"),
    [
        ("svc:y/web", "", "services could not be listed in namespace y", "services in namespace y, and give -n y"),
        ("x/p0", "", "pods could not be listed in namespace x", "pods in namespace x, and give -n x"),
        ("y/lone", "x", "pods could not be listed in namespace y", "pods in namespace y, and give -n y"),
        ("node:n1", "", "nodes could not be listed", "nodes"),
    ],
)
def test_a_name_that_may_be_somebodys_who_was_not_listed(
    tmp_path: Path, name: str, namespace: str, message: str, hint: str
):
    """The permission is named that would tell; nothing is said to be absent."""
    hidden = {f"/api/v1/{each}" for each in ("nodes", "pods", "services")}
    reading = read(ApiServer([*CLUSTER, *PODS], forbidden=hidden), tmp_path, namespace)
    with pytest.raises(InputError) as refused:
        Respondent(reading.snapshot).answer(Question.of(name, "10.0.0.1", 80))

    assert refused.value.message == f"client: {name} is not known, for {message}"
    assert refused.value.hint == f"ask for the verb list on {hint}"


def test_what_was_listed_in_a_namespace_is_all_of_it(tmp_path: Path):
    """What is not there is a fact."""
    reading = read(ApiServer([*CLUSTER, *PODS], forbidden={"/api/v1/services"}), tmp_path, "x")
    with pytest.raises(InputError, match="client: there is no Service x/wep"):
        Respondent(reading.snapshot).answer(Question.of("svc:x/wep", "10.0.0.1", 80))


def test_another_version_of_a_policy_that_is_read_is_loud(tmp_path: Path):
    """A server that serves a version that is not read has policies that are not read."""
    version = "policy.networking.k8s.io/v1alpha3"
    newer = an_object(version, "ClusterNetworkPolicy", "admin", spec={})
    served = {version: ("ClusterNetworkPolicy",)}
    reading = read(ApiServer([*PODS, newer], served=served), tmp_path)

    assert [str(error) for error in reading.errors] == [
        f'ClusterNetworkPolicy/admin in cluster:prod: ClusterNetworkPolicy of apiVersion "{version}" is not read'
    ]


def test_of_several_versions_one_is_listed(tmp_path: Path):
    """One that is read, whichever the server prefers."""
    group = "gateway.networking.k8s.io"
    served = {f"{group}/{version}": ("HTTPRoute", "GRPCRoute") for version in ("v1beta1", "v1")}
    server = ApiServer([*PODS, *CLUSTER], served={**served, f"{group}/v1alpha3": ("TLSRoute",)})
    listed(server, tmp_path)

    assert sorted(path for path, _ in server.requests if group in path) == [
        f"/apis/{group}/v1/grpcroutes?limit=500",
        f"/apis/{group}/v1/httproutes?limit=500",
        f"/apis/{group}/v1alpha3/tlsroutes?limit=500",
    ]


def test_who_may_not_discover_lists_what_is_read(tmp_path: Path):
    """There may be policies of other kinds: the answer is partial, and a snapshot keeps why."""
    listing = listed(ApiServer([*PODS, *CLUSTER], forbidden={"/apis"}), tmp_path)
    reading = read_listing(listing)

    assert [(str(error), error.hint) for error in reading.errors] == [
        (
            "cluster:prod: /apis cannot be discovered (forbidden), so answers lack policies of kinds known there",
            "ask for the verb get on the path /apis",
        )
    ]
    assert len(reading.snapshot.policies) == 1
    save_snapshot(tmp_path / "kept", listing)
    assert load_snapshot(tmp_path / "kept").header.missing == (Missing("/apis", "", "forbidden"),)


def test_without_discovery_it_is_not_known_that_there_are_no_policies(tmp_path: Path):
    """Nothing was listed, and nothing could be found: the one is told, and the other not made of it."""
    reading = read(ApiServer(PODS, forbidden={"/apis"}), tmp_path)

    assert reading.partial
    assert reading.notes == ()


def test_extensions_that_tell_nothing_make_the_answer_partial(tmp_path: Path):
    """One line for each reason."""
    served = {"projectcalico.org/v3": ("NetworkPolicy",), "cilium.io/v2": ("CiliumNetworkPolicy",)}
    down = {"/apis/projectcalico.org/v3": lambda _: status(503, "no endpoints")}
    server = ApiServer([*PODS, *CLUSTER], served, forbidden={"/apis/cilium.io/v2"}, answers=down, aggregated=False)

    lack = "so answers lack policies of kinds known there"
    assert [(str(error), error.hint) for error in read(server, tmp_path).errors] == [
        (
            f"cluster:prod: /apis/projectcalico.org/v3 cannot be discovered (not served), {lack}",
            "look with kubectl get apiservices for the extension that is down",
        ),
        (
            f"cluster:prod: /apis/cilium.io/v2 cannot be discovered (forbidden), {lack}",
            "ask for the verb get on the path /apis/cilium.io/v2",
        ),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "pods: "),
        (b"{}", "pods: "),
        (b'{"kind": "PodList"', "pods: "),
        (b'{"kind": "Pod", "metadata": {}}', "pods: expected a list, found Pod"),
        (b'{"kind": "PodList", "metadata": {}, "items": [{}]}', "pods: "),
        (b'{"kind": "PodList", "metadata": {}, "items": [{"metadata": {"labels": 1}, "spec": {}}]}', "pods: "),
        (b"\xff\xfe", "pods: "),
        (b'{"kind": "PodList", "metadata": {"continue": "same"}, "items": []}', "pods: the list has no end"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, body: bytes, words: str):
    """Whatever answers is no API server, or a broken one."""
    server = ApiServer(answers={"/api/v1/pods": lambda _: (200, body)})
    with pytest.raises(ClusterError) as refused:
        listed(server, tmp_path)

    assert f"does not answer as an API server: {words}" in refused.value.message


def test_workloads_of_custom_controllers_are_found_by_what_they_own(tmp_path: Path):
    """A rollout owns the ReplicaSet that owns the pods; what holds no template is no workload."""
    version = "argoproj.io/v1alpha1"
    owners = [{**owner("Rollout", "shop"), "apiVersion": version}, {**owner("Chart", "shop"), "apiVersion": version}]
    labels = {"app": "shop", "rollouts-pod-template-hash": "abc"}
    spec = {"replicas": 1, "template": template(labels, container("main", HTTP))}
    rollout = an_object(version, "Rollout", "shop", "x", spec={**spec, "strategy": {"canary": {}}})
    replica_set = an_object("apps/v1", "ReplicaSet", "shop-abc", "x", labels=labels, owners=owners, spec=spec)
    odd = [
        an_object(version, "Chart", "shop", "x", spec={"template": "a text"}),
        an_object(version, "Chart", "other", "x", spec={"template": {"spec": {"containers": 1}}}),
        an_object(version, "Widget", "w", "x", spec=spec),
    ]
    pod = a_pod(1)
    pod["metadata"]["ownerReferences"] = [owner("ReplicaSet", "shop-abc")]
    objects = [pod, rollout, replica_set, *odd]
    server = ApiServer([*objects, *CLUSTER], served={version: ("Rollout", "Chart", "Widget"), **TIERS})
    reading = read(server, tmp_path)

    assert {each.workload for each in reading.snapshot.pods if each.name == "p1"} == {"Rollout/shop"}
    assert placeless(reading.snapshot) == placeless(read_file([pod, rollout, replica_set, *CLUSTER]).snapshot)
    assert (reading.errors, reading.notes) == ((), ())
    assert not [path for path, _ in server.requests if "widgets" in path]
    forbidden = ApiServer(server.objects, server.served, forbidden={"/apis/argoproj.io/v1alpha1/rollouts"})
    assert not read(forbidden, tmp_path).partial


def test_lists_are_read_at_once(tmp_path: Path):
    """Two that wait for each other are both answered."""
    together = threading.Barrier(2)
    server = ApiServer([*PODS, *CLUSTER], served=TIERS)

    def answer(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        together.wait(20)
        return server.listed(path, query)

    for path in ("/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies", "/apis/batch/v1/cronjobs"):
        server.answers[path] = partial(answer, path)

    assert not read(server, tmp_path).partial


def test_a_server_that_fails_fails_the_answer(tmp_path: Path):
    """Half a cluster would be a wrong one."""
    server = ApiServer(answers={"/api/v1/pods": lambda _: status(500, "etcd is down")})
    with pytest.raises(ClusterError, match="/api/v1/pods: 500 Internal Server Error: etcd is down"):
        listed(server, tmp_path)


def test_the_header_says_which_cluster_was_read(tmp_path: Path):
    """And when, by which version."""
    header = listed(ApiServer(copy.deepcopy(PODS)), tmp_path).header

    assert (header.context, header.namespace, header.missing) == ("prod", "x", ())
    assert len(header.time) == len("2026-01-02T03:04:05Z")
