"""What a lab says, for people and for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.attribution import Attributor
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.simulate import Packet
from ringfence.edges.nflog import Logged
from ringfence.edges.probe import Fate, Result
from ringfence.lab.drops import Drop
from ringfence.lab.ends import Ends
from ringfence.lab.journal import Missed
from ringfence.lab.judge import Judge
from ringfence.lab.probes import Trial
from ringfence.lab.telling import tell_drop, tell_missed
from ringfence.lab.topology import lay_out
from ringfence.lab.verification import Verification
from ringfence.lab.words import summarize, tell_verification
from ringfence.model.connection import Connection
from ringfence.semantics import judging
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from tests.dataplane.small import small_plan, small_snapshot
from tests.lab.small import pod_of, small, snapshot_of

if TYPE_CHECKING:
    from ringfence.lab.topology import Topology

PREFIX = "rf1 i 10.0.0.5 "
DROP = Drop(0.0, "n1", Logged(PREFIX, 2, b""))


def test_the_document_of_a_drop_says_where_its_reason_is_written():
    """A place has the keys that the answers of other commands give it: what does not apply is absent."""
    stranger, database = map(read_address, ("10.9.9.9", "10.0.0.5"))
    attributor = Attributor(judging.Judge.of(small_snapshot(), RINGFENCE), small_plan())
    found = attributor.attribute(PREFIX, Packet(stranger, database, 6, 40_000, 5432))
    assert found
    document = tell_drop(DROP, found).document
    (origin,), (nearest,) = document["origins"], document["nearest"]

    place = {"source": "small.yaml", "line": 29, "object": "NetworkPolicy/shop/db-from-web"}
    assert place.items() <= origin.items()
    assert origin.keys() == {"source", "line", "column", "pointer", "object", "rule", "rule_name"}
    assert (nearest["pointer"], nearest["rule"], nearest["rule_name"]) == ("/spec/ingress/0", 0, None)

    rendered = replace(found.half.origins[0], template="chart/templates/np.yaml")
    half = replace(found.half, origins=(rendered,))
    (origin,) = tell_drop(DROP, replace(found, half=half)).document["origins"]
    assert origin["template"] == "chart/templates/np.yaml"
    assert not origin.keys() & {"resource_version", "field_manager"}


def test_drops_that_nobody_can_tell_of_are_counted():
    """With the node that dropped them; the JSON has no reason then."""
    words = tell_missed(Missed(0.0, "n1", 7))

    assert words.text.endswith(
        "  n1  7 packets were dropped of which nothing is known: the kernel threw their log entries away\n"
    )
    assert words.document.keys() == {"time", "node", "missed"}
    assert words.document["missed"] == 7


def test_a_drop_that_nobody_can_explain_shows_what_was_logged():
    """Its document has time and node alone."""
    words = tell_drop(DROP, None)

    assert words.text.endswith(f"n1  no policy is known for the packet, logged as {PREFIX.strip()!r}\n")
    assert words.document.keys() == {"time", "node"}


TIED = "\n---\n".join(
    f"""
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: {name}}}
spec:
  tier: Admin
  priority: 5
  subject: {{namespaces: {{}}}}
  ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]
"""
    for name, action in (("one", "Accept"), ("two", "Deny"))
)
ALONE = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x}
spec: {containers: [{name: a}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: x}
spec: {podSelector: {}}
"""


def judge_of(topology: Topology) -> Judge:
    """Engine and programs of a lab that is not built."""
    engine = Engine(topology.snapshot, RINGFENCE)
    programs = {node: compile_program(plan_node(engine, node)) for node in topology.snapshot.nodes}
    return Judge(engine, programs, Ends(topology))


def test_a_verification_says_how_many_verdicts_are_undecided():
    """They have to be dropped, and a kernel that lets one pass is found out."""
    topology = lay_out(small(TIED))
    judge = judge_of(topology)
    web, db = (pod_of(topology.snapshot, name) for name in ("web-0", "db"))
    trial = Trial(Connection(web, db, Protocol.TCP, 5432))
    dropped, passed = (judge.compare(trial, Result(fate)) for fate in (Fate.DROPPED, Fate.REACHED))
    words = tell_verification(judge.ends, Verification((dropped, passed), 2, 0.0))
    missed = tell_verification(judge.ends, Verification((dropped,), 1, 0.0, missed=1))

    assert "2 connections, 2 undecided\n1 difference between engine, program and kernel\n" in words.text
    assert "shop/web-0 -> shop/db TCP/5432: engine undecided, program denied, kernel allowed" in words.text
    assert (words.document["undecided"], words.document["families"][0]["undecided"]) == (2, 2)
    assert (words.good, words.notes) == (False, ("2 connections took 0.0 s",))
    assert "threw" not in words.text
    assert "the kernel threw 1 log entry away, so what was dropped may count as lost\n" in missed.text
    assert (words.document["missed"], missed.document["missed"]) == (0, 1)


def test_one_of_a_kind_is_singular():
    """What a lab consists of, and what came out of one connection."""
    topology = lay_out(snapshot_of(ALONE), 1)

    assert "lab x: 1 pod on 1 node, 0 Services, 1 policy, " in summarize(topology, "x").text
