"""What the APIs leave open beside a verdict, or settle where few look: no dialect answers otherwise."""

from __future__ import annotations

from ringfence.semantics.point import OpenPoint, Stance

_PAGE = "kubernetes.io network-policies"
_TYPES = "k8s.io/api networking/v1/types.go"
_FELIX = "projectcalico/calico felix/rules/static.go"
_ANTREA = "antrea-io/antrea docs/design/ovs-pipeline.md"
_OVN = "ovn-kubernetes docs/design/acls.md"
_AWS_RESOLVER = "amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go"
_LIKE_CILIUM = "GKE Dataplane V2 is built on Cilium"

_ADDRESSES = (
    OpenPoint(
        "own-node-to-pod",
        "whether a pod may always be reached from its own node, as the kubelet's probes do",
        "NetworkPolicy exempts it, in the comments of its types and in the documentation; it goes after the Admin "
        "tier. ClusterNetworkPolicy cannot name nodes as peers of ingress yet.",
        ("allowed",),
        {
            "kubernetes": Stance("allowed", "documented", _TYPES),
            "calico": Stance("allowed", "source", _FELIX, "what IPVS forwards is judged"),
            "cilium": Stance(
                "allowed",
                "documented",
                "cilium/cilium Documentation/security/policy/language/layer3.rst",
                "its option allow-localhost=policy judges it",
            ),
            "antrea": Stance("allowed", "documented", _ANTREA, "what a NodePort rewrote is judged"),
            "ovn": Stance("allowed", "documented", _OVN, "the management port's address"),
            "aws": Stance("allowed", "source", "aws-network-policy-agent pkg/fwruleprocessor/fw_rule_processor.go"),
            "gke": Stance("allowed", "inferred", _LIKE_CILIUM, "releases of 2021 dropped probes"),
            "ringfence": Stance("allowed", "source", "ringfence src/ringfence/semantics/spec.py"),
        },
    ),
    OpenPoint(
        "remote-node",
        "how another node than a pod's own is treated",
        "No exemption: a rule without peers or an ipBlock must accept it. "
        "On an overlay it shows the address of its tunnel, which is not in its status.",
        ("judged by its address",),
    ),
    OpenPoint(
        "own-address",
        "whether a pod may always reach its own address",
        "The documentation says that a pod cannot be kept from itself, and the overview of ClusterNetworkPolicy "
        "exempts a pod's own address.",
        ("allowed",),
        {"kubernetes": Stance("allowed", "documented", _PAGE)},
    ),
    OpenPoint(
        "loopback",
        "whether policies hold for 127.0.0.0/8 and ::1",
        "The documentation says that localhost cannot be blocked.",
        ("never filtered",),
        {"kubernetes": Stance("never filtered", "documented", _PAGE)},
    ),
    OpenPoint(
        "dual-stack",
        "whether a selector means all addresses of a pod",
        "No text says it; selectors select pods, and a pod is all of its addresses.",
        ("all addresses of each pod",),
        {
            "aws": Stance(
                "all addresses of each pod", "source", "aws-network-policy-agent", "a cluster has one family alone"
            )
        },
    ),
)

_SERVICES = (
    OpenPoint(
        "service-paths",
        "what a pod sees of a client that came through a NodePort or a load balancer",
        "No text. A node that rewrites the source shows its own address, unless externalTrafficPolicy is Local; "
        "ipMode Proxy leaves the cluster first.",
        ("as kube-proxy does it",),
        {
            "ringfence": Stance(
                "as kube-proxy does it",
                "source",
                "ringfence src/ringfence/semantics/ways.py",
                "every way is told hop by hop",
            )
        },
    ),
    OpenPoint(
        "node-local-dns",
        "what reaches a DNS cache on the node",
        "No text. The cache listens on its node's network, so a rule that selects the DNS pods does not match it; "
        "a block, or a rule without peers, does.",
        ("judged as its node",),
    ),
)

_MOMENTS = (
    OpenPoint(
        "established-connections",
        "what a change of policies or labels means for connections that are open",
        "The documentation leaves it to the implementation; discussion of ClusterNetworkPolicy leans to judging "
        "every packet.",
        ("kept", "cut", "mixed"),
        {
            "calico": Stance("kept", "source", "projectcalico/calico felix/rules/endpoints.go"),
            "cilium": Stance("cut", "reported", "cilium/cilium#2700, #3605"),
            "antrea": Stance("kept", "documented", "antrea-io/antrea docs/antrea-network-policy.md"),
            "ovn": Stance("cut", "reported", "network-policy-api#305"),
            "aws": Stance(
                "mixed",
                "source",
                "aws-network-policy-agent pkg/ebpf/c/tc.v4egress.bpf.c",
                "kept while a pod has policies; judged anew when its first comes or its last goes",
            ),
            "gke": Stance("cut", "inferred", _LIKE_CILIUM),
            "ringfence": Stance(
                "cut",
                "source",
                "ringfence src/ringfence/dataplane/change.py",
                "what is denied from then on ends at its next packet; nothing else is disturbed",
            ),
        },
    ),
    OpenPoint(
        "new-pod",
        "when a new pod is isolated, and when it may be reached",
        "Once a policy is handled, a pod is isolated before its first container starts; what rules allow may come "
        "later. No API tells when that is.",
        ("isolated from the start",),
        {"kubernetes": Stance("isolated from the start", "documented", _PAGE)},
    ),
    OpenPoint(
        "terminating-pods",
        "whether policies still know a pod that is being terminated",
        "No text.",
        ("kept",),
        {
            "calico": Stance("kept", "reported", "projectcalico/calico#4518", "losing one early counts as a bug"),
            "ringfence": Stance("kept", "source", "ringfence src/ringfence/readers/core.py"),
        },
    ),
    OpenPoint(
        "terminal-pods",
        "whether policies still know a pod that has succeeded or failed",
        "No text. Its address may belong to another pod already.",
        ("left out",),
        {
            "calico": Stance("left out", "reported", "projectcalico/libcalico-go#1040, #1047"),
            "cilium": Stance("left out", "reported", "cilium/cilium#12953, #13220"),
            "antrea": Stance("left out", "reported", "antrea-io/antrea#6507, #6508"),
            "ovn": Stance("left out", "source", "ovn-kubernetes go-controller/pkg/ovn/pod_selector_address_set.go"),
            "aws": Stance(
                "left out", "reported", "amazon-network-policy-controller-k8s#190", "before September 2025 it was kept"
            ),
            "ringfence": Stance("left out", "source", "ringfence src/ringfence/semantics/spec.py"),
        },
    ),
)

_PORTS = (
    OpenPoint(
        "sctp",
        "whether a plugin knows SCTP",
        "Its support is optional; a rule for SCTP isolates all the same, and never matches TCP.",
        ("known",),
        {
            "cilium": Stance("known", "documented", "docs.cilium.io configuration/sctp", "off by default, beta"),
            "aws": Stance("known", "source", "aws-network-policy-agent"),
            "gke": Stance(
                "known",
                "documented",
                "cloud.google.com deploy-workloads-with-sctp",
                "with Dataplane V2 and recent Ubuntu nodes alone",
            ),
            "ringfence": Stance("known", "source", "ringfence src/ringfence/algebra/traffic.py"),
        },
    ),
    OpenPoint(
        "end-port",
        "whether a plugin knows endPort",
        "The documentation says that one that does not applies the rule to the single port.",
        ("known",),
        {
            "cilium": Stance("known", "documented", "cilium/cilium#16622", "not in old releases"),
            "aws": Stance("known", "source", "aws-network-policy-agent", "at most 24 ports for each block"),
            "ringfence": Stance("known", "source", "ringfence src/ringfence/readers/networkpolicy.py"),
        },
    ),
    OpenPoint(
        "named-port",
        "on which pod a port's name is looked up",
        "On the pod that is the server, by name and protocol, so it may be another number on each. "
        "Outside the cluster a name matches nothing.",
        ("each server's own",),
        {
            "kubernetes": Stance("each server's own", "source", "kubernetes test/e2e/network/netpol"),
            "cilium": Stance(
                "each server's own",
                "reported",
                "cilium/cilium#30003, #44429",
                "before 2026 a rule was skipped where pods give one name to several numbers",
            ),
            "aws": Stance(
                "each server's own",
                "source",
                _AWS_RESOLVER,
                "but the numbers of all selected pods are pooled for ingress, and for egress to blocks or to "
                "everyone a name matches nothing; ringfence does not follow it there",
            ),
            "ringfence": Stance("each server's own", "source", "ringfence src/ringfence/semantics/spec.py"),
        },
    ),
    OpenPoint(
        "not-in-the-api",
        "how to deny, to log, to name Services or to have a default for new namespaces",
        "The documentation lists what NetworkPolicy cannot do. "
        "ClusterNetworkPolicy can deny, and can cover namespaces that come later; neither of them logs.",
        ("not possible",),
        {"kubernetes": Stance("not possible", "documented", _PAGE)},
    ),
)

SURROUNDING = (*_ADDRESSES, *_SERVICES, *_MOMENTS, *_PORTS)
"""The points; the order is that of the documentation."""
