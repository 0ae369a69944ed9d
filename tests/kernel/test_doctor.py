"""The command that looks at a node, as a user runs it."""

from __future__ import annotations

import json
import os

import pytest

from ringfence.edges import links, nft
from ringfence.edges.netns import Network
from ringfence.report.schemas import schemas
from tests.kernel.command import user
from tests.kernel.isolation import isolated
from tests.schemas import fits

pytestmark = pytest.mark.kernel
TABLE = "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority 0; policy drop;\n\t}\n}\n"


@isolated
def test_a_node_is_examined_for_people_and_for_programs():
    """What takes more is a note; what lets packets past is a fault and ends with 1."""
    network = Network.current()
    nft.apply(network, TABLE)
    with user(ordinary=False) as somebody:
        told = somebody.run("doctor", "--node")
        links.configure([(network, ["link add v0 type veth peer name v1", "link add mv0 link v0 type macvlan"])])
        lines = somebody.run("doctor", "--node")
        document = somebody.run("doctor", "--node", "-o", "json")

    assert (told.code, lines.code, document.code) == (0, 1, 1), told
    assert told.out.startswith(
        "note  ip filter FORWARD may drop after us (forward 0): what policies allow may be denied"
    )
    assert lines.out.startswith("fault  there are links of the kind macvlan: mv0: ")
    assert lines.out.endswith(": 1 fault, 2 notes\n")
    found = json.loads(document.out)
    assert [each["topic"] for each in found["findings"]] == ["link", "table", "held"]
    assert found["kernel"] == os.uname().release
    assert fits(found, json.loads(schemas()["node.json"]))


def test_who_may_not_ask_is_told_so():
    """Nothing is guessed."""
    with user(ordinary=True) as somebody:
        done = somebody.run("doctor", "--node")

    assert (done.code, done.out) == (3, "")
    assert done.err.endswith("hint: run as root, or with CAP_NET_ADMIN\n")
