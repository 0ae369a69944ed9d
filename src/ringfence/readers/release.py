"""Releases of Kubernetes, and what their API servers do differently."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OLDEST, _NEWEST, _COMPARED = 20, 38, 36

_WRITTEN = re.compile(r"v?1\.([0-9]{2})(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Release:
    """A minor release, ``1.<minor>``, with the defaults of its feature gates.

    Messages are those of 1.36 whatever the release; what differs is what is refused.

    Attributes:
        minor: From 20 to 38.
    """

    minor: int = _COMPARED

    @classmethod
    def of(cls, text: str) -> Release:
        """Read ``1.36``, ``v1.36`` or ``1.36.3``.

        Raises:
            ValueError: the text is no release, or one that is not known here.
        """
        parts = _WRITTEN.fullmatch(text)
        if not parts or not _OLDEST <= int(parts[1]) <= _NEWEST:
            message = f"{text!r} is no release from 1.{_OLDEST} to 1.{_NEWEST}"
            raise ValueError(message)
        return cls(int(parts[1]))

    @property
    def verified(self) -> bool:
        """Whether what is refused was compared with a running API server."""
        return self.minor == _COMPARED

    @property
    def knows_end_port(self) -> bool:
        """Whether ``endPort`` is a field at all. Source: KEP-2079, alpha in 1.21."""
        return self.minor >= 21

    @property
    def keeps_end_port(self) -> bool:
        """Whether ``endPort`` is kept and not dropped. Source: KEP-2079, on by default from 1.22."""
        return self.minor >= 22

    @property
    def knows_status(self) -> bool:
        """Whether a NetworkPolicy has a ``status``. Source: KEP-2943; k8s.io/api v0.24.0 to v0.27.0."""
        return 24 <= self.minor <= 27

    @property
    def checks_selector_values(self) -> bool:
        """Whether the values of ``matchExpressions`` must be label values. Source: k8s.io/apimachinery v0.26.0."""
        return self.minor >= 26

    @property
    def strict_cidrs(self) -> bool:
        """Whether CIDRs are read strictly. Source: StrictIPCIDRValidation, on by default from 1.36."""
        return self.minor >= 36

    def __str__(self) -> str:
        """Return ``1.<minor>``."""
        return f"1.{self.minor}"


VERIFIED = Release()
"""What is meant unless somebody says otherwise."""

STORED = Release(25)
"""Takes all that any release has taken: a server keeps what an older one let in."""
