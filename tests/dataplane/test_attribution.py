"""Attribution: a log prefix and a packet lead to the pod, the policy and the rule."""

from __future__ import annotations

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import Protocol
from ringfence.dataplane.attribution import Attributor, connection_of
from ringfence.dataplane.expressions import CtDirection
from ringfence.dataplane.simulate import Packet
from ringfence.model.policy import Direction
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.judging import Judge
from tests.dataplane.small import small_plan, small_snapshot

DB, WEB, STRANGER = map(read_address, ("10.0.0.5", "10.0.0.9", "10.9.9.9"))
SNAPSHOT = small_snapshot()
ATTRIBUTOR = Attributor(Judge.of(SNAPSHOT, RINGFENCE), small_plan())


def test_a_dropped_packet_names_pod_policy_and_nearest_rule():
    """One line says what was denied, where, why, and where that is written."""
    found = ATTRIBUTOR.attribute("rf1 i 10.0.0.5 ", Packet(STRANGER, DB, 6, 40_000, 5432))

    assert found
    assert (str(found.pod), found.half.direction, found.local_class.name) == ("shop/db", Direction.INGRESS, "10.0.0.5")
    assert [origin.object for origin in found.half.origins] == ["NetworkPolicy/shop/db-from-web"]
    assert [origin.pointer for origin in found.half.nearest] == ["/spec/ingress/0"]
    assert str(found) == (
        "10.9.9.9 -> shop/db TCP/5432: denied at ingress of shop/db: "
        "isolated by shop/db-from-web and no rule matched (small.yaml:29); nearest small.yaml:36"
    )


def test_a_reply_is_attributed_to_the_connection_it_answers():
    """The class's pod is at the destination of a reply, so client and server change places."""
    found = ATTRIBUTOR.attribute("rf1 e 10.0.0.9 ", Packet(STRANGER, WEB, 6, 80, 40_000))

    assert found
    assert str(found) == (
        "shop/web -> 10.9.9.9 TCP/80: denied at egress of shop/web: "
        "isolated by shop/web-out and no rule matched (small.yaml:41); nearest small.yaml:48, small.yaml:49"
    )


def test_a_drop_that_the_definition_would_allow_is_an_alarm():
    """The kernel then holds another program than this plan's."""
    found = ATTRIBUTOR.attribute("rf1 i 10.0.0.5 ", Packet(WEB, DB, 6, 40_000, 5432))

    assert found
    assert not found.agrees
    assert "dropped at ingress of shop/db although allowed: accepted by shop/db-from-web rule 0" in str(found)


@pytest.mark.parametrize(
    ("prefix", "packet"),
    [
        ("DROP ", Packet(STRANGER, DB, 6)),
        ("rf1 i 10.0.0.77 ", Packet(STRANGER, DB, 6)),
        ("rf1 e 10.0.0.5 ", Packet(STRANGER, DB, 6)),
        ("rf1 i 10.0.0.5 ", Packet(STRANGER, WEB, 6)),
    ],
)
def test_what_the_plan_does_not_know_is_not_attributed(prefix: str, packet: Packet):
    """Another's log, another plan's class, or a packet that none of the class's pods has part in."""
    assert ATTRIBUTOR.attribute(prefix, packet) is None


def test_a_protocol_without_ports_has_no_port():
    """Where a port would stand is not one."""
    connection = connection_of(SNAPSHOT, Packet(STRANGER, DB, 47, 80, 80), CtDirection.ORIGINAL)

    assert (connection.protocol, connection.port) == (Protocol.ICMP, 0)


def test_a_pod_that_meets_itself_came_through_a_service():
    """Only then does the network see such a packet, and only then do policies judge it."""
    assert connection_of(SNAPSHOT, Packet(DB, DB, 6, 1, 1), CtDirection.ORIGINAL).via is not None
    assert connection_of(SNAPSHOT, Packet(WEB, DB, 6, 1, 1), CtDirection.ORIGINAL).via is None


def test_a_protocol_that_policies_do_not_name_is_told_by_its_number():
    """Whoever looks for a tunnel is not told of a ping."""
    tunnel = ATTRIBUTOR.attribute("rf1 i 10.0.0.5 ", Packet(STRANGER, DB, 47))
    ping = ATTRIBUTOR.attribute("rf1 i 10.0.0.5 ", Packet(STRANGER, DB, 1))

    assert tunnel
    assert ping
    assert (tunnel.protocol, ping.protocol) == ("protocol 47", "ICMP")
    assert "protocol 47: denied at ingress" in str(tunnel)


def test_what_was_told_is_told_again_of_the_same_kind_alone():
    """Another port, protocol, peer or way is another kind; another port of the client is none."""
    prefix = "rf1 i 10.0.0.5 "
    first = ATTRIBUTOR.attribute(prefix, Packet(STRANGER, DB, 6, 40_000, 5432))
    others = [
        Packet(STRANGER, DB, 6, 40_000, 5433),
        Packet(STRANGER, DB, 17, 40_000, 5432),
        Packet(STRANGER + 1, DB, 6, 40_000, 5432),  # type: ignore[arg-type]
        Packet(DB, STRANGER, 6, 5433, 40_000),
    ]

    assert first is ATTRIBUTOR.attribute(prefix, Packet(STRANGER, DB, 6, 40_001, 5432))
    assert first is ATTRIBUTOR.attribute(prefix, Packet(DB, STRANGER, 6, 5432, 40_000))
    assert first not in [ATTRIBUTOR.attribute(prefix, each) for each in others]
