"""What is open to the outside and towards it, against the definition on random worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from ringfence.algebra.addresses import family_of
from ringfence.algebra.traffic import point
from ringfence.analysis.exposure import expose
from ringfence.analysis.whom import CLIENT, Names
from ringfence.model.connection import Connection
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from ringfence.semantics.spec import verdict
from ringfence.semantics.verdict import Outcome
from tests.worlds import boundary_addresses, boundary_traffic, snapshots

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.model.snapshot import Snapshot

POINTS = [(protocol, port) for protocol, port in boundary_traffic() if port in {0, 53, 80, 81, 82}]


def outcomes(held: list[Row], asked: Connection) -> set[Outcome]:
    """What rows say of one connection."""
    at = point(asked.protocol, asked.port)
    return {row.line.outcome for row in held if at in row.line.traffic} or {Outcome.DENIED}


@given(snapshots())
def test_what_is_open_is_what_the_definition_allows(snapshot: Snapshot):
    """In both directions; a row without any ground is there because no policy decides."""
    names = Names(snapshot, "x")
    outside = names.find(CLIENT, "internet").addresses
    found = expose(Engine(snapshot), names, KUBERNETES)
    for address in (each for each in boundary_addresses(snapshot) if each in outside):
        family = family_of(address)
        for pod in (pod for pod in names.directory.pods if family in snapshot.families_of(pod)):
            for inward, rows in ((True, found.inward), (False, found.outward)):
                sides = ((row, row.line.clients, row.line.servers) for row in rows)
                held = [
                    row
                    for row, clients, servers in sides
                    if address in (clients if inward else servers).addresses
                    if pod in (servers if inward else clients).pods
                ]
                for protocol, port in POINTS:
                    ends = (address, pod) if inward else (pod, address)
                    asked = Connection(*ends, protocol, port, family)
                    judged = verdict(snapshot, asked)
                    assert outcomes(held, asked) == {judged.outcome}
                    half = judged.ingress if inward else judged.egress
                    for row in (row for row in held if point(protocol, port) in row.line.traffic):
                        grounds = row.ingress if inward else row.egress
                        assert grounds.unjudged or half.tier
                        assert {*half.origins} <= {each.origin for each in grounds.deciding}
