"""Blocks of addresses as CustomResourceDefinitions check them: ``isCIDR`` of Kubernetes' CEL.

Bits beyond the prefix are fine, unlike in a NetworkPolicy of today. Zeros in front, zones and
IPv4 addresses in the clothes of IPv6 are not.

Source: ``k8s.io/apiserver`` ``pkg/cel/library/cidr.go`` and Go's ``netip.ParsePrefix``.
"""

from __future__ import annotations

from ringfence.algebra.intervals import EMPTY, Intervals
from ringfence.readers.cidrs import parse_cidr
from ringfence.readers.refusals import CIDR_BITS


def is_network(text: str) -> bool:
    """Tell whether a text is a CIDR."""
    return bool(read_network(text))


def read_network(text: str) -> Intervals:
    """Read a CIDR; empty when it is none."""
    found = parse_cidr(text)
    return found.addresses if found and set(found.faults) <= {CIDR_BITS} else EMPTY
