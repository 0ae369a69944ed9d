"""The open points on which an answer may rest: a dialect may decide them otherwise."""

from __future__ import annotations

from ringfence.semantics.point import OpenPoint, Stance

_SPEC = "ringfence src/ringfence/semantics/spec.py"
_PAGE = "kubernetes.io network-policies"
_FELIX = "projectcalico/calico felix/rules/static.go"
_CILIUM = "cilium/cilium Documentation/security/policy/language/layer3.rst"
_ANTREA = "antrea-io/antrea docs/design/ovs-pipeline.md"
_OVN = "ovn-kubernetes docs/design/acls.md"
_OVN_POLICY = "ovn-kubernetes go-controller/pkg/ovn/base_network_controller_policy.go"
_AWS = "aws-network-policy-agent pkg/fwruleprocessor/fw_rule_processor.go"
_AWS_PROBE = "aws-network-policy-agent pkg/ebpf/c/tc.v4egress.bpf.c"
_AWS_RESOLVER = "amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go"
_LIKE_CILIUM = "GKE Dataplane V2 is built on Cilium"

DECIDING = (
    OpenPoint(
        "hairpin",
        "whether policies hold for a pod that reaches itself through a Service",
        "NetworkPolicy does not say, and the end-to-end tests leave such connections out because plugins differ. "
        "The overview of ClusterNetworkPolicy says that they are judged; only a pod's own address is exempt.",
        ("allowed", "egress judged", "judged"),
        {
            "calico": Stance(
                "judged",
                "source",
                _FELIX,
                "as the pod itself, so a rule must accept the pod; of eBPF only release notes say it",
            ),
            "cilium": Stance("allowed", "reported", "cilium/cilium#15321, #27798", "written for IPv4"),
            "antrea": Stance(
                "egress judged",
                "documented",
                "antrea-io/antrea docs/antrea-network-policy.md",
                "with AntreaProxy; with kube-proxy nothing is promised",
            ),
            "ovn": Stance("allowed", "documented", _OVN),
            "gke": Stance("allowed", "inferred", "cilium/cilium#27798", _LIKE_CILIUM),
            "ringfence": Stance("allowed", "source", _SPEC, "Admin and Baseline rules are judged"),
        },
    ),
    OpenPoint(
        "pod-to-own-node",
        "whether a pod may always reach its own node",
        "The overview of the documentation exempts traffic to and from a pod's node; "
        "its definition of isolation and the comments of the types exempt what comes from the node alone.",
        ("judged", "allowed"),
        {
            "calico": Stance(
                "judged",
                "source",
                _FELIX,
                "then by defaultEndpointToHostAction, which the manifests that Calico ships set to Accept",
            ),
            "cilium": Stance(
                "judged", "reported", "cilium/cilium#34387", "no ipBlock matches the node; a rule without peers does"
            ),
            "antrea": Stance("judged", "inferred", _ANTREA),
            "ovn": Stance("judged", "source", _OVN_POLICY),
            "aws": Stance(
                "allowed",
                "source",
                _AWS,
                "the node's primary address; before 1.4 not in strict mode with cluster-wide policies alone",
            ),
            "gke": Stance(
                "judged",
                "reported",
                "gke-labs/kube-agents#777",
                "no ipBlock matches the node; the metadata server needs a rule of its own",
            ),
            "ringfence": Stance("judged", "source", _SPEC),
        },
    ),
    OpenPoint(
        "icmp",
        "whether policies hold ICMP back",
        "The documentation defines isolation for TCP, UDP and SCTP, and leaves other protocols to the plugin.",
        ("judged", "allowed"),
        {
            "calico": Stance(
                "judged",
                "source",
                "projectcalico/calico libcalico-go/lib/backend/k8s/conversion/conversion.go",
                "errors of tracked connections and neighbor discovery pass",
            ),
            "cilium": Stance("judged", "documented", "GHSA-c66w-hq56-4q97"),
            "antrea": Stance("judged", "documented", _ANTREA),
            "ovn": Stance(
                "judged", "source", _OVN_POLICY, "an option (allowICMPNetworkPolicy, off by default) always allows it"
            ),
            "aws": Stance("judged", "source", _AWS_PROBE, "errors of established connections are dropped too"),
            "gke": Stance("judged", "inferred", _LIKE_CILIUM),
            "ringfence": Stance("judged", "source", _SPEC, "errors of tracked connections always pass"),
        },
    ),
    OpenPoint(
        "host-network",
        "how policies treat pods on the network of their node",
        "The documentation knows two ways and calls one the commonest: such pods are ignored by selectors, and "
        "their traffic is the node's. ClusterNetworkPolicy never includes them.",
        ("ignored", "selected on egress", "selected"),
        {
            "calico": Stance("ignored", "reported", "projectcalico/calico#4493, #4667"),
            "cilium": Stance("ignored", "documented", _CILIUM),
            "antrea": Stance("ignored", "reported", "antrea-io/antrea#3078, #8042"),
            "ovn": Stance(
                "selected on egress",
                "source",
                "ovn-kubernetes go-controller/pkg/ovn/base_network_controller_policy.go, #4086",
                "as a peer with a podSelector, an empty one too; as a client it shows its node's management port, "
                "which no selector holds",
            ),
            "aws": Stance(
                "ignored",
                "reported",
                "amazon-network-policy-controller-k8s#206",
                "before 2026 both as a subject and as a peer they were selected",
            ),
            "gke": Stance("ignored", "inferred", _LIKE_CILIUM),
            "ringfence": Stance("ignored", "source", _SPEC),
        },
    ),
    OpenPoint(
        "ip-block-pods",
        "whether an ipBlock matches pods of the cluster",
        "The documentation advises addresses outside the cluster, because those of pods come and go; "
        "the end-to-end tests expect that a block of one pod's address matches that pod.",
        ("matches", "outside only"),
        {
            "kubernetes": Stance("matches", "source", "kubernetes test/e2e/network/netpol/network_policy.go"),
            "calico": Stance(
                "matches", "source", "projectcalico/calico libcalico-go/lib/backend/k8s/conversion/conversion.go"
            ),
            "cilium": Stance("outside only", "documented", _CILIUM, "newer releases have policy-cidr-match-mode=pods"),
            "antrea": Stance("matches", "inferred", _ANTREA),
            "ovn": Stance("matches", "source", "ovn-kubernetes go-controller/pkg/ovn/gress_policy.go"),
            "aws": Stance("matches", "source", "amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go"),
            "gke": Stance("outside only", "inferred", _LIKE_CILIUM),
            "ringfence": Stance("matches", "source", _SPEC),
        },
    ),
    OpenPoint(
        "ip-block-nodes",
        "whether an ipBlock matches nodes of the cluster",
        "The documentation names blocks as the way to write policies for nodes.",
        ("matches", "outside only"),
        {
            "kubernetes": Stance("matches", "documented", _PAGE),
            "calico": Stance(
                "matches", "source", "projectcalico/calico libcalico-go/lib/backend/k8s/conversion/conversion.go"
            ),
            "cilium": Stance(
                "outside only", "documented", _CILIUM, "policyCIDRMatchMode: nodes lets blocks match them"
            ),
            "antrea": Stance("matches", "inferred", _ANTREA),
            "ovn": Stance(
                "matches",
                "source",
                "ovn-kubernetes go-controller/pkg/ovn/gress_policy.go",
                "a node may show its management port's address instead",
            ),
            "aws": Stance("matches", "source", _AWS_PROBE),
            "gke": Stance("outside only", "reported", "gke-labs/kube-agents#777"),
            "ringfence": Stance("matches", "source", _SPEC),
        },
    ),
    OpenPoint(
        "service-address",
        "whether a block is compared with a Service's own address or with that of its endpoint",
        "The documentation of NetworkPolicy leaves open whether addresses are rewritten before or after it. "
        "ClusterNetworkPolicy compares afterwards, so a Service's own address never matches.",
        ("endpoint", "virtual address"),
        {
            "calico": Stance("endpoint", "reported", "projectcalico/libcalico-go#4679"),
            "cilium": Stance(
                "endpoint", "reported", "network-policy-api#185", "a Service without backends is outside the cluster"
            ),
            "antrea": Stance("endpoint", "documented", _ANTREA, "with AntreaProxy"),
            "ovn": Stance("endpoint", "documented", _OVN),
            "aws": Stance(
                "virtual address",
                "source",
                _AWS_RESOLVER,
                "selectors stand for the addresses of Services too, blocks do not",
            ),
            "gke": Stance("endpoint", "inferred", _LIKE_CILIUM, "the metadata server is judged before"),
            "ringfence": Stance("endpoint", "source", "ringfence src/ringfence/semantics/ways.py"),
        },
    ),
    OpenPoint(
        "baseline-per-direction",
        "whether the Baseline tier is consulted for a direction in which a NetworkPolicy selects but does not isolate",
        "The comments of the types say that NetworkPolicy makes a final decision for the pods that it selects, and "
        "have no word about its direction; no conformance test tries it.",
        ("consulted", "not consulted"),
        {
            "calico": Stance("consulted", "source", "projectcalico/calico felix rules/endpoints.go"),
            "cilium": Stance("consulted", "inferred", "cilium/cilium#44509"),
            "antrea": Stance("consulted", "documented", _ANTREA),
            "ovn": Stance("consulted", "source", _OVN_POLICY),
            "aws": Stance(
                "not consulted",
                "inferred",
                "aws-network-policy-agent controllers/policyendpoints_controller.go",
                "it accepts everything in the direction that is not isolated",
            ),
            "ringfence": Stance("consulted", "source", _SPEC),
        },
    ),
    OpenPoint(
        "equal-priority",
        "which policy is applied first among those of equal priority",
        "ClusterNetworkPolicy lets an implementation apply either. "
        "Where such policies agree, nothing is open; where they do not, the answer is undecided in every dialect.",
        ("undecided",),
        {"ringfence": Stance("undecided", "source", _SPEC, "its data plane drops what is undecided")},
    ),
)
"""The points; the order is that of the documentation."""
