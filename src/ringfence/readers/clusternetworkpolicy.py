"""``policy.networking.k8s.io/v1alpha2`` ClusterNetworkPolicy.

Source: ``sigs.k8s.io/network-policy-api`` v0.2.0, ``apis/v1alpha2/clusternetworkpolicy_types.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import WITH_PORTS, ports
from ringfence.model.policy import Action
from ringfence.readers.schemas import CLUSTER_NETWORK_POLICY
from ringfence.readers.tiered import Kind, read_named_port, read_number, read_tiered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.algebra.intervals import Intervals
    from ringfence.model.origin import Origin
    from ringfence.model.policy import NamedPort, Policy
    from ringfence.readers.fields import Field
    from ringfence.readers.manifest import Manifest


def read_cluster_network_policy(manifest: Manifest) -> tuple[Policy, Mapping[str, Origin]]:
    """Translate one ClusterNetworkPolicy, its errors added to the manifest.

    Returns:
        The policy, and the members that only the experimental channel knows: by name the first of each.
    """
    return read_tiered(manifest, _KIND)


def _port(protocol: Field) -> Intervals | NamedPort | None:
    """Read one of ``protocols``; there is no way to leave out the port and name the protocol."""
    if protocol["destinationNamedPort"].given:
        return read_named_port(protocol["destinationNamedPort"])
    spoken = next(each for each in WITH_PORTS if protocol[each.value.lower()].given)
    port = protocol[spoken.value.lower()]["destinationPort"]
    if port["number"].given:
        number = read_number(port["number"])
        return ports(spoken, number, number)
    first, last = read_number(port["range"]["start"]), read_number(port["range"]["end"])
    if first > last:  # of which the server says nothing where it refuses something else
        port["range"].error(f"no port is from {first} to {last}", "swap the two")
        return None
    return ports(spoken, first, last)


_KIND = Kind(CLUSTER_NETWORK_POLICY, {action.value: action for action in Action}, "protocols", _port)
