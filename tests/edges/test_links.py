"""``ip`` in a real kernel: links between networks, settings, and what it refuses."""

from __future__ import annotations

import socket

import pytest

from ringfence.edges import links
from ringfence.edges.netns import Network
from ringfence.errors import WorldError
from tests.kernel.isolation import isolated

pytestmark = pytest.mark.kernel


def interfaces(network: Network) -> set[str]:
    """The interfaces of a network."""
    with network.entered():
        return {name for _, name in socket.if_nameindex()}


@isolated
def test_a_link_joins_two_networks_and_comes_up():
    """The far end is made where the line says."""
    near, far = Network.create(), Network.create()
    line = f"link add link0 type veth peer name eth0 netns {links.reference(far)}"

    links.configure([(near, [line, "link set link0 up"])], [far])
    links.configure([(far, ["link set eth0 up"])])
    links.wait_until_up([(near, "link0"), (far, "eth0")])

    assert (interfaces(near), interfaces(far)) == ({"lo", "link0"}, {"lo", "eth0"})


@isolated
def test_a_refused_line_is_named():
    """Not only that something failed, but which line, and why."""
    with pytest.raises(WorldError, match=r"ip refused 'link set nosuch up': .*nosuch"):
        links.configure([(Network.create(), ["link set lo up", "link set nosuch up", "link set lo down"])])


@isolated
def test_a_setting_holds_in_its_own_network_alone():
    """Forwarding in one network is none in the next."""
    one, other = Network.create(), Network.create()

    links.set_sysctls(one, {"ipv4/ip_forward": "1"})

    values = []
    for network in (one, other):
        with network.entered(), open("/proc/sys/net/ipv4/ip_forward") as stream:  # noqa: PTH123 - of this network
            values.append(stream.read().strip())
    assert values == ["1", "0"]


@isolated
def test_a_setting_that_the_kernel_lacks_is_named():
    """The message has sysctl's name for it."""
    with pytest.raises(WorldError, match=r"net\.ipv4\.no_such_setting"):
        links.set_sysctls(Network.create(), {"ipv4/no_such_setting": "1"})
