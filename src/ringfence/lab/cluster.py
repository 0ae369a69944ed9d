"""A topology brought to life: namespaces, links, programs, listeners."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, family_of
from ringfence.dataplane.bridged import bridge_program
from ringfence.dataplane.delta import replacement
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.recall import Recall
from ringfence.edges import conntrack, links, nft
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.edges.probe import Prober
from ringfence.edges.programs import find_program
from ringfence.edges.sockets import allow_many_files
from ringfence.edges.upkeep import Upkeep
from ringfence.errors import WorldError
from ringfence.lab import wiring
from ringfence.lab.drops import DropLog
from ringfence.lab.ends import Ends
from ringfence.lab.flows import FlowLog
from ringfence.lab.judge import Judge
from ringfence.lab.services import WITHOUT_TABLE, service_table
from ringfence.model.cluster import Pod
from ringfence.report.counting import counted
from ringfence.semantics import judging
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.algebra.addresses import Address
    from ringfence.lab.topology import Topology
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot

_IPV6 = Path("/proc/net/if_inet6")


class Cluster:
    """A lab's namespaces and everything in them; must be built in a world of its own.

    Attributes:
        topology: What was built; its policies are those that are enforced.
        declared: Its snapshot with the policies in audit, of which flows and drops tell what they would change.
        engine: The engine for what is enforced.
        plans: What each node must enforce.
        programs: What makes it so.
        bridge_programs: What holds the ports of its bridge to their addresses, where it has one.
        judge: Compares the kernel with engine and programs.
        drops: What the nodes dropped.
        flows: What they let through.
        prober: Sends packets between its ends.
        outside: The namespace of everybody outside.
    """

    def __init__(self, topology: Topology, progress: Callable[[str], None] = lambda _: None) -> None:
        """Build everything.

        Args:
            topology: What to build.
            progress: Is told what is done next.

        Raises:
            WorldError: the machine lacks something or refuses.
        """
        _require(topology)
        allow_many_files()
        progress("compiling policies")
        self.declared = topology.snapshot
        topology = replace(topology, snapshot=self.declared.enforced)
        self._recalls = {name: Recall() for name in topology.snapshot.nodes}
        self._plan(topology, Engine(topology.snapshot, RINGFENCE))
        self.bridge_programs = {
            node: bridge_program(wiring.POD_PREFIX, wiring.ports(topology, node))
            for node in (topology.snapshot.nodes if topology.bridged else ())
        }
        progress(f"making {counted(len(topology.pods), 'pod')}")
        self.outside = Network.create()
        self.nodes = {name: Network.create() for name in topology.snapshot.nodes}
        self.pods = {str(pod): Network.create() for pod in topology.pods}
        self._upkeeps = {name: Upkeep(network, Nftables(network)) for name, network in self.nodes.items()}
        self._translated: dict[str, str] = {}
        # Before there is a link that a packet could take.
        self._load()
        self._bind()
        self._wire()
        why, audit = self._judges()
        self.drops = DropLog(why, self.plans, self.nodes, audit)
        self.flows = FlowLog(self.engine, why, self.nodes, audit)
        self.prober = Prober(self._by_address(), self.drops)
        for descriptor in self.flows.filenos():
            self.prober.watch(descriptor, self.flows.read)
        for pod in topology.snapshot.pods:
            for port in () if pod.terminal else pod.ports:
                for address in topology.snapshot.addresses_of(pod).values():
                    self.prober.listen(address, port.protocol, port.number)

    def network(self, end: End) -> Network:
        """Return the namespace that an end is in."""
        pod = end if isinstance(end, Pod) else self.topology.snapshot.pod_at(end)
        if pod and pod.selectable:
            return self.pods[str(pod)]
        node = self.ends.place(end).node
        return self.nodes[node] if node is not None else self.outside

    def families_of(self, end: End) -> tuple[Family, ...]:
        """Return the families in which an end has an address."""
        snapshot = self.topology.snapshot
        return tuple(snapshot.addresses_of(end)) if isinstance(end, Pod) else (family_of(end),)

    def admit(self, address: Address) -> None:
        """Let somebody outside have an address, unless somebody has it already."""
        if not self.prober.knows(address):
            links.configure([(self.outside, [wiring.outsider_line(address)])])
            self.prober.admit(address, self.outside)

    def change(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Let every node enforce other policies, and translate to other endpoints, while packets go on.

        Args:
            snapshot: The one before but for policies and labels: the same pods, nodes and
                Services at the same addresses. What is in audit is told and not enforced.

        Returns:
            What a kernel refused, a line each; whoever needed it is denied everything in that direction.

        Raises:
            NftablesError: a kernel refused what every packet meets; nodes before it in order are changed.
        """
        self.declared, enforced = snapshot, snapshot.enforced
        self._plan(replace(self.topology, snapshot=enforced), self.engine.after(enforced))
        self.drops.read()
        self.flows.read(conntrack.WAITING)
        refused = self._load()
        why, audit = self._judges()
        self.drops.explain_by(why, self.plans, audit)
        self.flows.judge_by(self.engine, why, self.nodes, audit)
        return refused

    def close(self) -> None:
        """Take everything down."""
        self.prober.close()
        self.drops.close()
        self.flows.close()
        for upkeep in self._upkeeps.values():
            upkeep.close()
        for network in (*self.pods.values(), *self.nodes.values(), self.outside):
            network.close()

    def _plan(self, topology: Topology, engine: Engine) -> None:
        self.topology, self.engine = topology, engine
        links = wiring.wiring_of(topology)
        self.plans = {name: plan_node(engine, name, links, recall=recall) for name, recall in self._recalls.items()}
        self.ends = Ends(topology)

    def _judges(self) -> tuple[judging.Judge, judging.Judge | None]:
        """Return who says why, and who says it with the policies in audit; None where there are none."""
        why = judging.Judge.of(self.topology.snapshot, RINGFENCE)
        return why, judging.Judge.of(self.declared, RINGFENCE) if self.declared.audited else None

    def _load(self) -> tuple[str, ...]:
        """Let each node enforce its plan; returns what its kernel refused."""
        refused, programs = [], {}
        for name, node in self.topology.snapshot.nodes.items():
            conntrack.account(self.nodes[name])
            applied = self._upkeeps[name].apply(self.plans[name])
            programs[name] = applied.program
            refused += [f"{name}: {each}" for each in applied.quarantined]
            table = service_table(self.topology, node)
            if table != self._translated.get(name, ""):
                nft.apply(self.nodes[name], f"{WITHOUT_TABLE}{table}")
                self._translated[name] = table
        self.programs = programs
        self.judge = Judge(self.engine, programs, self.ends)
        return tuple(refused)

    def _bind(self) -> None:
        """Hold the ports of bridges to their addresses, before there are any."""
        for name, program in self.bridge_programs.items():
            kernel = Nftables(self.nodes[name], family=program.family)
            kernel.apply(replacement(program))
            kernel.close()

    def _wire(self) -> None:
        topology, families = self.topology, self.topology.snapshot.families
        off = {} if Family.IPV6 in families or not _IPV6.exists() else wiring.IPV6_OFF
        for network in self.nodes.values():
            links.set_sysctls(network, wiring.settings(families, router=True, bridged=topology.bridged) | off)
        links.set_sysctls(self.outside, wiring.settings(families, router=True) | off)
        for network in self.pods.values():
            links.set_sysctls(network, wiring.settings(families, router=False) | off)
        nodes = {name: links.reference(network) for name, network in self.nodes.items()}
        pods = {name: links.reference(network) for name, network in self.pods.items()}
        # Each step makes the links of which the next one sets up the far ends.
        links.configure([(self.outside, wiring.outside_lines(topology, nodes))], list(self.nodes.values()))
        links.configure(
            [
                (self.nodes[node.name], wiring.node_lines(topology, node, pods))
                for node in topology.snapshot.nodes.values()
            ],
            list(self.pods.values()),
        )
        links.configure([(self.pods[str(pod)], wiring.pod_lines(topology, pod)) for pod in topology.pods])
        links.wait_until_up(
            [
                *((self.outside, wiring.node_link(topology, name)) for name in self.nodes),
                *((network, wiring.UPLINK) for network in self.nodes.values()),
                *((self.nodes[pod.node or ""], wiring.pod_links(topology)[str(pod)]) for pod in topology.pods),
                *((network, wiring.POD_LINK) for network in self.pods.values()),
            ]
        )

    def _by_address(self) -> dict[Address, Network]:
        """Return the namespace that owns each address."""
        snapshot = self.topology.snapshot
        nodes = {a: self.nodes[node.name] for node in snapshot.nodes.values() for a in node.addresses}
        pods = {a: self.pods[str(pod)] for pod in self.topology.pods for a in pod.addresses.values()}
        return dict.fromkeys(self.topology.outside, self.outside) | nodes | pods


def _require(topology: Topology) -> None:
    """Say what is missing before anything is made."""
    for program in ("ip", "nft"):
        find_program(program)
    if Family.IPV6 in topology.snapshot.families and not _IPV6.exists():
        message = "the manifests use IPv6, and this kernel has it switched off"
        raise WorldError(message, "switch it on, or leave IPv6 out of the manifests")
