"""The objects of a cluster that decide who may connect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.algebra.intervals import EMPTY, Intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.algebra.addresses import Address, Family
    from ringfence.algebra.traffic import Protocol
    from ringfence.model.origin import Origin

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the control plane sets on every namespace; nobody can change it."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace; its labels always include :data:`NAME_LABEL`.

    Attributes:
        name: Its name.
        labels: Labels, the automatic one included.
        origin: None when no manifest declares it and only its name is known.
    """

    name: str
    labels: Mapping[str, str]
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A Kubernetes Node.

    Attributes:
        name: Its name.
        labels: Labels; None when only pods speak of it, so that its labels are not known.
        addresses: The IP addresses of ``status.addresses``, internal ones first, in order; where it
            says none, those that its pods say; may be empty.
        origin: That of a pod when only pods speak of it; None when only a lab does.
        tunnels: Other addresses that it speaks from: ends of the tunnels of an overlay, and
            the bridge to its pods; sorted, none of ``addresses``.
        pod_ranges: Where its pods get their addresses, ``spec.podCIDRs``; empty when not given.
    """

    name: str
    labels: Mapping[str, str] | None
    addresses: tuple[Address, ...] = ()
    origin: Origin | None = None
    tunnels: tuple[Address, ...] = ()
    pod_ranges: Intervals = EMPTY

    @property
    def speaks_from(self) -> tuple[Address, ...]:
        """Every address that packets of the node itself may come from."""
        return (*self.addresses, *self.tunnels)


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a container declares.

    Attributes:
        name: Its name; empty when it has none.
        protocol: TCP, UDP or SCTP.
        number: 1 to 65535.
    """

    name: str
    protocol: Protocol
    number: int


@dataclass(frozen=True, slots=True)
class Workload:
    """A controller-level name for alike pods.

    Attributes:
        namespace: Its namespace.
        kind: ``Deployment``, ``StatefulSet`` and so on; ``Kind.group`` for one of somebody else
            that is called like one of Kubernetes' own.
        name: Its name.
        replicas: Pods it asks for; None when the kind has no such number.
        origin: Where it was read.
    """

    namespace: str
    kind: str
    name: str
    replicas: int | None
    origin: Origin

    @property
    def key(self) -> str:
        """``Kind/name``: what :attr:`Pod.workload` holds."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that runs, or that a template will make.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        labels: Labels.
        addresses: At most one address of each family. Empty means that the addresses are
            not known yet; a pod with any address has no other family.
        node: Its node's name; None when it is not known yet.
        host_network: The pod lives on its node's network; no selector sees it.
        terminal: The phase is Succeeded or Failed; the pod can no longer connect.
        ports: Ports of containers and native sidecars, sorted.
        workload: ``Kind/name`` of the topmost owner that was read; empty for none.
        binds: Addresses beside its node's that a host-network pod answers at on every node
            it runs on; NodeLocal DNS does that.
        dormant: The template stands for no running pod now (Job, CronJob, no replicas).
        origin: Where the pod or its template was read.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    origin: Origin
    addresses: Mapping[Family, Address] = field(default_factory=dict)
    node: str | None = None
    host_network: bool = False
    terminal: bool = False
    ports: tuple[ContainerPort, ...] = ()
    workload: str = ""
    dormant: bool = False
    binds: tuple[Address, ...] = ()

    def __str__(self) -> str:
        """Return ``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    def called(self, name: str) -> Pod:
        """Return the same pod under another name; whoever judges connections does so for each."""
        return Pod(
            self.namespace,
            name,
            self.labels,
            self.origin,
            self.addresses,
            self.node,
            self.host_network,
            self.terminal,
            self.ports,
            self.workload,
            self.dormant,
            self.binds,
        )

    @property
    def selectable(self) -> bool:
        """Whether policies can select the pod, as subject or as peer."""
        return not (self.host_network or self.terminal)
