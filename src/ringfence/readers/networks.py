"""Blocks of addresses as CustomResourceDefinitions check them: ``isCIDR`` of Kubernetes' CEL.

Bits beyond the prefix are fine, unlike in a NetworkPolicy of today. Zeros in front, zones and
IPv4 addresses in the clothes of IPv6 are not.

Source: ``k8s.io/apiserver`` ``pkg/cel/library/cidr.go`` and Go's ``netip.ParsePrefix``.
"""

from __future__ import annotations

import ipaddress
import re

from ringfence.algebra.addresses import read_cidr
from ringfence.algebra.intervals import EMPTY, Intervals

_FORM = re.compile(r"(?P<address>[0-9a-fA-F:.]+)/(?:0|[1-9][0-9]{0,2})")
"""The standard library would take a netmask or a zone as well."""


def is_network(text: str) -> bool:
    """Tell whether a text is a CIDR."""
    return bool(read_network(text))


def read_network(text: str) -> Intervals:
    """Read a CIDR; empty when it is none."""
    parts = _FORM.fullmatch(text)
    try:
        if not parts or getattr(ipaddress.ip_address(parts["address"]), "ipv4_mapped", None):
            return EMPTY
        return read_cidr(text)
    except ValueError:
        return EMPTY
