"""Runs the two system programs that ringfence needs, ``nft`` and ``ip``, wherever they lie."""

from __future__ import annotations

import os
import shutil
from functools import cache

from ringfence.errors import WorldError

_SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin"
"""Where Debian and its kin keep them: not on the PATH of an ordinary user."""

_PACKAGES = {"nft": "nftables", "ip": "iproute2"}


@cache
def find_program(name: str) -> str:
    """Return the path of ``nft`` or ``ip``.

    Raises:
        WorldError: it is not installed.
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")
    if path is None:
        message = f"the program {name!r} is not installed"
        raise WorldError(message, f"install the package {_PACKAGES[name]}")
    return path
