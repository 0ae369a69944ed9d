"""Pods and Namespaces."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ringfence.algebra.addresses import read_address
from ringfence.model.cluster import NAME_LABEL, ContainerPort, Namespace, Pod
from ringfence.readers.addresses import by_family, read_ip
from ringfence.readers.fields import Field
from ringfence.readers.ports import read_port, read_protocol
from ringfence.readers.refusals import duplicate, invalid
from ringfence.readers.syntax import port_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringfence.algebra.addresses import Address
    from ringfence.readers.manifest import Manifest

POD_SPEC = ("containers", "hostNetwork", "initContainers", "nodeName")
"""The members of a pod's ``spec`` that decide something."""

POD_STATUS = ("hostIP", "hostIPs", "phase", "podIP", "podIPs")
"""The members of a pod's ``status`` that decide something."""

CACHE = "node-local-dns"
"""What the pods of NodeLocal DNS are called: by label, and in every manifest that is published."""

_CACHE_ADDRESS = read_address("169.254.20.10")
"""Where they listen by default. Source: kubernetes.io/docs/tasks/administer-cluster/nodelocaldns."""


def read_namespace(manifest: Manifest) -> Namespace:
    """Read a Namespace and give it the label that the control plane gives it."""
    labels = Field(manifest)["metadata"]["labels"].strings()
    if labels.get(NAME_LABEL, manifest.name) != manifest.name:  # the server's defaults write over it
        place = manifest.origin(("metadata", "labels", NAME_LABEL))
        manifest.notes.append(f"{place}: an API server makes the label {NAME_LABEL} {manifest.name}, as the name is")
    return Namespace(manifest.name, {**labels, NAME_LABEL: manifest.name}, manifest.origin())


def read_pod(manifest: Manifest) -> Pod:
    """Read a Pod, without the workload that it belongs to."""
    root = Field(manifest)
    spec, status = root["spec"], root["status"]
    spec.near(POD_SPEC)
    status.near(POD_STATUS)
    labels = root["metadata"]["labels"].strings()
    return Pod(
        namespace=manifest.namespace,
        name=manifest.name,
        labels=labels,
        origin=manifest.origin(),
        addresses=by_family(_addresses(status, "podIPs", "podIP")),
        node=spec["nodeName"].string() or None,
        host_network=spec["hostNetwork"].boolean(),
        terminal=status["phase"].string() in {"Succeeded", "Failed"},
        ports=container_ports(spec),
        binds=bound_addresses(spec, labels),
    )


def host_addresses(manifest: Manifest) -> tuple[Address, ...]:
    """Return the addresses that a Pod's status says of its node, in their order; what is in error is left out."""
    found = _addresses(Field(manifest)["status"], "hostIPs", "hostIP")
    return tuple(dict.fromkeys(address for address in found if address is not None))


def _addresses(status: Field, listed: str, first: str) -> list[Address | None]:
    """Return the addresses of a list, or the first alone where there is no list; None for each that is in error."""
    alone = read_ip(status[first])  # where the list counts, it must be an address all the same
    return [read_ip(each["ip"]) for each in status[listed].items()] or [alone]


def container_ports(spec: Field) -> tuple[ContainerPort, ...]:
    """Return the ports of a pod's containers and native sidecars, each once, sorted.

    Other init containers have ended before the pod serves, so theirs do not count.
    """
    containers, initial = spec["containers"].items(), spec["initContainers"].items()
    for each in (*containers, *initial):
        each.near(("ports", "restartPolicy"))
        _check_names(each["ports"].items())
    sidecars = [each for each in initial if each["restartPolicy"].string() == "Always"]
    declared = [port for each in (*containers, *sidecars) for port in each["ports"].items()]
    found = {port for each in declared if (port := _container_port(each))}
    return tuple(sorted(found, key=lambda port: (port.number, port.protocol.value, port.name)))


def bound_addresses(spec: Field, labels: Mapping[str, str]) -> tuple[Address, ...]:
    """Return where a pod of NodeLocal DNS answers on its node; nothing for any other pod.

    Its addresses are those of ``-localip``: one of its own, and in most clusters that of the
    DNS Service too, which its node then no longer translates.
    """
    if labels.get("k8s-app") != CACHE or not spec["hostNetwork"].boolean():
        return ()
    words = [word for each in spec["containers"].items() for word in _words(each)]
    given = [after for word, after in pairwise(words) if word.lstrip("-") == "localip"]
    found = set()
    for text in ",".join(given).split(","):
        try:
            found.add(read_address(text.strip()))
        except ValueError:  # a placeholder that the cluster fills in
            continue
    return tuple(sorted(found)) or (_CACHE_ADDRESS,)


def _words(container: Field) -> Iterator[str]:
    """Yield the words of a container's command line; ``-a=b`` is two."""
    for member in ("command", "args"):
        for word in container[member].items():
            yield from word.string().split("=", 1)


def _check_names(ports: list[Field]) -> None:
    """Report names of ports that an API server refuses: rules are decided by them."""
    seen: set[str] = set()
    for port in ports:
        name = port["name"].string()
        wrong = port_name(name) if name else ()
        for detail in wrong:
            port["name"].refuse(invalid(name, detail), "write a name such as http")
        if name and not wrong and name in seen:
            port["name"].refuse(duplicate(name), "name each port of a container once")
        seen.add(name)


def _container_port(port: Field) -> ContainerPort | None:
    port.known(("name", "hostPort", "containerPort", "protocol", "hostIP"))
    number, protocol = read_port(port["containerPort"]), read_protocol(port["protocol"])
    if not port["containerPort"].given:
        port["containerPort"].error("Required value", "write the port's number")
    return ContainerPort(port["name"].string(), protocol, number) if number and protocol else None
