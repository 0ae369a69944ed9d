"""Addresses and ranges, as every API writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.algebra.addresses import Family, family_of, read_address, read_cidr
from ringfence.algebra.intervals import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.algebra.addresses import Address
    from ringfence.algebra.intervals import Intervals
    from ringfence.readers.fields import Field


def read_ip(address: Field) -> Address | None:
    """Read an address; None when it is not given or in error."""
    text = address.string()
    try:
        return read_address(text) if text else None
    except ValueError:
        address.error(f'Invalid value: "{text}": must be a valid IP address', "correct the address")
        return None


def read_ips(addresses: Field) -> tuple[Address, ...]:
    """Read a list of addresses, sorted, each once; what is in error is left out."""
    found = (read_ip(each) for each in addresses.items())
    return tuple(sorted({address for address in found if address is not None}))


def read_range(block: Field) -> Intervals:
    """Read a CIDR; empty when it is not given or in error."""
    text = block.string()
    try:
        return read_cidr(text.strip()) if text else EMPTY
    except ValueError:
        block.error(f'Invalid value: "{text}": must be a valid CIDR value', "correct the CIDR")
        return EMPTY


def hosts_of(texts: Iterable[str], known: dict[tuple[str, ...], tuple[Address, ...]]) -> tuple[Address, ...]:
    """Return the addresses of a node as texts give them, each once.

    Args:
        texts: The texts; empty ones are left out.
        known: What was returned before, which pods of one node share.

    Raises:
        ValueError: a text is no address.
    """
    key = tuple(texts)
    if key not in known:
        known[key] = tuple(dict.fromkeys(read_address(text) for text in key if text))
    return known[key]


def by_family(addresses: Iterable[Address | None]) -> dict[Family, Address]:
    """Return the first address of each family, in order of the families."""
    found: dict[Family, Address] = {}
    for address in addresses:
        if address is not None:
            found.setdefault(family_of(address), address)
    return dict(sorted(found.items())) if len(found) > 1 else found
