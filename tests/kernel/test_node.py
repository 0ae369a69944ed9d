"""The rules a node starts with, and taking all of them away, as a user does it."""

from __future__ import annotations

import pytest

from ringfence.dataplane.names import TABLE
from ringfence.edges import nft
from ringfence.edges.netns import Network
from ringfence.errors import NftablesError
from tests.kernel.command import user
from tests.kernel.isolation import isolated

pytestmark = pytest.mark.kernel


@isolated
def test_boot_rules_are_loaded_once_and_taken_away_whole():
    """Where rules are there already, nft refuses those of the start and leaves them; those of a bridge go as well."""
    network = Network.current()
    with user(ordinary=False) as somebody:
        rules = somebody.run("node", "boot", "--links", "cali")
        nft.apply(network, rules.out)
        loaded = nft.list_ruleset(network)
        with pytest.raises(NftablesError, match="File exists"):
            nft.apply(network, rules.out)
        assert nft.list_ruleset(network) == loaded
        nft.apply(network, f"table bridge {TABLE} {{\n}}\n")
        told = [somebody.run("node", "uninstall") for _ in range(2)]

    assert rules.code == 0
    assert f"table inet {TABLE}" in loaded
    assert 'iifname "cali*" goto from_pod' in loaded
    assert [(each.code, each.out) for each in told] == [
        (0, f"inet {TABLE} is gone\nbridge {TABLE} is gone\n"),
        (0, "no table of ringfence is here\n"),
    ]
    assert nft.list_ruleset(network) == ""


def test_who_may_not_take_rules_away_is_told_so():
    """And what a link cannot be called is refused before nft sees it."""
    with user(ordinary=True) as somebody:
        refused = somebody.run("node", "uninstall")
        wrong = [somebody.run("node", "boot", "--links", name) for name in ("cali*", 'a"b', "", "a" * 15)]

    assert (refused.code, refused.out) == (3, "")
    assert refused.err.endswith(
        "hint: run as root, or with CAP_NET_ADMIN; a table that a process owns is for that process alone\n"
    )
    assert [(each.code, each.out) for each in wrong] == [(2, "")] * 4
    assert wrong[0].err.startswith("ringfence: error: --links cali*: no link has a name that begins so\n")
