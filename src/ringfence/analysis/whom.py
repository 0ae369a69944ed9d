"""Whom a name means, in each family: what questions by classes ask about."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import EVERY
from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.algebra.traffic import ALL, point
from ringfence.errors import InputError
from ringfence.model.cluster import Pod
from ringfence.model.naming import ServiceName
from ringfence.semantics.endpoints import endpoints, key_of
from ringfence.semantics.ends import Ends
from ringfence.semantics.remark import Remark
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides
from ringfence.semantics.summary import Meant

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from ringfence.algebra.addresses import Family
    from ringfence.model.connection import End
    from ringfence.model.naming import Directory
    from ringfence.model.service import Service, ServicePort
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.sides import Party

CLIENT, SERVER = "client", "server"
"""What a name can be asked for as."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a name means.

    Attributes:
        name: The name in full, as it can be asked again.
        meant: Who it is; of a Service as a server also on what traffic. Each pod with each
            traffic at most once in a family.
        remarks: What is worth knowing of the name.
    """

    name: str
    meant: tuple[Meant, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods that are meant, each once, by namespace and name."""
        found = {(pod.namespace, pod.name): pod for each in self.meant for pod in each.ends.pods}
        return tuple(found[key] for key in sorted(found))

    @property
    def addresses(self) -> Intervals:
        """The addresses that are meant and no pod's own."""
        return Intervals.union(each.ends.addresses for each in self.meant)


class Names:
    """Finds whom names mean in one snapshot.

    Attributes:
        snapshot: The snapshot.
        directory: Names its pods.
    """

    def __init__(self, snapshot: Snapshot, namespace: str) -> None:
        """Take the namespace of names that have none."""
        self.snapshot = snapshot
        self._sides = Sides(snapshot, namespace, Scenes(snapshot))

    @property
    def directory(self) -> Directory:
        """Who is who in the snapshot."""
        return self._sides.directory

    def find(self, role: str, text: str) -> Whom:
        """Return whom a name means.

        A Service as a server is the pods behind it, on the ports that it leads to; as a
        client it is the pods behind it.

        Args:
            role: :data:`CLIENT` or :data:`SERVER`.
            text: The name, as :mod:`ringfence.model.naming` has it.

        Raises:
            InputError: it is no name, nobody has it, or several workloads have it.
        """
        name = self._sides.read(role, text)
        if role == SERVER and isinstance(name, ServiceName):
            return self._server(name)
        party = self._sides.find(role, text)
        remarks = tuple(Remark(each.topic, each.text, each.origins) for each in self._sides.premises_of(party))
        if isinstance(name, ServiceName):
            remarks = (Remark("service-client", f"{party.name} as a client is the pods behind it"), *remarks)
        return Whom(party.name, tuple(_by_family(party)), remarks)

    def behind(self, service: Service, port: int | str | None = None) -> tuple[Meant, ...]:
        """Return who is behind a Service, on the ports that it leads to there.

        Args:
            service: The Service.
            port: One port of it, by number or name; None for all.
        """
        return tuple(
            self._behind_ports(service, [each for each in service.ports if port in {None, each.port, each.name}])
        )

    def _server(self, name: ServiceName) -> Whom:
        """Return who is behind a Service that a name means."""
        service = self._sides.places.service(SERVER, name)
        found = self.behind(service)
        if not found:
            message = f"{SERVER}: nobody is behind {name}"
            raise InputError(message, "compare its selector and target ports with the pods")
        where = "" if service.headless else ", on the ports it leads to"
        text = f"{name} is taken as who is behind it{where}; ask can of the ways there"
        return Whom(str(name), found, (Remark("service-server", text, (service.origin,)),))

    def _behind_ports(self, service: Service, ports: list[ServicePort]) -> Iterator[Meant]:
        for family in self.snapshot.families:
            found: dict[Hashable, tuple[End, set[int]]] = {}
            for port in ports:
                for each in endpoints(self.snapshot, service, port, family):
                    _, points = found.setdefault(key_of(each.end), (each.end, set()))
                    points.add(point(port.protocol, each.port))
            alike: dict[Intervals, list[End]] = defaultdict(list)
            for end, points in found.values():
                traffic = ALL if service.headless else Intervals.of((each, each) for each in points)
                alike[traffic].append(end)
            for traffic, members in alike.items():
                pods = tuple(end for end in members if isinstance(end, Pod))
                addresses = Intervals.of((end, end) for end in members if not isinstance(end, Pod))
                yield Meant(Ends(pods, addresses), family, traffic)


def in_families(snapshot: Snapshot, pods: Iterable[Pod]) -> tuple[Meant, ...]:
    """Return pods in each family that they have."""
    found: dict[Family, list[Pod]] = defaultdict(list)
    for pod in pods:
        for family in snapshot.families_of(pod):
            found[family].append(pod)
    return tuple(Meant(Ends(tuple(found[family])), family) for family in sorted(found))


def _by_family(party: Party) -> Iterator[Meant]:
    """Yield a party family by family."""
    pods: dict[Family, list[Pod]] = defaultdict(list)
    for pod, families in party.pods:
        for family in families:
            pods[family].append(pod)
    for family, everything in EVERY.items():
        addresses = party.addresses & everything
        if pods[family] or addresses != EMPTY:
            yield Meant(Ends(tuple(pods[family]), addresses), family)
