"""A real nftables, in a network namespace that lives as long as one command."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from ringfence.edges.programs import find_program


def loaded(*transactions: str) -> str:
    """What nft lists after transactions have been applied one after the other to an empty namespace."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, str(number)) for number in range(len(transactions))]
        for path, text in zip(paths, transactions, strict=True):
            path.write_text(text)
        nft = find_program("nft")
        steps = [*(f"{nft} -f {path}" for path in paths), f"{nft} --stateless list ruleset"]
        command = ["unshare", "--map-root-user", "--net", "sh", "-ec", "\n".join(steps)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, f"{done.stderr}\n{transactions[-1]}"
    return done.stdout


def canonical(listing: str) -> list[str]:
    """The sets, maps and chains of a listing, with their elements, in an order and by names that forget history."""
    listing = re.sub(r"(@|(?:set|map) )(\S+)\.\d+(?=\s)", r"\1\2", listing)
    blocks = re.findall(r"^\t(?:set|map|chain) .*?^\t\}", listing, re.DOTALL | re.MULTILINE)
    return sorted(re.sub(r"elements = \{(.*?)\}", _sorted, block, flags=re.DOTALL) for block in blocks)


def _sorted(elements: re.Match[str]) -> str:
    return ", ".join(sorted(each.strip() for each in elements[1].split(",")))
