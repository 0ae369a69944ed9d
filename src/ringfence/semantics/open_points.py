"""What the APIs leave open, as data: one row a topic, for the deciders, the command line and the documentation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECTS = ("kubernetes", "calico", "cilium", "antrea", "ovn", "aws", "gke", "ringfence")
"""The name of every dialect; the first is the default."""


@dataclass(frozen=True, slots=True)
class Stance:
    """What one dialect chooses.

    Attributes:
        choice: One of the point's choices.
        certainty: How this is known: ``documented``, ``source``, ``reported`` or ``inferred``.
        source: Where it is written.
        remark: What the choice does not say; empty when it says all.
    """

    choice: str
    certainty: str
    source: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """One point that the APIs leave open.

    Attributes:
        topic: Its name.
        about: What is open, as the end of a sentence that begins "the API leaves open".
        upstream: What upstream's texts and tests say.
        choices: What may be chosen; the first is the default.
        stances: What is known of each dialect; one that is not known takes the default.
    """

    topic: str
    about: str
    upstream: str
    choices: tuple[str, ...]
    stances: Mapping[str, Stance] = field(default_factory=dict)

    def choice_of(self, dialect: str) -> str:
        """Return what a dialect chooses."""
        stance = self.stances.get(dialect)
        return stance.choice if stance else self.choices[0]


OPEN_POINTS = (
    OpenPoint(
        "hairpin",
        "whether policies hold for a pod that reaches itself through a Service",
        "",
        ("allowed", "egress judged", "judged"),
        {"calico": Stance("judged", "source", ""), "antrea": Stance("egress judged", "documented", "")},
    ),
    OpenPoint(
        "pod-to-own-node",
        "whether a pod may always reach its own node",
        "",
        ("judged", "allowed"),
        {"aws": Stance("allowed", "source", "")},
    ),
    OpenPoint("icmp", "whether policies hold ICMP back", "", ("judged", "allowed")),
    OpenPoint("host-network", "how policies treat pods on the network of their node", "", ("ignored", "selected")),
    OpenPoint(
        "ip-block-pods",
        "whether an ipBlock matches pods of the cluster",
        "",
        ("matches", "outside only"),
        {"cilium": Stance("outside only", "documented", ""), "gke": Stance("outside only", "inferred", "")},
    ),
    OpenPoint(
        "ip-block-nodes",
        "whether an ipBlock matches nodes of the cluster",
        "",
        ("matches", "outside only"),
        {"cilium": Stance("outside only", "documented", ""), "gke": Stance("outside only", "reported", "")},
    ),
    OpenPoint(
        "baseline-per-direction",
        "whether the Baseline tier is consulted for a direction in which a NetworkPolicy selects but does not isolate",
        "",
        ("consulted", "not consulted"),
        {"aws": Stance("not consulted", "inferred", "")},
    ),
    OpenPoint("equal-priority", "which policy is applied first among those of equal priority", "", ("undecided",)),
)
"""Every point; the order is that of the documentation."""
