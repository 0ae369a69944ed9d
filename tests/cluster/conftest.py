"""A control plane for all tests that need one; none without Go, and then they say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.build import NoGoError, programs
from tests.cluster.control_plane import ControlPlane, control_plane
from tests.cluster.definitions import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.cluster.kinds import Kind


@pytest.fixture(scope="session")
def cluster_programs() -> Path:
    """Return the folder of the programs of a cluster."""
    try:
        return programs()
    except NoGoError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def plane(cluster_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Run a control plane as long as the tests last."""
    with control_plane(cluster_programs, tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def definitions(plane: ControlPlane, request: pytest.FixtureRequest) -> dict[Kind, dict[str, Any]]:
    """Put the definitions of the channel that the test asks for into the server."""
    with plane.client() as client:
        return install(client, request.param)
