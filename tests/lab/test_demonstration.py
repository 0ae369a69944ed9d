"""What a demonstration shows: who reached whom, and the refusal that most looks like a mistake."""

from __future__ import annotations

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import Protocol
from ringfence.edges.probe import Fate, Result
from ringfence.lab.demonstration import matrix, worth_explaining
from ringfence.lab.judge import Comparison
from ringfence.lab.topology import lay_out
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from tests.lab.small import pod_of, small

HALF_OPEN = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {}}], ports: [{port: 8125, protocol: UDP}]}]
"""
SNAPSHOT = lay_out(small(HALF_OPEN)).snapshot
WEB, OTHER_WEB, DB, AGENT = (pod_of(SNAPSHOT, name) for name in ("web-0", "web-1", "db", "agent"))
OUTSIDER, NODE = read_address("192.0.2.0"), read_address("172.18.0.2")


def tried(client: object, server: object, port: int, fate: Fate, protocol: Protocol = Protocol.TCP) -> Comparison:
    """A connection and what the kernel did with it."""
    connection = Connection(client, server, protocol, port)  # type: ignore[arg-type]
    return Comparison(connection, "", engine=True, program=True, result=Result(fate))


def test_a_cell_says_whether_all_some_or_nothing_arrived():
    """Replicas of one workload share a row and a column; nodes have none."""
    text = matrix(
        SNAPSHOT,
        [
            tried(WEB, DB, 1, Fate.REACHED),
            tried(OTHER_WEB, DB, 2, Fate.DROPPED),
            tried(DB, WEB, 1, Fate.DROPPED),
            tried(WEB, OTHER_WEB, 1, Fate.REACHED),
            tried(OUTSIDER, DB, 1, Fate.LOST),
            tried(NODE, DB, 1, Fate.REACHED),
        ],
    )

    assert text.splitlines()[:4] == [
        "              1  2  3",
        "  1 shop/db      .",
        "  2 shop/web  +  *",
        "  3 outside   .",
    ]


def test_what_a_rule_allows_at_one_end_alone_is_explained():
    """Not the first refusal, nor one to a port that nobody declares."""
    mistake = tried(WEB, DB, 8125, Fate.DROPPED, Protocol.UDP)
    found = worth_explaining(
        SNAPSHOT,
        [
            tried(OUTSIDER, DB, 5432, Fate.DROPPED),
            tried(AGENT, DB, 5432, Fate.DROPPED),
            tried(WEB, DB, 9, Fate.DROPPED),
            mistake,
            tried(WEB, DB, 5432, Fate.REACHED),
        ],
    )

    assert found == mistake


def test_without_a_refusal_there_is_nothing_to_explain():
    """Everybody may go everywhere."""
    assert isinstance(WEB, Pod)
    assert worth_explaining(SNAPSHOT, [tried(WEB, DB, 1, Fate.REACHED)]) is None
