"""Programs that print credentials for an API server.

Source: the ``client.authentication.k8s.io`` API, versions v1 and v1beta1, and
``k8s.io/client-go/plugin/pkg/client/auth/exec``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from errno import EINVAL
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ringfence.errors import ClusterError

if TYPE_CHECKING:
    from ringfence.edges.kubeconfig import Cluster, Plugin

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_CONFIG = "client.authentication.k8s.io/exec"
"""The extension of a cluster that is meant for programs."""


class Credentials(msgspec.Struct, rename="camel"):
    """What a program printed: a token, a certificate with its key, or both."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""


class _Printed(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    status: Credentials


def run_plugin(plugin: Plugin, cluster: Cluster, place: str) -> Credentials:
    """Run a program and return the credentials that it prints.

    It may ask the user something where there is a terminal; its standard error is ours.

    Args:
        plugin: The program.
        cluster: What it may want to know.
        place: Where the user is written whose program it is.

    Raises:
        ClusterError: it cannot be run, fails, or prints none.
    """
    named = f"{place}: the exec plugin {plugin.command}"
    if plugin.apiVersion not in _VERSIONS:
        message = f"{named} speaks {plugin.apiVersion}, which is not supported"
        raise ClusterError(message, f"set its apiVersion to {_VERSIONS[0]}")
    interactive = plugin.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not interactive:
        message = f"{named} asks questions, and standard input is no terminal"
        raise ClusterError(message, "run it on a terminal")
    program = shutil.which(plugin.command)
    if not program:
        message = f"{named} is not installed"
        raise ClusterError(message, " ".join((plugin.installHint or "install it, or use another --user").split()))
    variables = {each.name: each.value for each in plugin.env or ()}
    info = msgspec.json.encode(_info(plugin, cluster, interactive=interactive)).decode()
    try:
        done = subprocess.run(  # noqa: S603 - the kubeconfig names it, as for kubectl
            [program, *(plugin.args or ())],
            env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": info},
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    except (OSError, ValueError) as error:
        message = f"{named} cannot be run: {os.strerror(getattr(error, 'errno', 0) or EINVAL).lower()}"
        raise ClusterError(message, "correct its command, args and env in the kubeconfig") from error
    if done.returncode:
        ended = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        message = f"{named} failed with {ended}"
        raise ClusterError(message, "log in again, or use another --user")
    return _read(plugin, done.stdout, named)


def _read(plugin: Plugin, text: bytes, named: str) -> Credentials:
    """Read what a program printed."""
    try:
        printed = msgspec.json.decode(text, type=_Printed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{named} printed no ExecCredential: {error}"
        raise ClusterError(message, "run it by hand to see what it prints") from error
    found = printed.status
    if printed.kind != "ExecCredential":
        message = f"{named} printed a {printed.kind}, no ExecCredential"
        raise ClusterError(message, "run it by hand to see what it prints")
    if printed.api_version != plugin.apiVersion:
        message = f"{named} printed {printed.api_version}, not {plugin.apiVersion}"
        raise ClusterError(message, "correct its apiVersion in the kubeconfig")
    if not found.token and not (found.client_certificate_data and found.client_key_data):
        message = f"{named} printed neither a token nor a certificate with its key"
        raise ClusterError(message, "run it by hand to see what it prints")
    return found


def _info(plugin: Plugin, cluster: Cluster, *, interactive: bool) -> dict[str, Any]:
    """Return what the program is told in ``KUBERNETES_EXEC_INFO``."""
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        authority = cluster.certificate_auth_data
        if cluster.certificate_auth:
            authority = b64encode(Path(cluster.certificate_auth).read_bytes()).decode()
        told = {
            "server": cluster.server,
            "tls-server-name": cluster.server_name,
            "insecure-skip-tls-verify": cluster.insecure,
            "certificate-authority-data": authority,
            "proxy-url": cluster.proxy,
            "config": next((each.get("extension") for each in cluster.extensions if each.get("name") == _CONFIG), None),
        }
        spec["cluster"] = {name: value for name, value in told.items() if value}
    return {"apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": spec}
