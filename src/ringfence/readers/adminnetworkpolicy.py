"""``policy.networking.k8s.io/v1alpha1`` AdminNetworkPolicy and BaselineAdminNetworkPolicy.

They are what ClusterNetworkPolicy was before: an AdminNetworkPolicy is a policy of the Admin
tier, the one BaselineAdminNetworkPolicy is one of the Baseline tier.

Source: ``sigs.k8s.io/network-policy-api`` v0.1.7, ``apis/v1alpha1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.traffic import WITH_PORTS, Protocol, ports
from ringfence.model.policy import Action, Tier
from ringfence.readers.schemas import ADMIN_NETWORK_POLICY, BASELINE_ADMIN_NETWORK_POLICY
from ringfence.readers.tiered import Kind, read_named_port, read_number, read_tiered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.algebra.intervals import Intervals
    from ringfence.model.origin import Origin
    from ringfence.model.policy import NamedPort, Policy
    from ringfence.readers.fields import Field
    from ringfence.readers.manifest import Manifest

AFTER_ALL_PRIORITIES = 1001
"""Where the BaselineAdminNetworkPolicy stands in its tier, in which it has no priority.

No API says how it and a ClusterNetworkPolicy of that tier stand to each other.
"""

_ACTIONS = {"Allow": Action.ACCEPT, "Deny": Action.DENY, "Pass": Action.PASS}

_PROTOCOLS = {protocol.value: protocol for protocol in WITH_PORTS}


def read_admin_network_policy(manifest: Manifest) -> tuple[Policy, Mapping[str, Origin]]:
    """Translate one AdminNetworkPolicy, its errors added to the manifest.

    Returns:
        The policy, and the members that only the experimental channel knows: by name the first of each.
    """
    return read_tiered(manifest, _ADMIN)


def read_baseline_admin_network_policy(manifest: Manifest) -> tuple[Policy, Mapping[str, Origin]]:
    """Translate one BaselineAdminNetworkPolicy; likewise."""
    return read_tiered(manifest, _BASELINE)


def _port(port: Field) -> Intervals | NamedPort | None:
    """Read one of ``ports``."""
    if port["namedPort"].given:
        return read_named_port(port["namedPort"])
    one, several = port["portNumber"], port["portRange"]
    protocol = _protocol((one if one.given else several)["protocol"])
    if one.given:
        first = last = read_number(one["port"])
    else:
        first, last = read_number(several["start"]), read_number(several["end"])
    if first > last:
        several.error(f"no port is from {first} to {last}, which the API server does not notice", "swap the two")
        return None
    return ports(protocol, first, last) if protocol else None


def _protocol(protocol: Field) -> Protocol | None:
    """Read a protocol, TCP when it is not given; the server takes any text."""
    if not protocol.given:
        return Protocol.TCP
    if protocol.value not in _PROTOCOLS:
        upper = protocol.value.upper()
        hint = f"write {upper if upper in _PROTOCOLS else 'SCTP, TCP or UDP'}"
        protocol.error(f'"{protocol.value}" is no protocol, which the API server does not notice', hint)
    return _PROTOCOLS.get(protocol.value)


_ADMIN = Kind(ADMIN_NETWORK_POLICY, _ACTIONS, "ports", _port, tier=Tier.ADMIN)

_BASELINE = Kind(
    BASELINE_ADMIN_NETWORK_POLICY, _ACTIONS, "ports", _port, tier=Tier.BASELINE, priority=AFTER_ALL_PRIORITIES
)
