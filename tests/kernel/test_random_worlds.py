"""Random worlds in a real kernel."""

from __future__ import annotations

import pytest

from tests.kernel.fuzz import Run
from tests.kernel.isolation import isolated

pytestmark = pytest.mark.kernel
WORLDS = 30


@isolated
def test_every_probe_is_what_the_definition_says():
    """Engine, simulated programs and kernel agree with the definition on every connection tried."""
    seen = Run()

    seen.try_worlds(WORLDS, always_the_same=True)

    assert seen.worlds >= WORLDS
    assert seen.probes > 100 * WORLDS
