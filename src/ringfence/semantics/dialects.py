"""Dialects: how each implementation decides what the APIs leave open.

An open point has two choices. The first is what upstream's texts and tests settle, and
else what we recommend; a dialect is the set of points in which it takes the other.
The points themselves, in words, are in :mod:`ringfence.semantics.open_points`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ringfence.semantics.open_points import DIALECTS as NAMES
from ringfence.semantics.open_points import OPEN_POINTS
from ringfence.semantics.unknown import Known
from ringfence.semantics.verdict import Undefined


class Topic(Enum):
    """What can change a verdict: open points by their names in the table, and the side where sides differ."""

    HAIRPIN_EGRESS = "hairpin/egress"
    HAIRPIN_INGRESS = "hairpin/ingress"
    POD_TO_OWN_NODE = "pod-to-own-node"
    ICMP = "icmp"
    HOST_NETWORK = "host-network"
    HOST_EGRESS = "host-network/egress"
    BLOCK_PODS = "ip-block-pods"
    BLOCK_NODES = "ip-block-nodes"
    SERVICE_ADDRESS = "service-address"
    BASELINE = "baseline-per-direction"
    FIRST_NAME = "equal-priority/first-name"
    LAST_NAME = "equal-priority/last-name"
    """Policies of equal priority in the order of their names, or against it. No dialect chooses either: where
    such policies disagree, the answer is undecided in all of them."""

    __hash__ = object.__hash__  # a member is one object; the default hashes its name in Python, each time anew


TIES = frozenset({Topic.FIRST_NAME, Topic.LAST_NAME})
"""The two ways out of a tie."""

EQUAL_PRIORITY = "equal-priority"
"""The name of their open point in the table."""


Choices = frozenset[Topic | Known]
"""Open points that are decided the other way than by default: one reading of the APIs.

To find what an answer rests on, a reading may also take for known what is not.
"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to decide what the APIs leave open.

    Attributes:
        name: Its name.
        choices: The points in which it takes the second choice.
        strict: Whether answers that rest on an open point are undecided.
        audits: Whether it honors that a policy is in audit. No API knows that, so it is no open point:
            what is judged is :attr:`~ringfence.model.snapshot.Snapshot.enforced`, and deciders never ask.
    """

    name: str
    choices: Choices = frozenset()
    strict: bool = False
    audits: bool = False

    def flipped(self, topic: Topic) -> Dialect:
        """Return the dialect that differs in one point alone."""
        return replace(self, choices=self.choices ^ {topic})

    def knowing(self, known: Known) -> Dialect:
        """Return the dialect for a world in which something is known that is not."""
        return replace(self, choices=self.choices | {known})

    def undefined(self, topic: Topic) -> Undefined:
        """Return what an answer says when it rests on a point."""
        chosen = topic in self.choices
        others = (each.name for each in DIALECTS.values() if (topic in each.choices) is not chosen)
        return Undefined(topic.value.partition("/")[0], self.name, tuple(sorted(others)))

    @property
    def readings(self) -> tuple[Choices, ...]:
        """The sets of choices under which an answer must be the same to be decided; the dialect's own first."""
        others = [self.choices ^ {topic} for topic in Topic if topic not in TIES]
        return (self.choices, *others) if self.strict else (self.choices,)


_MEANING = {
    ("hairpin", "judged"): {Topic.HAIRPIN_EGRESS, Topic.HAIRPIN_INGRESS},
    ("hairpin", "egress judged"): {Topic.HAIRPIN_EGRESS},
    ("pod-to-own-node", "allowed"): {Topic.POD_TO_OWN_NODE},
    ("icmp", "allowed"): {Topic.ICMP},
    ("host-network", "selected on egress"): {Topic.HOST_EGRESS},
    ("host-network", "selected"): {Topic.HOST_NETWORK},
    ("ip-block-pods", "outside only"): {Topic.BLOCK_PODS},
    ("ip-block-nodes", "outside only"): {Topic.BLOCK_NODES},
    ("service-address", "virtual address"): {Topic.SERVICE_ADDRESS},
    ("baseline-per-direction", "not consulted"): {Topic.BASELINE},
}
"""What a choice that is not the default means to the deciders."""


_OURS = "ringfence"


def _dialect(name: str) -> Dialect:
    taken = (_MEANING.get((point.topic, point.choice_of(name)), set()) for point in OPEN_POINTS)
    return Dialect(name, Choices().union(*taken), audits=name == _OURS)


DIALECTS = {name: _dialect(name) for name in NAMES}
"""Every dialect by its name."""

KUBERNETES = DIALECTS["kubernetes"]
RINGFENCE = DIALECTS[_OURS]
"""The kernel's dialect: the one of our own data plane."""
