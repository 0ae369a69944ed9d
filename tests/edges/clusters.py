"""Kubeconfigs of servers on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringfence.edges.kubeconfig import Access, Wanted, find_access
from tests.api_server import TLS

if TYPE_CHECKING:
    from pathlib import Path


def kubeconfig(path: Path, server: str, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
    """Write a kubeconfig whose one context ``prod`` has namespace ``x``; a server over TLS is trusted."""
    if server.startswith("https:") and "insecure-skip-tls-verify" not in cluster:
        cluster = {"certificate-authority": str(TLS / "ca.pem"), **cluster}
    content = {
        "kind": "Config",
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "x"}}],
    }
    path.write_text(json.dumps(content))
    return path


def access(path: Path, server: str, user: dict[str, Any] | None = None, **cluster: Any) -> Access:
    """Access to a server by a kubeconfig of its own."""
    return find_access(Wanted(kubeconfig=str(kubeconfig(path / "config", server, user, **cluster))), {})
