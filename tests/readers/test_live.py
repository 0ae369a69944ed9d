"""Objects of a live cluster mean what the same objects mean in files."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.traffic import Protocol, ports
from ringfence.model.policy import BlockPeer
from ringfence.readers import read_listing
from ringfence.readers.assembly import Assembly
from ringfence.readers.core import host_addresses, read_pod
from ringfence.readers.listing import LivePod, Missing
from ringfence.readers.live import as_manifest, read_live_pod
from ringfence.readers.workloads import OwnedPod, read_owners
from ringfence.semantics.engine import Engine
from tests.live import CLUSTER, Object, an_object, container, listing, placeless, pods, read_file, read_live

POD = an_object(
    "v1",
    "Pod",
    "a",
    "x",
    labels={"app": "a"},
    spec={"containers": [container("main", {"containerPort": 80, "protocol": "TCP"})], "nodeName": "n1"},
    status={"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
)


@given(pods())
def test_a_cluster_read_live_is_the_one_read_from_files(found: list[Object]):
    """But for origins: whoever asks the cluster and whoever saved its objects get one answer."""
    live, file = read_live([*CLUSTER, *found]), read_file([*CLUSTER, *found])

    assert placeless(live.snapshot) == placeless(file.snapshot)
    assert [error.message.split(" at ")[0] for error in live.errors] == [
        error.message.split(" at ")[0] for error in file.errors
    ]


@given(pods())
def test_a_pod_built_at_once_is_the_one_that_the_reader_of_manifests_builds(found: list[Object]):
    """The short way and the long way are one, origins included."""
    (group,) = listing(found).groups
    for record in group.records:
        assert isinstance(record, LivePod)
        manifest = as_manifest(record, "cluster:prod")
        Assembly("default", []).add(manifest)  # which names it

        short = read_live_pod(record, "cluster:prod", {}, {})
        long = OwnedPod(read_pod(manifest), read_owners(manifest), host_addresses(manifest))
        assert short == (None if record.is_cache else long)


POD_AND_CLUSTER = [each for each in (POD, *CLUSTER) if all(each.values())]
JUNK = st.sampled_from(
    [None, True, -1, 0, 1, 70_000, 1.5, "", "x", "10.0.0.0/8", [], [None], [1], {}, {"a": 1}, {"": {}}]
)


@st.composite
def broken(draw: st.DrawFn) -> Object:
    """An object of a cluster of which one part is something else."""
    found = copy.deepcopy(draw(st.sampled_from(POD_AND_CLUSTER)))
    part: Any = found[draw(st.sampled_from([name for name in found if isinstance(found[name], dict | list)]))]
    while True:
        step = draw(st.sampled_from([*part] if isinstance(part, dict) else range(len(part))))
        if not part[step] or not isinstance(part[step], dict | list) or draw(st.booleans()):
            part[step] = draw(JUNK)
            return found
        part = part[step]


@given(broken())
@settings(max_examples=500)
def test_whatever_a_server_lists_is_read_or_refused(found: Object):
    """Never a traceback; what is read is what the same object is in a file, or an error."""
    try:
        reading = read_live([found])
    except msgspec.DecodeError:
        return
    engine = Engine(reading.snapshot)
    assert len(engine.classes) <= len(reading.snapshot.pods)


def test_every_origin_names_its_object_its_version_and_its_writer():
    """There is no line to point at."""
    snapshot = read_live([POD, *CLUSTER]).snapshot
    policy = next(each for each in snapshot.policies if each.kind == "NetworkPolicy")

    assert str(policy.origin) == "NetworkPolicy/x/web in cluster:prod"
    for origin in (policy.origin, policy.ingress[0].origin, snapshot.pods[0].origin, snapshot.namespaces["x"].origin):
        assert origin
        assert (origin.line, origin.column) == (0, 0)
        assert (origin.source, origin.resource_version) == ("cluster:prod", "4711")
        assert origin.field_manager == "kubectl-client-side-apply"
    assert policy.ingress[0].origin.pointer == "/spec/ingress/0"
    assert policy.ingress[0].origin.rule == 0


def test_pods_that_declare_the_same_ports_share_them():
    """A thousand replicas are held as one."""
    other = copy.deepcopy(POD)
    other["metadata"]["name"], other["status"] = "b", {"phase": "Running"}
    first, second = read_live([POD, other]).snapshot.pods

    assert first.ports is second.ports


def test_what_no_server_lists_is_said_and_not_built():
    """An address that is none, or a protocol, is an error of that pod."""
    broken = copy.deepcopy(POD)
    broken["status"]["podIPs"] = [{"ip": "nowhere"}]
    broken["spec"]["containers"][0]["ports"][0]["protocol"] = "tcp"
    reading = read_live([broken, *CLUSTER])

    assert [error.origin.object for error in reading.errors] == ["Pod/x/a", "Pod/x/a"]
    assert str(reading.errors[0]).startswith("Pod/x/a in cluster:prod: ")


def test_what_a_server_stores_is_taken_as_it_is():
    """A release before the server's took it, and then the server would, too: nothing is in error."""
    block = {"cidr": "10.1.2.3/8", "except": ["010.1.0.0/16"]}
    spec = {
        "podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b b"]}]},
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": block}], "ports": [{"port": 80, "endPort": 90, "protocol": "TCP"}]}],
    }
    reading = read_live([POD, an_object("networking.k8s.io/v1", "NetworkPolicy", "old", "x", spec=spec)])
    (rule,) = reading.snapshot.policies[0].egress

    assert reading.errors == ()
    assert [peer.addresses for peer in rule.peers if isinstance(peer, BlockPeer)] == [
        read_cidr("10.0.0.0/8") - read_cidr("10.1.0.0/16")
    ]
    assert rule.traffic == ports(Protocol.TCP, 80, 90)


def test_what_could_not_be_listed_makes_the_reading_partial():
    """One line for each reason, with everything that is missing."""
    missing = (
        Missing("nodes", "", "forbidden"),
        Missing("services", "", "forbidden"),
        Missing("pods", "x", "forbidden"),
    )
    reading = read_listing(listing([POD], missing))

    assert reading.partial
    assert [str(error) for error in reading.errors] == [
        "cluster:prod: nodes and services cannot be listed (forbidden), so answers lack what they decide",
        "cluster:prod: pods cannot be listed but in namespace x (forbidden), so answers lack what they decide",
    ]
    assert reading.notes == ()


def test_who_may_not_list_pods_is_told_the_way_out():
    """Without pods nobody has a name; in a namespace of one's own they can often be listed."""
    everywhere, alone = (read_listing(listing([], (Missing("pods", where, "forbidden"),))) for where in ("", "x"))

    hint = "ask for the verb list on pods in all namespaces"
    assert everywhere.errors[0].hint == f"{hint}, or name with -n a namespace where you have it"
    assert alone.errors[0].hint == hint


def test_a_cluster_without_policies_is_a_fact():
    """It was asked, so there is nothing to suspect: a note, and the answer is whole."""
    reading = read_live([POD])

    assert not reading.partial
    assert reading.notes == ("cluster:prod has no policies",)
    assert read_live([]).notes == ("cluster:prod has no pods", "cluster:prod has no policies")
    assert read_file([POD]).partial
