"""Time the data plane: loading, changing, and what a packet costs; ``python -m bench.dataplane`` prints it alone.

Everything happens in network namespaces: a client and a server, both pods of one node, and
the node that forwards between them. What a packet costs is told as a multiple of what it
costs there with a forward chain that is empty but for a look at conntrack, in the same
run. Established connections are judged packet by packet, as if none were remembered.
Both pods are isolated, so each packet is judged twice; policies and peers are those of
each pod, and the policy that allows the packet is the last one.

Beside it the same policies as one chain each, which the chain of a pod jumps to in turn:
so plugins lay them out that write a chain for each policy.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.figures import Figure, cpu_seconds, table
from bench.wire import Wire
from ringfence.algebra.addresses import Address, Family, read_address, render_address
from ringfence.algebra.intervals import Intervals
from ringfence.dataplane.attribution import Attributor
from ringfence.dataplane.commands import AddElements, DeleteElements
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import replacement
from ringfence.dataplane.expressions import CtState, Equals, Field, Goto, Jump, Lookup, Rule, Within, Word
from ringfence.dataplane.handling import Handling, Mode
from ringfence.dataplane.names import LOG_GROUP
from ringfence.dataplane.netlink.dump import read_dump
from ringfence.dataplane.nft import Chain, Datatype, Hook, Program, Set
from ringfence.dataplane.plan import Wiring, local_pods, plan_node
from ringfence.dataplane.proof import prove
from ringfence.dataplane.simulate import Packet
from ringfence.edges.netns import Network, fork_isolated
from ringfence.edges.nflog import NflogReader
from ringfence.edges.nftables import Nftables
from ringfence.edges.packets import UDP, read_five_tuple
from ringfence.readers import Source, read
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from ringfence.semantics.judging import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.dataplane.plan import NodePlan
    from ringfence.model.snapshot import Snapshot

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
PORT, CLOSED = 8080, 8081
LINKS = {"shop/local-0": "p0", "shop/local-1": "p1"}
"""How client and server hang on the node."""

KEY = (Datatype.IPV4_ADDR, Datatype.INET_PROTO, Datatype.INET_SERVICE)
CONNECTING = "TCP connect, request, close"
LOADED, CHANGED, CHANGES = 100_000, 50_000, 2_000
EVENTS, BURST = 100_000, 1_000
KINDS, MANY_KINDS = 50, 50_000
"""Ports that a client tries in turn; with many of them no answer can be remembered."""
RUNS = 60
GOALS = {"UDP flood": "<= 1.25", CONNECTING: "<= 1.2"}


@dataclass(frozen=True)
class Load:
    """What a node has to enforce.

    Attributes:
        pods: Local pods.
        policies: Policies of the client, and as many of the server.
        peers: Pods elsewhere that these allow.
    """

    pods: int
    policies: int
    peers: int

    def __str__(self) -> str:
        """Return its sizes, for people."""
        return f"{self.pods} local pods, {self.policies:,} policies, {self.peers:,} peers"


LOADS = (
    Load(10, 1, 100),
    Load(10, 100, 1_000),
    Load(110, 100, 10_000),
    Load(110, 10_000, 10_000),
    Load(110, 10_000, 50_000),
)
IN_CHAINS = (Load(10, 1, 100), Load(10, 100, 1_000), Load(110, 1_000, 1_000))


def cluster(load: Load) -> Iterator[dict[str, Any]]:
    """Yield a node with its pods, and pods elsewhere that come in as many groups as there are policies."""
    yield _of("v1", "Node", {"name": "n1"}, status={"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]})
    yield _of("v1", "Node", {"name": "n2"}, status={"addresses": [{"type": "InternalIP", "address": "192.168.0.2"}]})
    for number in range(load.pods):
        labels = {"app": ("client", "server")[number]} if number < 2 else {"app": f"app-{number % 25}"}
        yield _pod(f"local-{number}", "n1", f"10.0.0.{number + 1}", labels | {"peer": f"{load.policies - 1}"})
    for number in range(load.peers):
        yield _pod(f"peer-{number}", "n2", render_address(_peer(number)), {"peer": f"{number % load.policies}"})
    ports = [{"protocol": protocol, "port": PORT} for protocol in ("TCP", "UDP")]
    for number in range(load.policies):
        peer = {"podSelector": {"matchLabels": {"peer": f"{number}"}}}
        for app, kind, rules, side in (("client", "Egress", "egress", "to"), ("server", "Ingress", "ingress", "from")):
            spec = {
                "podSelector": {"matchLabels": {"app": app}},
                "policyTypes": [kind],
                rules: [{side: [peer], "ports": ports}],
            }
            yield _of(
                "networking.k8s.io/v1", "NetworkPolicy", {"name": f"{app}-{number}", "namespace": "shop"}, spec=spec
            )
    for number in range(2, min(load.pods, 27)):
        spec = {"podSelector": {"matchLabels": {"app": f"app-{number % 25}"}}, "ingress": [{"ports": ports}]}
        yield _of("networking.k8s.io/v1", "NetworkPolicy", {"name": f"app-{number}", "namespace": "shop"}, spec=spec)


def _peer(number: int) -> Address:
    """Return the address of a pod elsewhere; no two are neighbors."""
    return Address((10 << 24) + (1 << 16) + 2 * number)


def _of(version: str, kind: str, metadata: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def _pod(name: str, node: str, address: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "labels": labels}
    spec = {"nodeName": node, "containers": [{"name": "main"}]}
    return _of("v1", "Pod", metadata, spec=spec, status={"podIP": address, "phase": "Running"})


def snapshot_of(load: Load) -> Snapshot:
    """Return the cluster, read as any other."""
    items = "\n".join(json.dumps(each) for each in cluster(load))
    reading = read([Source("cluster.json", [items.encode()])])
    if reading.errors:
        raise RuntimeError(reading.errors[0])
    return reading.snapshot


def program_of(plan: NodePlan) -> Program:
    """Return the program of a plan, in which no connection is remembered."""
    return compile_program(plan, Handling(Mode.ALWAYS))


BASELINE = Program(
    "baseline",
    (),
    (),
    (Chain("forward", (Rule((Equals(Field.CT_STATE, CtState.INVALID), Word.DROP)),), Hook.FORWARD),),
)
"""The node without policies: conntrack, and one rule that asks it."""


def in_chains(load: Load) -> Program:
    """Return the same policies as a chain each, with a set of peers, which a pod's chain jumps to in turn."""
    sets, chains = [], []
    for field, pod in ((Field.IP_DADDR, "e"), (Field.IP_SADDR, "i")):
        jumps = []
        for number in range(load.policies):
            members = [number + offset for offset in range(0, load.peers - number, load.policies)]
            addresses = sorted(
                [_peer(each) for each in members]
                + [read_address(each) for each in (CLIENT, SERVER) if number == load.policies - 1]
            )
            sets.append(Set(f"{pod}s{number}", (Datatype.IPV4_ADDR,), tuple(((a, a),) for a in addresses)))
            match = (Lookup((field,), f"{pod}s{number}"), Within(Field.DPORT, Intervals.point(PORT)))
            found = Goto("i") if pod == "e" else Word.ACCEPT
            chains.append(Chain(f"{pod}p{number}", (Rule((*match, found)),)))
            jumps.append(Rule((Jump(f"{pod}p{number}"),)))
        chains.append(Chain(pod, (*jumps, Rule((Word.DROP,)))))
    replies = Rule((Within(Field.SPORT, Intervals.point(PORT)), Word.ACCEPT))
    chains.append(Chain("forward", (replies, Rule((Goto("e"),))), Hook.FORWARD))
    return Program("chains", tuple(sets), (), tuple(chains))


def figures() -> Iterator[Figure]:
    """Measure everything in a world of its own."""
    reading, writing = os.pipe()

    def main() -> int:
        os.close(reading)
        with os.fdopen(writing, "w") as stream:
            json.dump([asdict(figure) for figure in (*_programming(), *_proof(), *_packets())], stream)
        return 0

    keeper = fork_isolated(main, refused=print, waited_for=True)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    os.waitpid(keeper, 0)
    yield from (Figure(**each) for each in json.loads(text))


def _programming() -> Iterator[Figure]:
    """Load many elements, and change one of many."""
    named = Set("s", KEY, tuple(((number, number), (6, 6), (80, 80)) for number in range(LOADED)))
    kernel = Nftables(Network.create())
    commands = replacement(Program("t", (named,), (), ()))
    seconds = min(_elapsed(lambda: kernel.apply(commands)) for _ in range(5))
    yield Figure(f"{LOADED:,} elements into a hash set, elapsed", seconds, "s", "<= 0.5")
    kernel.apply(replacement(Program("t", (replace(named, elements=named.elements[:CHANGED]),), (), ())))
    one = replace(named, elements=(((1 << 31, 1 << 31), (6, 6), (80, 80)),))
    for word, command in (("added to", AddElements("t", one)), ("deleted from", DeleteElements("t", one))):
        other = DeleteElements("t", one) if isinstance(command, AddElements) else AddElements("t", one)
        times = []
        if isinstance(command, DeleteElements):
            kernel.apply([other])
        for _ in range(CHANGES):
            times.append(_elapsed(lambda command=command: kernel.apply([command])))  # type: ignore[misc]
            kernel.apply([other])
        times.sort()
        what = f"one element {word} {CHANGED:,}, elapsed"
        yield Figure(f"{what}, median", 1e3 * statistics.median(times), "ms", "<= 0.1")
        yield Figure(f"{what}, of a hundred the slowest", 1e3 * times[len(times) * 99 // 100], "ms", "<= 1")


def _proof() -> Iterator[Figure]:
    """Read back what a node holds, and compare all of it with the engine."""
    load = LOADS[-1]
    engine = Engine(snapshot_of(load), RINGFENCE)
    links = {str(pod): f"p{number}" for number, pod in enumerate(local_pods(engine, "n1", Family.IPV4).values())}
    plan = plan_node(engine, "n1", Wiring("p", links))
    program = compile_program(plan)
    kernel = Nftables(Network.create())
    kernel.apply(replacement(program))

    def prove_it() -> None:
        found, _ = kernel.dump(program.table)
        if not found or not prove(read_dump(found).program, engine, "n1", plan.guard).holds:
            message = "the node does not hold what it should"
            raise RuntimeError(message)

    elements = sum(len(each.elements) for each in program.named_sets)
    yield Figure(f"a node proved, {load}, {elements:,} elements", cpu_seconds(prove_it, 3), "s", "<= 2")


def _elapsed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _packets() -> Iterator[Figure]:
    bare = Wire(CLIENT, SERVER, PORT)
    Nftables(bare.node).apply(replacement(BASELINE))
    for load in LOADS:
        program = program_of(plan_node(Engine(snapshot_of(load)), "n1"))
        for what, ratio in _ratio(bare, program).items():
            yield Figure(f"{what}, {load}, to conntrack alone", ratio, "", GOALS[what])
    load = LOADS[2]
    guarded = plan_node(Engine(snapshot_of(load)), "n1", Wiring("p", LINKS))
    for what, ratio in _ratio(bare, compile_program(guarded)).items():
        how = "addresses bound to links, connections remembered"
        yield Figure(f"{what}, {how}, {load}, to conntrack alone", ratio, "")
    for load in IN_CHAINS:
        for what, ratio in _ratio(bare, in_chains(load)).items():
            yield Figure(f"{what}, a chain for each policy, {load}, to conntrack alone", ratio, "")
    yield from _drop_log()


def _ratio(bare: Wire, program: Program) -> dict[str, float]:
    """Return what a packet and a connection take with a program, as multiples of what they take without."""
    wire = Wire(CLIENT, SERVER, PORT)
    Nftables(wire.node).apply(replacement(program))
    found = {}
    for what, work in (("UDP flood", Wire.flood), (CONNECTING, Wire.connect)):
        pairs = [(work(wire), work(bare)) for _ in range(RUNS)]
        found[what] = min(one for one, _ in pairs) / min(other for _, other in pairs)
    return found


def _drop_log() -> Iterator[Figure]:
    """Drop many packets, and time how they are read and explained."""
    wire = Wire(CLIENT, SERVER, PORT)
    load = Load(110, 1_000, 1_000)
    snapshot = snapshot_of(load)
    plan = plan_node(Engine(snapshot), "n1")
    kernel = Nftables(wire.node)
    kernel.apply(replacement(program_of(plan)))
    reader, attributor = NflogReader(wire.node, LOG_GROUP), Attributor(Judge.of(snapshot, RINGFENCE), plan)
    for kinds in (KINDS, MANY_KINDS):
        reading = explaining = 0.0
        seen = 0
        while seen < EVENTS:
            wire.denied(BURST, [CLOSED + (seen + number) % kinds for number in range(BURST)])
            started = time.thread_time()
            logged = list(reader.read())
            read_at = time.thread_time()
            for each in logged:
                _explain(attributor, each.prefix, each.packet)
            reading, explaining = reading + read_at - started, explaining + time.thread_time() - read_at
            seen += len(logged)
        if kinds == KINDS:
            yield Figure("drop log, events read", seen / reading, "1/s", ">= 100000")
        what = f"drop log, events of {kinds:,} kinds read, attributed and judged again"
        yield Figure(what, seen / (reading + explaining), "1/s", ">= 30000")


def _explain(attributor: Attributor, prefix: str, packet: bytes) -> None:
    found = read_five_tuple(packet)
    if found is None or found.protocol != UDP:
        message = "a packet was logged that nobody sent"
        raise RuntimeError(message)
    ports = found.source_port, found.destination_port
    told = attributor.attribute(prefix, Packet(found.source, found.destination, found.protocol, *ports))
    if told is None or not told.agrees:
        message = "a drop was not explained"
        raise RuntimeError(message)


if __name__ == "__main__":
    print(table(figures()))
