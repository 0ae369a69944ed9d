"""An immutable picture of one cluster at one moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Address, Family, family_of
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.model.cluster import NAME_LABEL, Namespace, Node, Pod, Workload
from ringfence.model.policy import BlockPeer, Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ringfence.algebra.selectors import Selector
    from ringfence.model.events import Events
    from ringfence.model.policy import Policy
    from ringfence.model.service import EndpointSlice, Route, Service


@dataclass(frozen=True)
class Snapshot:
    """Everything that a verdict depends on.

    Attributes:
        pods: Sorted by namespace and name, no name twice.
        policies: Sorted by kind and name, no name twice within a kind.
        namespaces: By name; a namespace that only a pod speaks of may be absent.
        nodes: By name; likewise.
        workloads: Sorted by namespace, kind and name.
        services: Sorted by namespace and name.
        slices: What is behind Services for certain, sorted by namespace, Service and name.
        routes: What leads to Services from outside, sorted by kind, namespace and name.
        controllers: The controller of each ingress class, by the class's name; the default
            class is there under the empty name too.
        pod_ranges: Where pods without an address will get one; empty when not known.
        families: The address families of the cluster, at least one, in order.
        unlisted: Resources of a live cluster that could not be listed, by their plural names, each
            with the namespace where it was listed all the same; empty for nowhere.
    """

    pods: tuple[Pod, ...] = ()
    policies: tuple[Policy, ...] = ()
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    workloads: tuple[Workload, ...] = ()
    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    routes: tuple[Route, ...] = ()
    controllers: Mapping[str, str] = field(default_factory=dict)
    pod_ranges: Intervals = EMPTY
    families: tuple[Family, ...] = (Family.IPV4,)
    unlisted: Mapping[str, str] = field(default_factory=dict)

    def may_lack(self, resource: str, namespace: str = "") -> bool:
        """Tell whether the cluster may have objects of a resource that were not read; empty for no namespace."""
        listed = self.unlisted.get(resource)
        return listed is not None and (not listed or listed != namespace)

    @cached_property
    def audited(self) -> tuple[Policy, ...]:
        """The policies that are in audit, in order."""
        return tuple(policy for policy in self.policies if policy.audited)

    @cached_property
    def enforced(self) -> Snapshot:
        """The snapshot as our own enforcement takes it: without the policies in audit, itself where there are none.

        The whole of such a policy is left out: what it accepts or passes opens nothing either.
        """
        if not self.audited:
            return self
        return replace(self, policies=tuple(policy for policy in self.policies if not policy.audited))

    def scene(self, policies: tuple[Policy, ...]) -> Snapshot:
        """Return the snapshot with these policies alone and without pods, which are asked about as themselves."""
        found = copy(self._empty)
        found.__dict__["policies"] = policies
        return found

    @cached_property
    def _empty(self) -> Snapshot:
        """The snapshot without pods and policies, of which nothing else is worked out: scenes are copies of it."""
        found = replace(self, pods=(), policies=())
        found.__dict__["_node_by_address"] = self._node_by_address  # as many nodes as pods' nodes, and the same ones
        return found

    def inherit(self, before: Snapshot, events: Events) -> None:
        """Take over what an earlier snapshot has found out, as far as these events have left it true."""
        known, mine = before.__dict__, self.__dict__
        if not events.cluster and "_node_by_address" in known:
            mine.setdefault("_node_by_address", before._node_by_address)
        if "pods_by_namespace" in known:
            others = {pod.namespace for pair in events.pods for pod in pair if pod is not None}
            mine.setdefault(
                "pods_by_namespace", before.pods_by_namespace | {name: self.pods_in(name) for name in others}
            )
        if "_pod_by_name" in known:
            pods = dict(before._pod_by_name)
            for old, new in events.pods:
                if new is not None:
                    pods[new.namespace, new.name] = new
                elif old is not None:
                    del pods[old.namespace, old.name]
            mine.setdefault("_pod_by_name", pods)
        if "_pod_by_address" in known and (found := before._addresses_after(events)) is not None:
            mine.setdefault("_pod_by_address", found)
            mine.setdefault("_contested", False)

    def _addresses_after(self, events: Events) -> dict[Address, Pod] | None:
        """Return whose each address is after some events; None where several pods claim one."""
        if self._contested:
            return None
        found = dict(self._pod_by_address) if events.pods else self._pod_by_address
        for old, _ in events.pods:
            for address in old.addresses.values() if old is not None and old.selectable else ():
                del found[address]
        arrived = [new for _, new in events.pods if new is not None and new.selectable]
        for pod in arrived:
            if any(found.setdefault(address, pod) is not pod for address in pod.addresses.values()):
                return None
        return found

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Return a namespace's labels; only the automatic one when no manifest declares it."""
        namespace = self.namespaces.get(name)
        return namespace.labels if namespace else {NAME_LABEL: name}

    def pod_at(self, address: Address) -> Pod | None:
        """Return the live pod that has this address for its own, or None.

        Host-network pods have their node's address, which is not their own.
        """
        return self._pod_by_address.get(address)

    @property
    def own_addresses(self) -> Collection[Address]:
        """Every address that a live pod has for its own, once."""
        return self._pod_by_address.keys()

    def pods_in(self, namespace: str) -> tuple[Pod, ...]:
        """Return the pods of a namespace, in order."""
        key = attrgetter("namespace")
        return self.pods[bisect_left(self.pods, namespace, key=key) : bisect_right(self.pods, namespace, key=key)]

    def pod_named(self, namespace: str, name: str) -> Pod | None:
        """Return the pod of a name, or None."""
        return self._pod_by_name.get((namespace, name))

    def node_at(self, address: Address) -> str | None:
        """Return the name of the node that has this address, that of a tunnel included, or None."""
        return self._node_by_address.get(address)

    def node_of(self, end: Pod | Address) -> str | None:
        """Return the node whose own network an end is on; None for a pod with its own network."""
        if isinstance(end, Pod):
            return end.node if end.host_network else None
        return self.node_at(end)

    def is_on_node(self, end: Pod | Address, nodes: Selector) -> bool | None:
        """Tell whether an end is on the network of a node with such labels; None when that is not known.

        An address is not known to be no node's while a node that is meant has none of its
        family, or not every node was read. One that is a pod's own is the pod's, whatever else
        claims it.
        """
        if not isinstance(end, Pod) and self.pod_at(end):
            return False
        name = self.node_of(end)
        if name is not None:
            node = self.nodes.get(name)
            labels = node.labels if node else None
            return not nodes.requirements or (nodes.matches(labels) if labels is not None else None)
        if isinstance(end, Pod):
            return False if not end.host_network else (None if nodes.requirements else True)
        return self.is_stranger_on_node(family_of(end), nodes)

    def is_stranger_on_node(self, family: Family, nodes: Selector) -> bool | None:
        """Tell the same of an address of a family that no pod and no node has."""
        if not self._lists_nodes:
            return None
        meant = [node for node in self.nodes.values() if node.labels is not None and nodes.matches(node.labels)]
        return False if all(any(family_of(a) is family for a in node.addresses) for node in meant) else None

    def may_share_node(self, pod: Pod, end: Pod | Address) -> bool:
        """Tell whether an end on a node's network may turn out to be on a pod's node: one is not known yet."""
        if isinstance(end, Pod):
            return end.host_network and None in (pod.node, end.node)
        return pod.node is None and self.node_at(end) is not None

    def addresses_of(self, pod: Pod) -> Mapping[Family, Address]:
        """Return the addresses from which a pod's packets come; empty when not known yet.

        A host-network pod uses its node's first address of each family.
        """
        node = self.nodes.get(pod.node or "") if pod.host_network else None
        if node and node.addresses:
            return {family_of(address): address for address in reversed(node.addresses)}
        return pod.addresses

    def sources_of(self, pod: Pod, family: Family) -> tuple[Address, ...]:
        """Return each address of a family from which packets of a pod may come to others; empty when not known yet.

        What leaves a host-network pod may leave its node by a tunnel, and then has the address of that.
        """
        own = self.addresses_of(pod).get(family)
        node = self.nodes.get(pod.node or "") if pod.host_network and own is not None else None
        tunnels = (address for address in (node.tunnels if node else ()) if family_of(address) is family)
        return () if own is None else tuple(dict.fromkeys((own, *tunnels)))

    def families_of(self, pod: Pod) -> tuple[Family, ...]:
        """Return the families in which a pod has, or will have, an address."""
        return tuple(sorted(self.addresses_of(pod))) or self.families

    @cached_property
    def blocks(self) -> tuple[Intervals, ...]:
        """Every set of addresses that a rule of any policy names, each once, in order."""
        rules = [rule for policy in self.policies for d in Direction for rule in policy.rules(d)]
        return tuple(dict.fromkeys(p.addresses for rule in rules for p in rule.peers if isinstance(p, BlockPeer)))

    @cached_property
    def _lists_nodes(self) -> bool:
        """Whether nodes were read, and no pod speaks of another: there may be more where one does."""
        return bool(self.nodes) and all(node.labels is not None for node in self.nodes.values())

    @cached_property
    def _pod_by_address(self) -> dict[Address, Pod]:
        return {a: pod for pod in self.pods if pod.selectable for a in pod.addresses.values()}

    @cached_property
    def pods_by_namespace(self) -> dict[str, tuple[Pod, ...]]:
        """The pods of each namespace, in order."""
        return {name: tuple(pods) for name, pods in groupby(self.pods, key=attrgetter("namespace"))}

    @cached_property
    def _contested(self) -> bool:
        """Whether several pods claim an address as their own."""
        return sum(len(pod.addresses) for pod in self.pods if pod.selectable) > len(self._pod_by_address)

    @cached_property
    def _pod_by_name(self) -> dict[tuple[str, str], Pod]:
        return {(pod.namespace, pod.name): pod for pod in self.pods}

    @cached_property
    def _node_by_address(self) -> dict[Address, str]:
        return {a: node.name for node in self.nodes.values() for a in node.speaks_from}
