"""Cases: one sentence of an API as a truth table that people can check by eye.

``tests/cases/*.yaml`` holds them. A row ``client -> server TCP/80: denied by x/policy``
is one connection, its outcome, and, where it says so, the policies that decided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ringfence.algebra.addresses import Address, Family, family_of, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.cluster import NAME_LABEL, ContainerPort, Namespace, Node, Pod
from ringfence.model.connection import Connection
from ringfence.model.origin import Origin
from ringfence.model.snapshot import Snapshot
from ringfence.readers import Source, read
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from ringfence.model.connection import End

FOLDER = Path(__file__).parent / "cases"
ROW = re.compile(r"(?P<client>\S+) -> (?P<server>\S+) (?P<protocol>TCP|UDP|SCTP|ICMP)(/(?P<port>\d+))?")


@dataclass(frozen=True)
class Row:
    """One line of the truth table.

    Attributes:
        text: The connection as written.
        outcome: What must be answered.
        by: The names of the policies that must have decided; empty when not said.
    """

    text: str
    outcome: Outcome
    by: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One sentence, a cluster, and what must be answered there.

    Attributes:
        name: The file's stem.
        about: The sentence.
        snapshot: The cluster.
        rows: The truth table.
    """

    name: str
    about: str
    snapshot: Snapshot
    rows: tuple[Row, ...]

    def connection(self, row: Row, snapshot: Snapshot | None = None) -> Connection:
        """Return a row's connection in the case's cluster, or in one that was made from it."""
        snapshot = snapshot or self.snapshot
        parts = ROW.fullmatch(row.text)
        assert parts, f"{self.name}: {row.text!r} is no row"
        client, server = _end(snapshot, parts["client"]), _end(snapshot, parts["server"])
        families = [family_of(end) for end in (client, server) if not isinstance(end, Pod)]
        family = families[0] if families else snapshot.families[0]
        return Connection(client, server, Protocol(parts["protocol"]), int(parts["port"] or 0), family)


def cases() -> list[Case]:
    """Read every case, in the order of names."""
    return [_case(path) for path in sorted(FOLDER.glob("*.yaml"))]


def _case(path: Path) -> Case:
    written = yaml.safe_load(path.read_text())
    reading = read([Source(f"{path.stem}.yaml", [written["policies"].encode()])])
    problems = [str(error) for error in reading.errors if "no pods" not in error.message]
    assert not problems, f"{path.name}: {problems}"
    pods = tuple(_pod(name, spec) for name, spec in sorted(written["pods"].items()))
    names = sorted({pod.namespace for pod in pods})
    nodes = {name: Node(name, {}, (read_address(address),)) for name, address in written.get("nodes", {}).items()}
    snapshot = Snapshot(
        pods=pods,
        policies=reading.snapshot.policies,
        namespaces={name: Namespace(name, {NAME_LABEL: name, "ns": name}) for name in names},
        nodes=nodes,
        families=tuple(map(Family, written.get("families", [4]))),
    )
    return Case(path.stem, written["about"], snapshot, tuple(_row(*each) for each in written["expect"].items()))


def _pod(name: str, spec: dict[str, Any]) -> Pod:
    namespace, _, pod = name.partition("/")
    full = spec if {"labels", "ports", "node", "address", "hostNetwork"} & spec.keys() else {"labels": spec}
    addresses = [read_address(text) for text in str(full.get("address", "")).split()]
    ports = [re.fullmatch(r"(.*):(\d+)/(\w+)", text) for text in full.get("ports", [])]
    return Pod(
        namespace=namespace,
        name=pod,
        labels=full.get("labels", {}),
        origin=Origin(f"{name}.yaml", 1, 1, "", f"Pod/{name}"),
        addresses={family_of(address): address for address in addresses},
        node=full.get("node"),
        host_network=full.get("hostNetwork", False),
        ports=tuple(ContainerPort(port[1], Protocol(port[3]), int(port[2])) for port in ports if port),
    )


def _row(text: str, expected: str) -> Row:
    outcome, _, by = expected.partition(" by ")
    return Row(text, Outcome(outcome), tuple(by.split(", ")) if by else ())


def _end(snapshot: Snapshot, text: str) -> End:
    if "/" not in text:
        return Address(read_address(text))
    return next(pod for pod in snapshot.pods if str(pod) == text)
