"""``nft`` in a real kernel: all or nothing, in its own words."""

from __future__ import annotations

import pytest

from ringfence.edges import nft
from ringfence.edges.netns import Network
from ringfence.errors import NftablesError
from tests.kernel.isolation import isolated

pytestmark = pytest.mark.kernel
TABLE = "table inet t {\n\tset s {\n\t\ttype ipv4_addr\n\t}\n}\n"


@isolated
def test_a_transaction_changes_its_own_network_alone():
    """What is applied inside is listed inside, and nowhere else."""
    network = Network.create()

    nft.apply(network, TABLE)

    assert "table inet t" in nft.list_ruleset(network)
    assert nft.list_ruleset(Network.current()) == ""


@isolated
def test_a_transaction_that_is_refused_changes_nothing():
    """The error carries nft's own words and the transaction."""
    network = Network.create()
    text = TABLE + "add element inet nowhere s { 10.0.0.1 }\n"

    with pytest.raises(NftablesError, match="No such file or directory") as caught:
        nft.apply(network, text)

    assert caught.value.transaction == text
    assert nft.list_ruleset(network) == ""


@isolated
def test_a_check_changes_nothing():
    """It only asks whether the transaction would be applied."""
    network = Network.create()

    nft.check(network, TABLE)
    with pytest.raises(NftablesError):
        nft.check(network, "nonsense\n")

    assert nft.list_ruleset(network) == ""
