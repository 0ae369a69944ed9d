"""The kinds of policies that are compared, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of policy.

    Attributes:
        name: The kind.
        version: Its ``apiVersion``.
        plural: Its name in paths.
        namespaced: Whether its objects are in namespaces.
    """

    name: str
    version: str
    plural: str
    namespaced: bool = False

    @property
    def path(self) -> str:
        """The path of its objects; of those in the namespace ``default``."""
        scope = "/namespaces/default" if self.namespaced else ""
        return f"/apis/{self.version}{scope}/{self.plural}"


NETWORK_POLICY = Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", namespaced=True)

CLUSTER_NETWORK_POLICY = Kind("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", "clusternetworkpolicies")
ADMIN_NETWORK_POLICY = Kind("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies")

BASELINE_ADMIN_NETWORK_POLICY = Kind(
    "BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", "baselineadminnetworkpolicies"
)

CHANNELS = ("standard", "experimental")
"""The channels that the policy APIs are released in."""

DEFINED = (CLUSTER_NETWORK_POLICY, ADMIN_NETWORK_POLICY, BASELINE_ADMIN_NETWORK_POLICY)
"""The kinds that CustomResourceDefinitions define."""
