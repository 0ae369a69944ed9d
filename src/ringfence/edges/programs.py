"""Finds the system programs that ringfence runs, ``nft``, ``ip`` and ``git``, wherever they lie."""

from __future__ import annotations

import os
import shutil
from functools import cache

from ringfence.errors import WorldError

_SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin"
"""Where Debian and its kin keep them: not on the PATH of an ordinary user."""

_PACKAGES = {"nft": "nftables", "ip": "iproute2", "git": "git"}


@cache
def find_program(name: str) -> str:
    """Return the path of ``nft``, ``ip`` or ``git``.

    Raises:
        WorldError: it is not installed.
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")
    if path is None:
        message = f"the program {name!r} is not installed"
        raise WorldError(message, f"install the package {_PACKAGES[name]}")
    return path
