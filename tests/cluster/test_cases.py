"""Every policy of every case is one that the API server takes: no sentence is shown with what could not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.case import FOLDER
from tests.cluster.answers import Answer, of_server, written
from tests.cluster.kinds import DEFINED, NETWORK_POLICY

if TYPE_CHECKING:
    from typing import Any

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.kinds import Kind

pytestmark = pytest.mark.cluster

KINDS = {kind.name: kind for kind in (NETWORK_POLICY, *DEFINED)}


@pytest.mark.parametrize("definitions", ["experimental"], indirect=True)
def test_the_server_takes_the_policies_of_every_case(plane: ControlPlane, definitions: dict[Kind, dict[str, Any]]):
    """Peers of nodes and domain names and names of ports are of the experimental channel."""
    refused = []
    assert definitions

    with plane.client() as client:
        for path in sorted(FOLDER.glob("*.yaml")):
            for policy in yaml.safe_load_all(yaml.safe_load(path.read_text())["policies"]):
                policy["metadata"].pop("namespace", None)  # whichever it is, the server need not have it
                kind = KINDS[policy["kind"]]
                answer = of_server(client, kind, written(kind, policy))
                refused += [] if answer == Answer(accepted=True) else [(path.stem, answer)]

    assert refused == []
