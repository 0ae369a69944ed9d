"""Cases: one sentence of an API as a truth table that people can check by eye.

``tests/cases/*.yaml`` holds them. A case is manifests and rows. Pods, namespaces and nodes
are written short and become manifests; ``objects`` and ``policies`` are manifests as they
stand. All of them are read as any input is, so that the readers answer too.

A row is ``CLIENT -> SERVER PROTOCOL/PORT: OUTCOME by POLICY``. A port may be a range, of which
both ends and the middle are asked; ``over IPv6`` picks a family, and without it every
family that both ends have is asked; ``through x/service`` names the Service that was called.
What decided is a policy, ``x/policy``, or one of its rules, ``x/policy ingress[0]``. Behind
``open`` stand the points that the API leaves open and on which the answer rests; where
nothing stands there must be none. ``dialects`` holds rows that a dialect answers, and under
``strict`` rows that are undecided for that; those of ``expect`` are of the default dialect.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ringfence.algebra.addresses import Address, Family, family_of, read_address
from ringfence.algebra.traffic import Protocol
from ringfence.model.cluster import Pod
from ringfence.model.connection import Connection
from ringfence.readers import Source, read
from ringfence.semantics.dialects import DIALECTS, KUBERNETES
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from ringfence.model.connection import End
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.verdict import Verdict

FOLDER = Path(__file__).parent / "cases"
ROW = re.compile(
    r"(?P<client>\S+) -> (?P<server>\S+) (?P<protocol>TCP|UDP|SCTP|ICMP)(/(?P<first>\d+)(-(?P<last>\d+))?)?"
    r"( over IPv(?P<family>[46]))?( through (?P<service>\S+))?"
)
_PORT = re.compile(r"(?P<name>[^:]*):(?P<number>\d+)/(?P<protocol>\w+)")
_POD = frozenset({"address", "hostNetwork", "labels", "node", "phase", "ports"})
_EXPECTED = re.compile(r"(?P<outcome>\w+)( by (?P<by>.+?))?( open (?P<open>.+))?")
_CASE = frozenset({"about", "dialects", "expect", "namespaces", "nodes", "objects", "pods", "policies", "source"})

SPOKEN = {**DIALECTS, "strict": replace(KUBERNETES, strict=True)}
"""What may stand in ``dialects``."""


@dataclass(frozen=True)
class Row:
    """One line of the truth table.

    Attributes:
        text: The connection as written.
        outcome: What must be answered.
        by: The policies or rules that must have decided; empty when not said.
        open: The topics of the open points that it rests on, sorted.
        dialect: The dialect that answers.
    """

    text: str
    outcome: Outcome
    by: tuple[str, ...]
    open: tuple[str, ...]
    dialect: Dialect = KUBERNETES

    def names_what_decided(self, verdict: Verdict) -> bool:
        """Tell whether a verdict rests on what the row says, and on nothing else."""
        deciding = [half for half in verdict.halves if half.outcome is self.outcome]
        origins = [origin for half in deciding for origin in half.origins]
        policies = {origin.object.partition("/")[2] for origin in origins}
        rules = {f"{o.object.partition('/')[2]} {_rule(o.pointer)}" for o in origins if o.rule is not None}
        return not self.by or set(self.by) in (policies, rules)


@dataclass(frozen=True)
class Case:
    """One sentence, a cluster, and what must be answered there.

    Attributes:
        name: The file's stem.
        about: The sentence.
        source: Where the sentence comes from.
        snapshot: The cluster.
        rows: The truth table.
        dialect_rows: What dialects answer otherwise.
        problems: What could not be read of the cluster; there must be nothing.
    """

    name: str
    about: str
    source: str
    snapshot: Snapshot
    rows: tuple[Row, ...]
    dialect_rows: tuple[Row, ...]
    problems: tuple[str, ...]

    def connections(self, row: Row, snapshot: Snapshot | None = None) -> list[Connection]:
        """Return what a row asks in the case's cluster, or in one that was made from it."""
        snapshot = snapshot or self.snapshot
        parts = ROW.fullmatch(row.text)
        assert parts, f"{self.name}: {row.text!r} is no row"
        client, server = _end(snapshot, parts["client"]), _end(snapshot, parts["server"])
        first = int(parts["first"] or 0)
        last = int(parts["last"] or first)
        families = _families(snapshot, client) & _families(snapshot, server)
        if parts["family"]:
            families &= {Family(int(parts["family"]))}
        assert families, f"{self.name}: {row.text!r} has no family"
        return [
            Connection(client, server, Protocol(parts["protocol"]), port, family, parts["service"])
            for family in sorted(families)
            for port in sorted({first, (first + last) // 2, last})
        ]


class _Strict(yaml.SafeLoader):
    """Refuses a row that is written twice: the first would be lost."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[str, Any]:
    pairs = [(loader.construct_object(key), loader.construct_object(value, deep=True)) for key, value in node.value]
    assert len(dict(pairs)) == len(pairs), f"written twice: {sorted(key for key, _ in pairs)}"
    return dict(pairs)


_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


def cases() -> list[Case]:
    """Read every case, in the order of names."""
    return [read_case(path.stem, path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))]


def read_case(name: str, text: str) -> Case:
    """Read one case from the text of its file."""
    written = yaml.load(text, _Strict)  # noqa: S506 - a SafeLoader
    assert written.keys() <= _CASE, f"{name}: {sorted(written.keys() - _CASE)}"
    short = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(_items(written))})
    texts = {f"{name}.json": short, f"{name}.yaml": f"{written.get('objects', '')}\n---\n{written['policies']}"}
    reading = read([Source(source, [manifests.encode()]) for source, manifests in texts.items()])
    problems = (*map(str, reading.errors), *(note for note in reading.notes if "passed over" in note))
    rows = tuple(_row(*each) for each in written["expect"].items())
    others = tuple(
        replace(_row(*each), dialect=SPOKEN[dialect])
        for dialect, table in written.get("dialects", {}).items()
        for each in table.items()
    )
    return Case(name, written["about"], written["source"], reading.snapshot, rows, others, problems)


def _items(written: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the manifests of what is written short."""
    pods = written.get("pods", {})
    labels = {name.partition("/")[0]: {} for name in pods} | written.get("namespaces", {})
    return [
        *(_manifest("Namespace", name, labels=each) for name, each in labels.items()),
        *(_node(name, each) for name, each in written.get("nodes", {}).items()),
        *(_pod(name, each) for name, each in pods.items()),
    ]


def _manifest(kind: str, name: str, *, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    namespace, _, own = name.rpartition("/")
    metadata = {"name": own, "labels": labels} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def _node(name: str, written: str | dict[str, Any]) -> dict[str, Any]:
    full = {"addresses": written} if isinstance(written, str) else written
    addresses = [{"type": "InternalIP", "address": text} for text in full["addresses"].split()]
    return _manifest("Node", name, labels=full.get("labels", {}), status={"addresses": addresses})


def _pod(name: str, written: dict[str, Any]) -> dict[str, Any]:
    full = written if written.keys() & _POD else {"labels": written}
    assert full.keys() <= _POD, f"{name}: {sorted(full.keys() - _POD)}"
    ports = [port for text in full.get("ports", []) if (port := _PORT.fullmatch(text))]
    containers = [  # one for each port: the names of a container's ports must differ, those of a pod's need not
        {
            "name": f"c{number}",
            "image": "main",
            "ports": [
                {"containerPort": int(port["number"]), "protocol": port["protocol"]}
                | ({"name": port["name"]} if port["name"] else {})
            ],
        }
        for number, port in enumerate(ports)
    ] or [{"name": "main", "image": "main"}]
    spec = {"containers": containers, "hostNetwork": full.get("hostNetwork", False), "nodeName": full.get("node", "")}
    addresses = [{"ip": text} for text in full.get("address", "").split()]
    status = {"phase": full.get("phase", "Running"), "podIPs": addresses}
    return _manifest("Pod", name, labels=full.get("labels", {}), spec=spec, status=status)


def _row(text: str, expected: str) -> Row:
    parts = _EXPECTED.fullmatch(expected)
    assert parts, f"{text}: {expected!r} is no answer"
    by, topics = (tuple(parts[name].split(", ")) if parts[name] else () for name in ("by", "open"))
    return Row(text, Outcome(parts["outcome"]), by, topics)


def _rule(pointer: str) -> str:
    """Return ``ingress[0]`` for ``/spec/ingress/0``."""
    _, _, direction, index = pointer.split("/")
    return f"{direction}[{index}]"


def _end(snapshot: Snapshot, text: str) -> End:
    if "/" not in text:
        return Address(read_address(text))
    return next(pod for pod in snapshot.pods if str(pod) == text)


def _families(snapshot: Snapshot, end: End) -> set[Family]:
    return set(snapshot.families_of(end)) if isinstance(end, Pod) else {family_of(end)}
