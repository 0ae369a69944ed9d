"""The wiring as ``ip`` is told it."""

from __future__ import annotations

from ringfence.algebra.addresses import Family
from ringfence.lab import wiring
from ringfence.lab.topology import lay_out
from tests.lab.small import pod_of, small

TOPOLOGY = lay_out(small())
NODES = {name: f"<{name}>" for name in TOPOLOGY.snapshot.nodes}
PODS = {str(pod): f"<{pod}>" for pod in TOPOLOGY.pods}


def test_a_pod_has_its_address_and_one_way_out():
    """A next hop that nobody owns, with a permanent neighbor entry: no packet waits for ARP."""
    lines = list(wiring.pod_lines(TOPOLOGY, pod_of(TOPOLOGY.snapshot, "db")))

    assert lines == [
        "link set lo up",
        "link set eth0 up",
        "addr add 10.244.0.1/32 dev eth0",
        f"neigh add 169.254.1.1 lladdr {wiring.NEAR} dev eth0 nud permanent",
        "route add 0.0.0.0/0 via 169.254.1.1 dev eth0 onlink",
    ]


def test_a_node_makes_the_links_to_its_own_pods():
    """Each with a route and a neighbor entry for the pod's address."""
    node = TOPOLOGY.snapshot.nodes["node-2"]
    (pod,) = [pod for pod in TOPOLOGY.pods if pod.node == "node-2"][:1]
    link = wiring.pod_links(TOPOLOGY)[str(pod)]

    lines = list(wiring.node_lines(TOPOLOGY, node, PODS))

    made = [line for line in lines if line.startswith("link add")]
    assert len(made) == sum(each.node == "node-2" for each in TOPOLOGY.pods)
    assert f"link add {link} address {wiring.NEAR} type veth peer name eth0 address {wiring.FAR} netns <{pod}>" in made
    assert any(line.startswith("route add 10.244.0.") and line.endswith(f"dev {link}") for line in lines)


def test_the_outside_routes_to_every_node_and_its_pods():
    """And owns the addresses of everybody outside."""
    lines = list(wiring.outside_lines(TOPOLOGY, NODES))

    for pod in TOPOLOGY.pods:
        link = wiring.node_link(TOPOLOGY, pod.node or "")
        (address,) = [f"10.244.0.{int(each) & 255}/32" for each in pod.addresses.values()]
        assert f"route add {address} via 169.254.1.1 dev {link} onlink" in lines
    assert "route add local 192.0.2.127/32 dev lo" in lines


def test_settings_are_those_of_the_families_in_use():
    """So a lab of IPv4 works where IPv6 is switched off."""
    four, both = wiring.settings([Family.IPV4], router=True), wiring.settings(Family, router=True)

    assert not any(name.startswith("ipv6") for name in four)
    assert both["ipv6/conf/all/forwarding"] == four["ipv4/ip_forward"] == "1"


def test_only_routers_forward():
    """A pod that forwards could be a way around its node."""
    assert "ipv4/ip_forward" not in wiring.settings(Family, router=False)


def test_ping_sockets_are_for_both_families():
    """One setting below ipv4 rules them both."""
    assert wiring.settings([Family.IPV6], router=False)["ipv4/ping_group_range"] == "0 0"
