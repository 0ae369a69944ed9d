"""Real packets between three networks: what arrives, what is dropped, what nobody sees."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.algebra.traffic import Protocol
from ringfence.edges import links, nft
from ringfence.edges.netns import Network
from ringfence.edges.nflog import NflogReader
from ringfence.edges.probe import Fate, Probe, Prober, Result
from tests.kernel.isolation import isolated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.edges.nflog import Logged

pytestmark = pytest.mark.kernel
GROUP = 7
CLIENT4, SERVER4, CLIENT6, SERVER6 = (read_address(text) for text in ("10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"))
WAYS = [
    Probe(client, server, protocol, 0 if protocol is Protocol.ICMP else 80)
    for client, server in ((CLIENT4, SERVER4), (CLIENT6, SERVER6))
    for protocol in Protocol
]
NEAR, FAR = "02:00:00:00:00:01", "02:00:00:00:00:02"


@dataclass
class Drops:
    """The drop log of the router."""

    reader: NflogReader

    def filenos(self) -> Sequence[int]:
        """The one descriptor."""
        return [self.reader.fileno()]

    def read(self) -> Iterable[Logged]:
        """Whatever has been logged."""
        return self.reader.read()


@dataclass
class Wire:
    """Client and server with a router between them, and who sends."""

    client: Network
    server: Network
    router: Network
    prober: Prober

    def send(self, *probes: Probe) -> list[Result]:
        """Send probes."""
        return list(self.prober.run(probes))

    def rules(self, *lines: str) -> None:
        """Make the router forward by these rules."""
        body = "".join(f"\t\t{line}\n" for line in lines)
        head = "type filter hook forward priority 0; policy accept;"
        nft.apply(self.router, f"table inet t {{\n\tchain c {{\n\t\t{head}\n{body}\t}}\n}}\n")


def wire() -> Wire:
    """Three networks in a row."""
    client, server, router = (Network.create() for _ in range(3))
    for network in (client, server, router):
        forwards = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"} if network is router else {}
        links.set_sysctls(network, {"ipv4/ping_group_range": "0 0", **forwards})
    hosts = {"link0": (client, ("10.0.0.1", "fd00::1")), "link1": (server, ("10.0.0.2", "fd00::2"))}
    lines = []
    for name, (network, addresses) in hosts.items():
        far = links.reference(network)
        lines += [f"link add {name} address {NEAR} type veth peer name eth0 address {FAR} netns {far}"]
        lines += [f"link set {name} up"]
        lines += [f"route add {each} dev {name}" for each in addresses]
        lines += [f"neigh add {each} lladdr {FAR} dev {name} nud permanent" for each in addresses]
    links.configure([(router, lines)], [client, server])
    for network, (four, six) in hosts.values():
        gateways = [f"neigh add {each} lladdr {NEAR} dev eth0 nud permanent" for each in ("169.254.1.1", "fe80::1")]
        routes = ["route add 0.0.0.0/0 via 169.254.1.1 dev eth0 onlink", "route add ::/0 via fe80::1 dev eth0 onlink"]
        addresses = [f"addr add {four}/32 dev eth0", f"addr add {six}/128 dev eth0 nodad"]
        links.configure([(network, ["link set lo up", "link set eth0 up", *addresses, *gateways, *routes])])
    links.wait_until_up([(client, "eth0"), (server, "eth0"), (router, "link0"), (router, "link1")])
    owners = {CLIENT4: client, CLIENT6: client, SERVER4: server, SERVER6: server}
    return Wire(client, server, router, Prober(owners, Drops(NflogReader(router, GROUP))))


@isolated
def test_what_nobody_stops_arrives_and_is_answered():
    """Every protocol in both families; the kernel itself answers echo requests."""
    results = wire().send(*WAYS)

    assert [each.fate for each in results] == [Fate.REACHED] * len(WAYS)
    arrived = [None if probe.protocol is Protocol.ICMP else probe.destination for probe in WAYS]
    assert [each.arrived for each in results] == arrived


@isolated
def test_what_is_logged_and_dropped_is_dropped():
    """The result carries the packet and the prefix of the rule."""
    net = wire()
    net.rules(f'log prefix "mine " group {GROUP} snaplen 128', "drop")

    results = net.send(*WAYS)

    assert [each.fate for each in results] == [Fate.DROPPED] * len(WAYS)
    assert {each.logged.prefix for each in results if each.logged} == {"mine "}


@isolated
def test_what_is_dropped_and_not_logged_is_lost_never_denied():
    """Silence proves nothing: the packet may have been lost on its way."""
    net = wire()
    net.rules("drop")

    assert [each.fate for each in net.send(*WAYS)] == [Fate.LOST] * len(WAYS)


@isolated
def test_what_is_logged_and_arrives_all_the_same_is_reached():
    """A rule that logs and does not drop is no denial."""
    net = wire()
    net.rules(f'log prefix "only " group {GROUP} snaplen 128')

    results = net.send(*WAYS)

    assert [each.fate for each in results] == [Fate.REACHED] * len(WAYS)
    assert all(each.logged for each in results)


@isolated
def test_an_answer_that_is_dropped_is_no_success():
    """The nonce arrived, but nothing that came back was seen."""
    net = wire()
    net.rules(f'ct direction reply log prefix "back " group {GROUP} snaplen 128', "ct direction reply drop")
    udp = [probe for probe in WAYS if probe.protocol in (Protocol.UDP, Protocol.SCTP)]

    results = net.send(*udp)

    assert [each.fate for each in results] == [Fate.UNANSWERED] * len(udp)
    assert {each.logged.prefix for each in results if each.logged} == {"back "}


@isolated
def test_a_rule_that_rejects_is_a_drop_though_it_answers():
    """A reset or an ICMP error from a firewall is told from one of the server by the log."""
    net = wire()
    net.rules(f'log prefix "no " group {GROUP} snaplen 128', "meta l4proto tcp reject with tcp reset", "reject")

    assert [each.fate for each in net.send(*WAYS)] == [Fate.DROPPED] * len(WAYS)


@isolated
def test_a_program_of_somebody_else_on_the_port_counts_as_reached():
    """Its answer is one; the nonce stays with it."""
    net = wire()
    with net.server.entered():
        theirs = socket.create_server(("10.0.0.2", 80))

    (result,) = net.send(Probe(CLIENT4, SERVER4, Protocol.TCP, 80))

    assert (result.fate, result.arrived) == (Fate.REACHED, None)
    theirs.close()


@isolated
def test_a_closed_port_that_refuses_is_reached():
    """The reset came from the server, so the packet was there."""
    net = wire()
    somebody = read_address("10.0.0.9")
    there = ["route add 10.0.0.9 dev link1", f"neigh add 10.0.0.9 lladdr {FAR} dev link1 nud permanent"]
    links.configure([(net.server, ["addr add 10.0.0.9/32 dev lo"]), (net.router, there)])

    results = net.send(*(Probe(CLIENT4, somebody, protocol, 80) for protocol in (Protocol.TCP, Protocol.UDP)))

    assert [each.fate for each in results] == [Fate.REACHED, Fate.REACHED]


@isolated
def test_the_result_says_where_a_translated_packet_arrived():
    """A Service's address belongs to nobody; the listener knows who it is."""
    net = wire()
    net.prober.listen(SERVER4, Protocol.TCP, 8080)
    rule = "ip daddr 10.96.0.1 tcp dport 80 dnat ip to 10.0.0.2:8080"
    head = "type nat hook prerouting priority dstnat;"
    nft.apply(net.router, f"table inet n {{\n\tchain p {{\n\t\t{head}\n\t\t{rule}\n\t}}\n}}\n")

    (result,) = net.send(Probe(CLIENT4, read_address("10.96.0.1"), Protocol.TCP, 80))

    assert result == Result(Fate.REACHED, SERVER4)


@isolated
def test_results_come_in_the_order_of_the_probes():
    """Thousands are in the air in turn; each gets its own result."""
    net = wire()
    net.rules(f'th dport 1001-2000 log prefix "x " group {GROUP} snaplen 128', "th dport 1001-2000 drop")
    probes = [Probe(CLIENT4, SERVER4, Protocol.UDP, port) for port in (*range(1, 2500), *range(500, 1500))]

    fates = [each.fate for each in net.send(*probes)]

    assert fates == [Fate.DROPPED if 1001 <= probe.port <= 2000 else Fate.REACHED for probe in probes]


@isolated
def test_listeners_that_were_opened_for_probes_are_closed_again():
    """The one that was asked to stand is still there afterwards."""
    net = wire()
    net.prober.listen(SERVER4, Protocol.TCP, 8080)

    net.send(Probe(CLIENT4, SERVER4, Protocol.TCP, 80), Probe(CLIENT4, SERVER4, Protocol.TCP, 8080))

    assert accepts(net, 8080)
    assert not accepts(net, 80)


@isolated
def test_a_listener_echoes_what_people_send_it():
    """Who tries a port by hand sees something come back."""
    net = wire()
    net.prober.listen(SERVER4, Protocol.TCP, 8080)
    with net.client.entered():
        connection = socket.create_connection(("10.0.0.2", 8080))

    connection.sendall(b"hello, is anybody there?")
    net.prober.serve(1.0)

    assert connection.recv(100) == b"hello, is anybody there?"
    connection.close()


def accepts(net: Wire, port: int) -> bool:
    """Whether a connection to a port of the server opens."""
    with net.client.entered(), socket.socket() as sock:
        return sock.connect_ex(("10.0.0.2", port)) == 0
