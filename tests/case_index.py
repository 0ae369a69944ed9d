"""The index of all cases, by the document that each sentence comes from.

python -m tests.case_index   writes docs/cases.md anew
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from tests.case import cases

if TYPE_CHECKING:
    from tests.case import Case

INDEX = Path(__file__).parent.parent / "docs" / "cases.md"

DOCUMENTS = {
    "https://kubernetes.io/docs/concepts/services-networking/network-policies/": "Kubernetes, Network Policies",
    "k8s.io/api networking/v1 types.go": "NetworkPolicy, comments of its types",
    "k8s.io/kubernetes pkg/apis/networking/v1 defaults.go": "NetworkPolicy, defaults",
    "k8s.io/apimachinery meta/v1 types.go": "Label selectors, comments of their types",
    "k8s.io/apimachinery pkg/labels selector.go": "Label selectors, what they match",
    "k8s.io/kubernetes test/e2e/network/netpol network_policy.go": "NetworkPolicy, end-to-end tests of Kubernetes",
    "https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/": "Kubernetes, NodeLocal DNS",
    "https://network-policy-api.sigs.k8s.io/api-overview/": "Network Policy API, overview",
    "sigs.k8s.io/network-policy-api v0.2.0 apis/v1alpha2 clusternetworkpolicy_types.go": (
        "ClusterNetworkPolicy, comments of its types"
    ),
    "https://network-policy-api.sigs.k8s.io/npeps/": "Network Policy API, enhancement proposals",
    "https://github.com/kubernetes-sigs/network-policy-api/pull/": "Network Policy API, decided in review",
    "sigs.k8s.io/network-policy-api v0.1.7 apis/v1alpha1 adminnetworkpolicy_types.go": (
        "AdminNetworkPolicy, comments of its types"
    ),
    "sigs.k8s.io/network-policy-api v0.1.7 apis/v1alpha1 baselineadminnetworkpolicy_types.go": (
        "BaselineAdminNetworkPolicy, comments of its types"
    ),
    "sigs.k8s.io/network-policy-api v0.1.7 apis/v1alpha1 shared_types.go": (
        "AdminNetworkPolicy and BaselineAdminNetworkPolicy, comments of shared types"
    ),
}
"""What a source begins with, and the heading of what comes from there, in the order of the page."""

HEAD = """# Cases

Every sentence below is a table under [`tests/cases`](../tests/cases), which people can check by eye.
The definition, the engine, the compiled programs and, by real packets, the kernel answer all of its rows.
The sentences are in our own words; where each comes from stands beside it.
This page is written by `python -m tests.case_index`, and a test keeps it true.
"""


def render() -> str:
    """Return the page."""
    order = list(DOCUMENTS)
    found = sorted((order.index(_document(case)), _section(case), case.name, case) for case in cases())
    parts = [HEAD]
    for number, group in groupby(found, lambda each: each[0]):
        lines = [f"| {section} | [{case.about}](../tests/cases/{name}.yaml) |" for _, section, name, case in group]
        document = order[number]
        parts.append(
            f"## {DOCUMENTS[document]}\n\n`{document}`\n\n"
            + "\n".join(["| Where | Sentence |", "|---|---|", *lines, ""])
        )
    return "\n".join(parts)


def _document(case: Case) -> str:
    return next(document for document in DOCUMENTS if re.match(rf"{re.escape(document)}(, |#|(?<=/)|$)", case.source))


def _section(case: Case) -> str:
    section = case.source.removeprefix(_document(case)).lstrip(",# ").rstrip("/")
    return f"`{section}`" if section else "all of it"


if __name__ == "__main__":
    INDEX.write_text(render())
