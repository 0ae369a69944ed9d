"""Peers that several classes name: one set for all of them, and the same verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.algebra.addresses import EVERY, Family
from ringfence.algebra.intervals import EMPTY
from ringfence.algebra.traffic import ALL
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta
from ringfence.dataplane.expressions import Lookup
from ringfence.dataplane.plan import LocalClass, plan_node
from ringfence.dataplane.proof import prove
from ringfence.dataplane.recall import Recall
from ringfence.dataplane.shared import Written, share
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from tests.dataplane.small import pod, small_snapshot
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from ringfence.dataplane.nft import Program, Set
    from ringfence.model.snapshot import Snapshot

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}
spec: {{nodeName: {node}, containers: [{{name: main}}]}}
status: {{podIP: {address}}}
"""
NODES = """\
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: {name}}}}}
  ingress: [{{from: [{{podSelector: {{}}}}], ports: [{ports}]}}]
"""


def open_to_all(clients: int = 6, **ports: str) -> str:
    """A node with a pod for each word, open to all pods at these ports, and clients elsewhere."""
    parts = [NODES]
    for number, (name, its_ports) in enumerate(ports.items()):
        parts += [POD.format(name=name, node="n1", address=f"10.0.0.{4 * number + 1}")]
        parts += [POLICY.format(name=name, ports=its_ports)]
    parts += [POD.format(name=f"peer-{n}", node="n2", address=f"10.0.1.{2 * n + 1}") for n in range(clients)]
    return "---\n".join(parts)


def compiled(manifests: str, large: int = 4) -> Program:
    """The program of the node, in which so many peers are worth a set."""
    return compile_program(plan_node(Engine(small_snapshot(manifests=manifests)), "n1"), large=large)


def shared(program: Program) -> list[Set]:
    """The sets that classes share."""
    return [each for each in program.sets if each.name.startswith("peers")]


WEB_AND_DB = open_to_all(web="{port: 80}, {port: 443}", db="{port: 5432}")


def test_peers_that_several_classes_name_are_kept_once():
    """Each looks for the port first, in a set of its own; who may do anything anyhow may be in it, as the node."""
    program = compiled(WEB_AND_DB)
    (peers,) = shared(program)

    assert list(peers.texts()) == ["10.0.0.1", "10.0.0.5", *(f"10.0.1.{n}" for n in (1, 3, 5, 7, 9, 11)), "192.168.0.1"]
    for server, ports in (("10.0.0.1", ["6 . 80", "6 . 443"]), ("10.0.0.5", ["6 . 5432"])):
        rule = next(rule for rule in program.chain_by_name[f"i_{server}"].rules if "peers" in str(rule))
        looked_up = [each.set_name for each in rule.expressions if isinstance(each, Lookup)]
        assert looked_up[1] == peers.name
        assert list(program.set_by_name[looked_up[0]].texts()) == ports
    assert not any(len(each.elements) > 2 for each in program.sets if each.name.startswith("i_"))


def test_few_peers_are_written_for_each_class():
    """A set of its own is worth its look-up from so many peers on."""
    assert shared(compiled(WEB_AND_DB, large=9)) == []


def test_one_more_peer_is_one_element():
    """However many classes name it."""
    before, after = (
        compiled(WEB_AND_DB),
        compiled(WEB_AND_DB + "---\n" + POD.format(name="new", node="n2", address="10.0.2.9")),
    )
    (change,) = delta(before, after).transactions()

    assert change == f"add element inet ringfence {shared(before)[0].name} {{ 10.0.2.9 }}\n"


def test_a_set_for_others_or_for_something_else_has_another_name():
    """Who looks it up by old rules must not find in it what it says to others by now."""
    others = (
        open_to_all(web="{port: 80}, {port: 443}", db="{port: 5432}", api="{port: 80}"),
        open_to_all(web="{port: 80}", db="{port: 5432}"),
    )
    found = [shared(compiled(each))[0].name for each in (WEB_AND_DB, *others)]

    assert len(set(found)) == 3


def test_everything_from_all_peers_needs_no_ports():
    """A rule without ports is one look-up, also in a set that is shared with ports."""
    program = compiled(open_to_all(web="", db="{port: 5432}").replace(", ports: []", ""))
    (peers,) = shared(program)

    assert f"ip saddr @{peers.name} goto allow" in map(str, program.chain_by_name["i_10.0.0.1"].rules)


def test_a_class_looks_up_three_shared_sets_at_most():
    """What a packet costs is bounded, whatever policies say; other peers are written for each class."""
    manifests = open_to_all(web="1000", db="2000")
    for base in (1000, 2000):
        rules = ", ".join(
            f"{{from: [{{podSelector: {{matchExpressions: [{{key: app, operator: NotIn, values: [peer-{number}]}}]}}}}]"
            f", ports: [{{port: {base + number}}}]}}"
            for number in range(5)
        )
        manifests = manifests.replace(f"[{{from: [{{podSelector: {{}}}}], ports: [{base}]}}]", f"[{rules}]")
    program = compiled(manifests)

    assert len(shared(program)) == 3
    rules_of_web = program.chain_by_name["i_10.0.0.1"].rules
    assert sum("@peers" in str(rule) for rule in rules_of_web) == 3


def test_what_pods_send_to_themselves_shares_nothing():
    """Each has one peer, itself, which is the one address that no other class must mean."""
    snapshot = small_snapshot()
    alone = [
        LocalClass(Direction.EGRESS, Family.IPV4, (pod(snapshot, name),), ((EVERY[Family.IPV4], EMPTY),), hairpin=True)
        for name in ("db", "web")
    ]
    denied = [Written(each, ((EVERY[Family.IPV4], ALL),), accepts=False) for each in alone]

    assert share(denied, 1, Recall()) == [[], []]


@settings(max_examples=25)
@given(snapshots(Limits(pods=6, addressed=True)), st.integers(1, 3))
def test_shared_or_not_the_verdicts_are_the_same(snapshot: Snapshot, large: int):
    """Whatever is shared, the program lets through what the engine allows, and nothing else."""
    engine = Engine(snapshot, RINGFENCE)
    for node in snapshot.nodes:
        proof = prove(compile_program(plan_node(engine, node), large=large), engine, node)
        assert (proof.differences, proof.unprovable) == ((), ())
