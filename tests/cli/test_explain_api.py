"""The command that explains fields and open points."""

from __future__ import annotations

import pytest

from ringfence.cli.explain_api import explain_api
from ringfence.errors import InputError


def test_a_name_that_there_is_not_is_refused_with_the_nearest():
    """So that a typing error costs one more try alone."""
    with pytest.raises(InputError) as caught:
        explain_api.main(["cnp.spec.teir"], standalone_mode=False)

    assert str(caught.value) == "cnp.spec.teir is no field of a policy, and no open point"
    assert caught.value.hint == "try clusternetworkpolicy.spec.tier"
