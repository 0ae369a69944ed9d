"""What a lab says, for people and for programs."""

from __future__ import annotations

from dataclasses import replace

from ringfence.algebra.addresses import read_address
from ringfence.dataplane.attribution import attribute
from ringfence.dataplane.simulate import Packet
from ringfence.edges.nflog import Logged
from ringfence.lab.drops import Drop
from ringfence.lab.words import tell_drop
from tests.dataplane.small import small_plan, small_snapshot

PREFIX = "rf1 i 10.0.0.5 "
DROP = Drop(0.0, "n1", Logged(PREFIX, 2, b""))


def test_the_document_of_a_drop_says_where_its_reason_is_written():
    """A place has the keys that the answers of other commands give it: what does not apply is absent."""
    stranger, database = map(read_address, ("10.9.9.9", "10.0.0.5"))
    found = attribute(small_snapshot(), small_plan(), PREFIX, Packet(stranger, database, 6, 40_000, 5432))
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


def test_a_drop_that_nobody_can_explain_shows_what_was_logged():
    """Its document has time and node alone."""
    words = tell_drop(DROP, None)

    assert words.text.endswith(f"n1  no policy is known for the packet, logged as {PREFIX.strip()!r}\n")
    assert words.document.keys() == {"time", "node"}
